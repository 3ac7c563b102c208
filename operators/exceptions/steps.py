"""What an order claimed instant by instant, where one batch brought more than its latest word.

Between shards travel whole present claims. A batch that brings an order's placing and its allocation, or news that is
older than what is known, would hide what was claimed in between: then the claim tells its steps, from the first instant
on that is news. Mostly one fact is news and the latest one too; then there is nothing to work out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from canonical import events as e
from canonical.envelope import Event
from canonical.messages import ClaimLine, Move, Step
from operators import hindsight
from operators.joins import put
from operators.kits import Kits
from operators.order import Issued, Order
from operators.standing import claim_lines, standing


class Claimed(NamedTuple):
    """What an order claimed from an instant on, and by which event: SKU → lines."""

    at: datetime
    rank: str
    channel: str | None
    placed_at: datetime | None
    lines: dict[str, list[ClaimLine]]
    issues: list[Issued]


def stand(order: Order, event: Event, rank: str, since: dict[str, datetime], key: str) -> None:
    """Remember what changed the order's standing last, and in `since` the first change the batch brought."""
    at = event.time
    if type(event) is e.OrderAccepted and not order.overruled:
        return  # mostly, and cheaply
    if type(event) is e.OrderAccepted and not any(rank == flip for _, flip in _flips(order)):
        return
    if type(event) is e.ShipmentShipped and order.shipments[event.data.shipment_id].rank != rank:
        return  # the same shipment, told before it
    if order.stood_at is None or (at, rank) > (order.stood_at, order.stood_by):
        order.stood_at, order.stood_by = at, rank
    if order.overruled or (type(event) is e.ShipmentShipped and at == order.stood_at):
        order.stood_at, order.stood_by = max(_changes(order).items())
    first = since.get(key)
    if first is None or at < first:
        since[key] = at


def steps(
    order: Order,
    since: datetime | None,
    now: dict[str, list[ClaimLine]],
    kits: Kits,
    timed: Collection[str],
) -> list[Claimed] | None:
    """Every instant from `since` on, in order, at which what the order claims may have changed; `now`: the present.

    None if nothing changed, [] if nothing but the present did.
    """
    if since is None or order.stood_at is None or since >= order.stood_at:
        return None if since is None else []
    told: list[Claimed] = []
    for at, rank in sorted(_changes(order).items()):
        if at >= since:
            if at == order.stood_at:
                then, lines = order, now
            else:
                then = _as_of(order, at)
                plain = _only_ordered(then, kits)
                lines = claim_lines(then, standing(then, kits), timed) if plain is None else plain
            issues = [issue for issue in then.issues if issue.at == at]
            told.append(Claimed(at, rank, then.channel, first_stated(then), lines, issues))
    return told


def told_to(sku: str, claimed: list[Claimed], moves: list[Move]) -> list[Step]:
    """The steps as one SKU is told of them: those that change nothing for it are left out."""
    told: list[Step] = []
    for step in claimed:
        lines = step.lines.get(sku, [])
        mine = [move for move in moves if move.at == step.at] if step.issues else []
        if not told or mine or lines != told[-1].lines:
            told.append(Step(step.at, step.rank, step.channel, step.placed_at, lines, mine))
    return told


def first_stated(order: Order) -> datetime | None:
    """When the order was first stated."""
    if order.placed_at is None or order.changed_at is None:
        return order.placed_at or order.changed_at
    return min(order.placed_at, order.changed_at)


def _as_of(order: Order, at: datetime) -> Order:
    """What the order claims by, as it was at that instant: its documents, allocation, verdict, and what had left."""
    then = Order(
        shipments={key: shipment for key, shipment in order.shipments.items() if shipment.at <= at},
        issues=[issue for issue in order.issues if issue.at <= at],
    )
    if order.placed_at is not None and order.placed_at <= at:
        then.placed_at = order.placed_at
    if order.changed_at is not None and order.changed_at <= at:
        then.changed_at = order.changed_at
    documents = [document for document in hindsight.documents(order) if document.rank[1] <= at]
    if documents:
        put(then, max(documents, key=lambda document: document.rank))
    if order.verdict is not None:
        then.verdict = max((v for v in hindsight.verdicts(order) if v[0] <= at), default=None)
    if order.allocation is not None:
        known = [*order.reallocated, (order.allocation, order.allocated)]
        then.allocation, then.allocated = max((x for x in known if x[0][1] <= at), default=(None, []))
    for when, _, lines in order.cancellations:
        if when <= at:
            _cancel(then, when, lines)
    return then


def _only_ordered(then: Order, kits: Kits) -> dict[str, list[ClaimLine]] | None:
    """What an order claims that nothing has happened to but its being placed; None if more has, or it has kits."""
    if then.shipments or then.issues or then.allocation or then.cancelled or then.cancelled_whole_at:
        return None
    if then.rejected or any(kits.parts(sku) is not None for _, sku, *_ in then.lines):
        return None
    claims: dict[str, list[ClaimLine]] = {}
    for line_id, sku, units, _, location in then.lines:
        line = (
            ClaimLine(line_id, [(location, units)], 0, []) if location else ClaimLine(line_id, [], units, [])
        )
        claims.setdefault(sku, []).append(line)
    return claims


def _cancel(then: Order, at: datetime, lines: dict[str, int] | None) -> None:
    if lines is None:
        then.cancelled_whole_at = at
    for line_id, units in (lines or {}).items():
        then.cancelled[line_id] = max(units, then.cancelled.get(line_id, -1))


def _flips(order: Order) -> list[tuple[datetime, str]]:
    """The words of the ERP that changed whether the order commits: a refusal, or an acceptance after one."""
    if not order.overruled and not order.rejected:
        return []
    flips, accepted = [], True
    for at, rank, accepts, _ in hindsight.verdicts(order):
        if accepts != accepted:
            flips.append((at, rank))
            accepted = accepts
    return flips


def _changes(order: Order) -> dict[datetime, str]:
    """Instant → the greatest rank of the facts of that instant that bear on what the order claims."""
    facts = [(document.rank[1], document.rank[2]) for document in hindsight.documents(order)]
    facts += [(at, "") for at in (order.placed_at, order.changed_at) if at is not None]
    facts += [(rank[1], rank[2]) for rank, _ in order.reallocated]
    if order.allocation is not None:
        facts.append(order.allocation[1:])
    facts += _flips(order)
    facts += [(at, rank) for at, rank, _ in order.cancellations]
    facts += [(shipment.at, shipment.rank) for shipment in order.shipments.values()]
    facts += [(issue.at, f"{issue.source}\x00{issue.id}") for issue in order.issues]
    greatest: dict[datetime, str] = {}
    for at, rank in facts:
        if rank >= greatest.get(at, ""):
            greatest[at] = rank
    return greatest
