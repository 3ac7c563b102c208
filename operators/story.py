"""What an order has been through, told as one record: milestones, state and lines (DESIGN sections 5 and 8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from canonical.lifecycle import STATES, imply
from canonical.outputs import Lifecycle, LifecycleLine
from operators.kits import Kits
from operators.order import Issued, Order, Shipped
from operators.standing import LineStanding, PartStanding, standing


def story(order_id: str, order: Order, lines: list[LineStanding], kits: Kits) -> Lifecycle:
    """The lifecycle record of an order; `version` = the distinct events it rests on."""
    milestones = milestones_of(order, lines, kits)
    return Lifecycle(
        order_id,
        len(order.seen),
        order.channel,
        _state(order, lines, milestones),
        milestones,
        [_line(line) for line in lines],
        [],
    )


def milestones_of(order: Order, lines: list[LineStanding], kits: Kits) -> dict[str, datetime]:
    """Name → time of every milestone the order has reached or a later one implies."""
    own = dict(order.own)
    placed = order.placed_at or order.changed_at
    if placed is not None:
        own["placed"] = placed
    shipped = shipped_at(order, lines, kits)
    if shipped is not None:
        own["shipped"] = shipped
        delivered = _delivered_at(order)
        if delivered is not None:
            own["delivered"] = delivered
    milestones = imply(own)
    for name in ("posted", "returned", "refunded"):
        if name in own:
            milestones[name] = own[name]
    cancelled = _cancelled_at(order, lines)
    if cancelled is not None:
        milestones["cancelled"] = cancelled
    if order.verdict is not None and not order.verdict[2]:
        milestones["rejected"] = order.verdict[0]
    return milestones


def shipped_at(order: Order, lines: list[LineStanding], kits: Kits) -> datetime | None:
    """When the last shipment left that was needed so that nothing of a known order is open; None if it is not so.

    Shipments are counted in time order. Only where they never suffice, goods issues stand in for the ones missing.
    """
    if order.document is None or not (order.shipments or order.issues):
        return None
    parts = [part for line in lines for part in line.parts]
    if any(part.open for part in parts) or not _left(lines):
        return None
    by_time = sorted(order.shipments.items(), key=lambda item: (item[1].at, item[1].rank))
    if by_time and all(sum(part.shipped.values()) >= part.ordered - part.cancelled for part in parts):
        if len(by_time) == 1:
            return by_time[0][1].at
        return _first(order, kits, [(s.at, key, s) for key, s in by_time])
    steps: list[tuple[datetime, str, Shipped | Issued]] = [(s.at, key, s) for key, s in by_time]
    steps += [(issue.at, "", issue) for issue in order.issues]
    return _first(order, kits, sorted(steps, key=lambda step: step[0]))


def _first(
    order: Order, kits: Kits, steps: Iterable[tuple[datetime, str, Shipped | Issued]]
) -> datetime | None:
    """The time of the first step after which something is gone and nothing ordered is open."""
    so_far = msgspec.structs.replace(order, shipments={}, issues=[], verdict=None)
    for at, key, step in steps:
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


def _state(order: Order, lines: list[LineStanding], milestones: dict[str, datetime]) -> str:
    if order.rejected:
        return "rejected"
    if "cancelled" in milestones and order.document is not None and not _left(lines):
        return "cancelled"
    return next((name for name in STATES if name in milestones), "unknown")


def _left(lines: list[LineStanding]) -> bool:
    """Whether anything of the order has physically gone."""
    parts = [part for line in lines for part in line.parts]
    return any(units > 0 for part in parts for units in (*part.shipped.values(), *part.issued.values()))


def _line(line: LineStanding) -> LifecycleLine:
    """The line in its own units; a kit is shipped as far as its scarcest component, open as far as its last."""
    first = line.parts[0]
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
