"""From what is wrong at each instant to episodes: when it began, what it grew to, when it was over.

Between two instants at which something happens an order stays as it is; only a deadline may pass. So it is enough to
look at it once after everything of each instant, with all facts up to then and none later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import structs

from canonical.policy import Policy
from operators.exceptions.episode import Episode, Worth, named
from operators.exceptions.order_excess import overshipped, shipped_after_cancel, wrong_item_shipped
from operators.exceptions.order_parcels import (
    issue_not_posted,
    issue_without_shipment,
    orphan_shipment,
    shipment_exception,
)
from operators.exceptions.order_postings import posting_mismatch, posting_missing
from operators.exceptions.order_refunds import refund_overdue, refund_without_return
from operators.exceptions.order_rejected import order_rejected
from operators.exceptions.order_stalled import order_stalled
from operators.exceptions.order_view import Finding, Rule, View
from operators.hindsight import as_of
from operators.kits import Kits
from operators.order import Order

RULES: dict[str, Rule] = {
    "order_stalled": order_stalled,
    "order_rejected": order_rejected,
    "shipped_after_cancel": shipped_after_cancel,
    "overshipped": overshipped,
    "wrong_item_shipped": wrong_item_shipped,
    "orphan_shipment": orphan_shipment,
    "issue_not_posted": issue_not_posted,
    "issue_without_shipment": issue_without_shipment,
    "shipment_exception": shipment_exception,
    "posting_missing": posting_missing,
    "posting_mismatch": posting_mismatch,
    "refund_overdue": refund_overdue,
    "refund_without_return": refund_without_return,
}
"""Code → rule, of everything that can be wrong with one order."""
Name = tuple[str, str]


def episodes(
    order_id: str, order: Order, instants: Sequence[datetime], watermark: datetime, kits: Kits, policy: Policy
) -> tuple[list[Episode], datetime | None]:
    """All episodes that have begun, and the next deadline that will be missed if nothing more happens.

    `instants`: those at which something happened, in order, up to the watermark; what is before the first is no matter.
    """
    closed: list[Episode] = []
    going: dict[Name, Episode] = {}
    before = None
    for at, until in zip(instants, [*instants[1:], watermark], strict=bool(instants)):
        view = View(order_id, as_of(order, at), at, until, kits, policy)
        if before is not None:
            view.follow(before)
        found = {(f.code, f.subject): f for rule in RULES.values() for f in rule(view)}
        over = [name for name in going if not _holds(found.get(name), at)]
        closed += [structs.replace(going.pop(name), cleared_at=at) for name in over]
        for name, finding in found.items():
            going[name] = _grown(going[name], finding, at) if name in going else _begun(view, finding)
        before = view
    return closed + list(going.values()), None if before is None else before.next_due


def _holds(finding: Finding | None, at: datetime) -> bool:
    """Whether what was wrong until `at` still is."""
    return finding is not None and (finding.due is None or finding.due <= at)


def _begun(view: View, finding: Finding) -> Episode:
    deadline = finding.due is not None and finding.due >= view.at
    return Episode(
        code=finding.code,
        subject=finding.subject,
        opened_at=finding.due if deadline and finding.due is not None else view.at,
        deadline=deadline,
        owner=finding.owner,
        units=finding.units,
        value=finding.value,
        currency=view.order.currency,
        evidence=named(finding.ranks),
        correlationid=view.order.case or view.id,
        message=finding.message,
        order_id=view.id,
        sku=finding.sku,
        location=finding.location,
        channel=view.order.channel,
        shipment_id=finding.shipment_id,
    )


def _grown(episode: Episode, finding: Finding, at: datetime) -> Episode:
    last = episode.worths()[-1]
    if (last.units, last.value) == (finding.units, finding.value):
        return episode
    worth = Worth(at, finding.units, finding.value, named(finding.ranks), finding.message)
    return structs.replace(episode, later=(*episode.later, worth))
