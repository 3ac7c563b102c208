"""What an order claimed instant by instant, where one batch brought more than its latest word.

Between shards travel whole present claims. A batch that brings an order's placing and its allocation, or news that is
older than what is known, would hide what was claimed in between: then the claim tells its steps, from the first instant
on that is news. Mostly one fact is news and the latest one too; then there is nothing to work out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec

from canonical import events as e
from canonical.envelope import Event
from canonical.messages import ClaimLine, Step
from operators import hindsight
from operators.kits import Kits
from operators.order import Order
from operators.standing import claim_lines, standing


class Claimed(NamedTuple):
    """What an order claimed from an instant on, and by which event: SKU → lines."""

    at: datetime
    rank: str
    channel: str | None
    placed_at: datetime | None
    lines: dict[str, list[ClaimLine]]

    def of(self, sku: str) -> Step:
        """The step as one SKU is told of it."""
        return Step(self.at, self.rank, self.channel, self.placed_at, self.lines.get(sku, []))


def stand(order: Order, event: Event, since: dict[str, datetime], key: str) -> None:
    """Remember when the order's standing last changed, and in `since` the first change the batch brought."""
    at = event.time
    if type(event) is e.OrderAccepted and not order.overruled:
        return
    if order.stood_at is None or at > order.stood_at:
        order.stood_at = at
    if order.overruled and order.verdict is not None and order.verdict[0] > order.stood_at:
        order.stood_at = order.verdict[0]
    first = since.get(key)
    if first is None or at < first:
        since[key] = at


def steps(order: Order, since: datetime, kits: Kits, timed: Collection[str]) -> list[Claimed]:
    """Every instant from `since` on, in order, at which what the order claims may have changed."""
    told: list[Claimed] = []
    for at, rank in sorted(_changes(order).items()):
        if at >= since:
            then = _as_of(order, at)
            lines = claim_lines(then, standing(then, kits), timed)
            told.append(Claimed(at, rank, then.channel, first_stated(then), lines))
    return told


def first_stated(order: Order) -> datetime | None:
    """When the order was first stated."""
    if order.placed_at is None or order.changed_at is None:
        return order.placed_at or order.changed_at
    return min(order.placed_at, order.changed_at)


def _as_of(order: Order, at: datetime) -> Order:
    """The order at that instant, also as it was allocated then."""
    then = hindsight.as_of(order, at)
    if order.allocation is None or (order.allocation[1] <= at and not order.reallocated):
        return then
    if then is order:
        then = msgspec.structs.replace(order)
    known = [
        known for known in (*order.reallocated, (order.allocation, order.allocated)) if known[0][1] <= at
    ]
    then.allocation, then.allocated = max(known) if known else (None, [])
    return then


def _changes(order: Order) -> dict[datetime, str]:
    """Instant → the greatest rank of the facts of that instant that bear on what the order claims."""
    facts = [(document.rank[1], document.rank[2]) for document in hindsight.documents(order)]
    facts += [(at, "") for at in (order.placed_at, order.changed_at) if at is not None]
    facts += [(rank[1], rank[2]) for rank, _ in order.reallocated]
    if order.allocation is not None:
        facts.append(order.allocation[1:])
    if order.overruled or order.rejected:
        facts += [(at, rank) for at, rank, *_ in hindsight.verdicts(order)]
    facts += [(at, rank) for at, rank, _ in order.cancellations]
    facts += [(shipment.at, shipment.rank) for shipment in order.shipments.values()]
    facts += [(issue.at, f"{issue.source}\x00{issue.id}") for issue in order.issues]
    greatest: dict[datetime, str] = {}
    for at, rank in facts:
        if rank >= greatest.get(at, ""):
            greatest[at] = rank
    return greatest
