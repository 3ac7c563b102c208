"""An order as it stood at an instant: made from the facts that had happened by then, and from no later one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from operators.joins import document_of, put
from operators.order import Document, Order, Verdict

IDLE = frozenset({"in_transit", "out_for_delivery"})
"""News that tell nothing, except of a parcel nobody has shipped by then: that there is one."""
SETTLED = frozenset({"goods_issue", "payment"})
"""Postings that are compared with nothing."""


def moments(order: Order) -> list[datetime]:
    """The instants at which something happened that can make the order right or wrong, each once, in order."""
    found = blows(order)
    found.update(order.own.values())
    for news in order.news.values():
        found.update(at for kind, at in news.items() if kind not in IDLE)
    return sorted(found)


def blows(order: Order) -> set[datetime]:
    """The instants at which something happened that can make the order wrong at once: no step forward does."""
    found: set[datetime] = set()
    found.update(document.rank[1] for document in documents(order))
    found.update(at for at in (order.placed_at, order.changed_at) if at is not None)
    found.update(at for at, *_ in verdicts(order))
    found.update(at for at, *_ in order.cancellations)
    found.update(shipment.at for shipment in order.shipments.values())
    found.update(issue.at for issue in order.issues)
    for key, news in order.news.items():
        shipment = order.shipments.get(key)
        found.update(at for at in news.values() if shipment is None or at < shipment.at)
    found.update(at for at, *_ in order.troubles.values())
    found.update(lines[0][0] for lines in order.returns.values() if lines)
    found.update(refund.at for refund in order.refunds.values())
    found.update(posting.at for posting in order.postings.values() if posting.kind not in SETTLED)
    return found


def documents(order: Order) -> Iterable[Document]:
    """Every document there is of the order, the one in force last."""
    return [*order.superseded, document_of(order)] if order.document is not None else ()


def verdicts(order: Order) -> list[Verdict]:
    """Every word of the ERP, earliest first."""
    return sorted([*order.overruled, order.verdict]) if order.verdict is not None else []


def as_of(order: Order, at: datetime) -> Order:
    """What was known of the order at `at`, for reading: the order itself if nothing happened to it later.

    Its allocation is not taken back: only when it was first allocated is.
    """
    if order.last_at is None or order.last_at <= at:
        return order
    then: Order = msgspec.structs.replace(
        order,
        last_at=at,
        placed_at=_if_by(order.placed_at, at),
        changed_at=_if_by(order.changed_at, at),
        own=_by(order.own, at),
        shipments={key: shipment for key, shipment in order.shipments.items() if shipment.at <= at},
        news={key: known for key, times in order.news.items() if (known := _by(times, at))},
        troubles={key: trouble for key, trouble in order.troubles.items() if trouble[0] <= at},
        issues=[issue for issue in order.issues if issue.at <= at],
        returns={key: lines for key, lines in order.returns.items() if lines and lines[0][0] <= at},
        refunds={key: refund for key, refund in order.refunds.items() if refund.at <= at},
        postings={key: posting for key, posting in order.postings.items() if posting.at <= at},
    )
    if order.verdict is not None and (order.overruled or order.verdict[0] > at):
        then.verdict = max((verdict for verdict in verdicts(order) if verdict[0] <= at), default=None)
    if order.document is not None and (order.superseded or order.document[1] > at):
        _restate(then, [document for document in documents(order) if document.rank[1] <= at])
    if order.cancellations:
        _uncancel(then, at)
    return then


def _if_by(known: datetime | None, at: datetime) -> datetime | None:
    return known if known is not None and known <= at else None


def _by(times: dict[str, datetime], at: datetime) -> dict[str, datetime]:
    return {name: known for name, known in times.items() if known <= at}


def _restate(then: Order, known: list[Document]) -> None:
    """Put the highest of these documents in force, or none."""
    if known:
        put(then, max(known, key=lambda document: document.rank))
        return
    then.document = then.channel = then.currency = then.case = None
    then.promised_ship_at = then.promised_delivery_at = None
    then.lines = []


def _uncancel(then: Order, at: datetime) -> None:
    """Cancel what had been cancelled by `at`, and no more."""
    known = [cancelled for cancelled in then.cancellations if cancelled[0] <= at]
    then.cancelled = {}
    for _, _, lines in known:
        for line_id, units in (lines or {}).items():
            then.cancelled[line_id] = max(units, then.cancelled.get(line_id, -1))
    then.cancelled_last_at = max((when for when, *_ in known), default=None)
    then.cancelled_whole_at = min((when for when, _, lines in known if lines is None), default=None)
    then.cancellations = known
