"""What an order has been through, told as one record: milestones, state and lines (DESIGN sections 5 and 8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby

import msgspec
from msgspec import Struct

from canonical.lifecycle import STATES, imply
from canonical.messages import ClaimLine
from canonical.outputs import Lifecycle, LifecycleLine
from operators.exceptions.tracker import open_ids
from operators.kits import Kits
from operators.order import Issued, Order, Shipped
from operators.standing import LineStanding, PartStanding, claim_lines, standing

FIRST_OF_ITS_TYPE = ("posted", "returned", "refunded")
"""Milestones beside the chain whose own time is all there is to them."""


class Upshot(Struct, gc=False):
    """What an order's claim-bearing facts come to; good until one of them changes, so that others cost little.

    `left`: whether anything has physically gone. `claims`: SKU → what the order claims of it.
    """

    standing: list[LineStanding]
    lines: list[LifecycleLine]
    claims: dict[str, list[ClaimLine]]
    shipped_at: datetime | None
    cancelled_at: datetime | None
    left: bool
    rejected: bool


def upshot(order: Order, kits: Kits, timed: Collection[str]) -> Upshot:
    """Work out where the order stands; at locations in `timed` owed units are told per shipment."""
    so_far = outline(order, kits)
    so_far.lines = [_line(line) for line in so_far.standing]
    so_far.claims = claim_lines(order, so_far.standing, timed)
    return so_far


def outline(order: Order, kits: Kits) -> Upshot:
    """The upshot but for what it tells: no lines and no claims."""
    lines = standing(order, kits)
    left = _left(lines)
    shipped = shipped_at(order, lines, kits) if left and order.document is not None else None
    return Upshot(lines, [], {}, shipped, _cancelled_at(order, lines), left, order.rejected)


def story(order_id: str, order: Order, so_far: Upshot) -> Lifecycle:
    """The lifecycle record of an order; `version` = the distinct events it rests on."""
    milestones = milestones_of(order, so_far)
    state = _state(order, so_far, milestones)
    exceptions = open_ids(order.exceptions) if order.exceptions else []
    return Lifecycle(order_id, len(order.seen), order.channel, state, milestones, so_far.lines, exceptions)


def milestones_of(order: Order, so_far: Upshot) -> dict[str, datetime]:
    """Name → time of every milestone the order has reached or a later one implies."""
    own = order.own.copy()
    placed = order.placed_at or order.changed_at
    if placed is not None:
        own["placed"] = placed
    if so_far.shipped_at is not None:
        own["shipped"] = so_far.shipped_at
        delivered = _delivered_at(order) if order.news else None
        if delivered is not None:
            own["delivered"] = delivered
    milestones = imply(own)
    for name in FIRST_OF_ITS_TYPE:
        if name in own:
            milestones[name] = own[name]
    if so_far.cancelled_at is not None:
        milestones["cancelled"] = so_far.cancelled_at
    if order.verdict is not None and not order.verdict[2]:
        milestones["rejected"] = order.verdict[0]
    return milestones


def shipped_at(order: Order, lines: list[LineStanding], kits: Kits) -> datetime | None:
    """When the last shipment left that was needed so that nothing of a known order is open; None if it is not so.

    Shipments are counted in time order. Only where they never suffice, goods issues stand in for the ones missing.
    """
    if order.rejected:
        lines = standing(msgspec.structs.replace(order, verdict=None), kits)
    sums = []
    for line in lines:
        for part in line.parts:
            if part.open:
                return None
            sums.append((sum(part.shipped.values()), part.ordered - part.cancelled))
    if order.shipments and all(shipped == needed for shipped, needed in sums):
        # Each part is done with the last of its shipments, so the order is with the last of all.
        return max(shipment.at for shipment in order.shipments.values())
    by_time = sorted(order.shipments.items(), key=lambda item: (item[1].at, item[1].rank))
    if by_time and all(shipped >= needed for shipped, needed in sums):
        return _first(order, kits, [(s.at, key, s) for key, s in by_time])
    steps: list[tuple[datetime, str, Shipped | Issued]] = [(s.at, key, s) for key, s in by_time]
    steps += [(issue.at, "", issue) for issue in order.issues]
    return _first(order, kits, sorted(steps, key=lambda step: step[0]))


def _first(
    order: Order, kits: Kits, steps: Iterable[tuple[datetime, str, Shipped | Issued]]
) -> datetime | None:
    """The first time by which something is gone and nothing ordered is open; `steps` in time order."""
    so_far: Order = msgspec.structs.replace(order, shipments={}, issues=[], verdict=None)
    at: datetime
    for at, together in groupby(steps, key=lambda step: step[0]):
        for _, key, step in together:
            if isinstance(step, Shipped):
                so_far.shipments[key] = step
            else:
                so_far.issues.append(step)
        lines = standing(so_far, kits)
        if _left(lines) and not any(part.open for line in lines for part in line.parts):
            return at
    return None


def _delivered_at(order: Order) -> datetime | None:
    """When the last of all the order's shipments arrived; None while one is on its way."""
    times = []
    for shipment_id in order.shipments.keys() | order.news.keys():
        at = order.news.get(shipment_id, {}).get("delivered")
        if at is None:
            return None
        times.append(at)
    return max(times, default=None)


def _cancelled_at(order: Order, lines: list[LineStanding]) -> datetime | None:
    if order.cancelled_whole_at is not None:
        return order.cancelled_whole_at
    if order.cancelled_last_at is None or order.document is None:
        return None
    known = [line for line in lines if not line.stray]
    if all(part.cancelled >= part.ordered for line in known for part in line.parts):
        return order.cancelled_last_at
    return None


def _state(order: Order, so_far: Upshot, milestones: dict[str, datetime]) -> str:
    if so_far.rejected:
        return "rejected"
    if so_far.cancelled_at is not None and order.document is not None and not so_far.left:
        return "cancelled"
    return next((name for name in STATES if name in milestones), "unknown")


def _left(lines: list[LineStanding]) -> bool:
    """Whether anything of the order has physically gone."""
    for line in lines:
        for part in line.parts:
            if part.shipped or any(units > 0 for units in part.issued.values()):
                return True
    return False


def _line(line: LineStanding) -> LifecycleLine:
    """The line in its own units; a kit is shipped as far as its scarcest component, open as far as its last."""
    first = line.parts[0]
    if first.per == 1 and len(line.parts) == 1:
        shipped, issued = sum(first.shipped.values()), sum(first.issued.values())
        cancelled = min(first.ordered, first.cancelled)
        return LifecycleLine(line.line_id, line.sku, first.ordered, cancelled, shipped, issued, first.open)
    ordered = first.ordered // first.per
    return LifecycleLine(
        line.line_id,
        line.sku,
        ordered,
        min(ordered, first.cancelled // first.per),
        min(_whole(part.shipped, part) for part in line.parts),
        min(_whole(part.issued, part) for part in line.parts),
        max(-(-part.open // part.per) for part in line.parts),
    )


def _whole(units: dict[str, int], part: PartStanding) -> int:
    return sum(units.values()) // part.per
