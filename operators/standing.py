"""What an order stands at: per line and component what is gone, open and owed (DESIGN section 4).

gone = Σ over locations max(shipped, issued)
open = max(0, ordered − cancelled − gone)
owed(l) = max(0, shipped − issued)
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec import Struct

from canonical.messages import ClaimLine, Owed
from operators.kits import Kits
from operators.order import Order


class PartStanding(Struct, gc=False):
    """One SKU of one order line, in units of that SKU (`per` of them make one unit of the line)."""

    sku: str
    per: int
    ordered: int
    cancelled: int
    shipped: dict[str, int]
    issued: dict[str, int]
    open: int = 0

    def gone_from(self, location: str) -> int:
        return max(self.shipped.get(location, 0), self.issued.get(location, 0))

    def close(self, *, rejected: bool) -> None:
        gone = 0
        for location, units in self.shipped.items():
            issued = self.issued.get(location, 0)
            gone += units if units > issued else issued
        for location, units in self.issued.items():
            if location not in self.shipped and units > 0:
                gone += units
        self.open = 0 if rejected else max(0, self.ordered - self.cancelled - gone)


class LineStanding(Struct, gc=False):
    """One order line. `location` is where it was placed, None for a line no document has (a stray)."""

    line_id: str
    sku: str
    location: str | None
    stray: bool
    parts: list[PartStanding]


def standing(order: Order, kits: Kits) -> list[LineStanding]:
    """All lines of the order, the document's first, then strays by (line_id, sku)."""
    lines = [
        _line(order, kits, line_id, sku, ordered, location)
        for line_id, sku, ordered, _, location in order.lines
    ]
    if order.shipments or order.issues:
        lines += _set_against(order, kits, lines)
    rejected = order.rejected
    for line in lines:
        for part in line.parts:
            part.close(rejected=rejected)
    return lines


def _set_against(order: Order, kits: Kits, lines: list[LineStanding]) -> list[LineStanding]:
    """Count what was shipped and issued for each line; returns the strays: lines no document has."""
    by_id = {line.line_id: line for line in reversed(lines)}
    strays: dict[tuple[str, str], LineStanding] = {}

    def stray(line_id: str, sku: str) -> LineStanding:
        line = strays.get((line_id, sku))
        if line is None:
            line = strays[line_id, sku] = _line(order, kits, line_id, sku, 0, None, stray=True)
        return line

    for shipment in order.shipments.values():
        for line_id, sku, units in shipment.lines:
            _count(by_id.get(line_id) or stray(line_id, sku), "shipped", shipment.location, sku, units)
    loose: dict[tuple[str, str], int] = {}
    for issue in order.issues:
        if issue.line_id is not None:
            line = by_id.get(issue.line_id) or stray(issue.line_id, issue.sku)
            _count(line, "issued", issue.location, issue.sku, issue.units)
        else:
            loose[issue.sku, issue.location] = loose.get((issue.sku, issue.location), 0) + issue.units
    for (sku, location), units in sorted(loose.items()):
        if not _spread(lines, sku, location, units):
            waiting = [strays[key] for key in sorted(strays) if key[1] == sku] or [stray("", sku)]
            _spread(waiting, sku, location, units)
    return [strays[key] for key in sorted(strays)]


def _line(
    order: Order,
    kits: Kits,
    line_id: str,
    sku: str,
    ordered: int,
    location: str | None,
    *,
    stray: bool = False,
) -> LineStanding:
    whole = order.cancelled_whole_at is not None
    cancelled = ordered if whole else order.cancelled.get(line_id, 0)
    parts = kits.parts(sku)
    if parts is None:
        own = [PartStanding(sku, 1, ordered, cancelled, {}, {})]
    else:
        own = [PartStanding(c, per, ordered * per, cancelled * per, {}, {}) for c, per in parts.items()]
    return LineStanding(line_id, sku, location, stray, own)


def _count(line: LineStanding, what: str, location: str, sku: str, units: int) -> None:
    """Set units against a line: those of a component count for it, any other SKU named counts as whole lines."""
    named = [part for part in line.parts if part.sku == sku] if line.sku != sku else None
    for part in named or line.parts:
        counted = part.shipped if what == "shipped" else part.issued
        counted[location] = counted.get(location, 0) + (units if named else units * part.per)


def _spread(lines: list[LineStanding], sku: str, location: str, units: int) -> bool:
    """Set an issue that names no line against the lines of its SKU, in line order; False if none has it."""
    takers = [line for line in lines if line.sku == sku or any(part.sku == sku for part in line.parts)]
    for line in takers:
        rest = line is takers[-1] or units <= 0
        taken = units if rest else min(units, _room(line, sku, location))
        if taken:
            _count(line, "issued", location, sku, taken)
        units -= taken
        if not units:
            break
    return bool(takers)


def _room(line: LineStanding, sku: str, location: str) -> int:
    """Units named `sku` that the line still waits to see issued: of a component, or of the line as a whole.

    A stray line waits for what was shipped for it from that location.
    """
    if line.stray:
        waiting = [
            (part.shipped.get(location, 0) - part.issued.get(location, 0)) // part.per for part in line.parts
        ]
        return max(0, min(waiting))
    if line.sku != sku:
        part = next(part for part in line.parts if part.sku == sku)
        return max(0, part.ordered - part.cancelled - sum(part.issued.values()))
    first = line.parts[0]
    issued = min(sum(part.issued.values()) // part.per for part in line.parts)
    return max(0, (first.ordered - first.cancelled) // first.per - issued)


def claim_lines(
    order: Order, lines: list[LineStanding], timed: Collection[str]
) -> dict[str, list[ClaimLine]]:
    """SKU → its claim lines that claim anything. At locations in `timed` owed units are told per shipment."""
    claims: dict[str, list[ClaimLine]] = {}
    for line in lines:
        seats = _seats(order, line)
        for part in line.parts:
            committed, left = [], part.open
            for location, quantity in seats:
                if not left:
                    break
                taken = min(left, quantity * part.per - part.gone_from(location))
                if taken > 0:
                    committed.append((location, taken))
                    left -= taken
            owed = _owed(order, line, part, timed)
            if part.open or owed:
                claims.setdefault(part.sku, []).append(ClaimLine(line.line_id, committed, left, owed))
    return claims


def _seats(order: Order, line: LineStanding) -> list[tuple[str, int]]:
    """Where the line's units are allocated, in the allocation's own order, in units of the line."""
    if order.allocation is None:
        if line.location is None:
            return []
        return [(line.location, line.parts[0].ordered // line.parts[0].per)]
    seats: dict[str, int] = {}
    for line_id, location, quantity in order.allocated:
        if line_id == line.line_id:
            seats[location] = seats.get(location, 0) + quantity
    return list(seats.items())


def _owed(order: Order, line: LineStanding, part: PartStanding, timed: Collection[str]) -> list[Owed]:
    owed = []
    for location in part.shipped if part.shipped.keys() >= part.issued.keys() else part.shipped | part.issued:
        units = part.shipped.get(location, 0) - part.issued.get(location, 0)
        if units > 0:
            if location in timed:
                owed += _per_shipment(order, line, part, location, units)
            else:
                owed.append(Owed(location, units))
    return owed


def _per_shipment(
    order: Order, line: LineStanding, part: PartStanding, location: str, units: int
) -> list[Owed]:
    """The youngest `units` shipped from a location that sends no movements, each with its shipment's time."""
    sent: list[tuple[datetime, int]] = []
    for shipment in order.shipments.values():
        if shipment.location == location:
            for line_id, sku, quantity in shipment.lines:
                if line_id == line.line_id and (not line.stray or sku == line.sku):
                    named = sku != line.sku and any(p.sku == sku for p in line.parts)
                    if not named or sku == part.sku:
                        sent.append((shipment.at, quantity if named else quantity * part.per))
    owed = []
    for at, quantity in sorted(sent, reverse=True):
        taken = min(units, quantity)
        if taken:
            owed.append(Owed(location, taken, at))
            units -= taken
    if units:
        owed.append(Owed(location, units))
    return owed
