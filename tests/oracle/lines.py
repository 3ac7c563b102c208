"""One order line: what left for it, what is still open, and what it claims from stock, part by part.

A plain line has one part, its own SKU, one unit each. A kit's line has its components as parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Leaving:
    """Units that left a location by the word of a shipment or a goods issue (negative: a reversal)."""

    time: datetime
    location: str
    sku: str
    quantity: int


@dataclass
class Line:
    """`ordered` and `cancelled` in units of the line; `stray`, with 0 ordered, if no document has it."""

    line_id: str
    sku: str
    ordered: int
    cancelled: int
    kit: bool
    parts: dict[str, int]
    stray: bool = False
    location: str | None = None
    shipments: list[Leaving] = field(default_factory=list)
    issues: list[Leaving] = field(default_factory=list)

    def names_part(self, sku: str) -> bool:
        """Whether units under this SKU are of one component; any other SKU stands for whole units."""
        return self.kit and sku != self.sku and sku in self.parts

    def units(self, leavings: Iterable[Leaving], part: str) -> dict[str, int]:
        """Units of the part that left, by location."""
        total: dict[str, int] = {}
        for leaving in leavings:
            whole = not self.names_part(leaving.sku)
            each = self.parts[part] if whole else int(leaving.sku == part)
            total[leaving.location] = total.get(leaving.location, 0) + each * leaving.quantity
        return total

    def whole(self, leavings: Iterable[Leaving]) -> int:
        """Units of the line that left: whole ones, and those that components named by themselves make up."""
        leavings = list(leavings)
        whole = sum(x.quantity for x in leavings if not self.names_part(x.sku))
        if not self.kit:
            return whole
        named = {
            part: sum(self.units(leavings, part).values()) - whole * units
            for part, units in self.parts.items()
        }
        return whole + min(named[part] // units for part, units in self.parts.items())

    def gone(self, part: str) -> dict[str, int]:
        """Units of the part physically gone, by location: the greater of shipped and issued there."""
        shipped, issued = self.units(self.shipments, part), self.units(self.issues, part)
        return {at: max(shipped.get(at, 0), issued.get(at, 0)) for at in shipped.keys() | issued.keys()}

    def open(self, part: str) -> int:
        """Units of the part promised and not gone (of an order that is not rejected)."""
        wanted = self.parts[part] * (self.ordered - self.cancelled)
        return max(0, wanted - sum(self.gone(part).values()))

    def open_lines(self) -> int:
        """Units of the line with anything open: a kit is open while one component is."""
        return max(-(-self.open(part) // units) for part, units in self.parts.items())

    def owed(self, part: str, location: str, counted_until: datetime | None = None) -> int:
        """Units of the part shipped from there and not issued.

        With `counted_until`, shipments up to then are in a count already and owe nothing; issues are set
        against shipments oldest first.
        """
        shipped = self.units(self.shipments, part).get(location, 0)
        issued = self.units(self.issues, part).get(location, 0)
        owed = max(0, shipped - issued)
        if counted_until is None:
            return owed
        early = [leaving for leaving in self.shipments if leaving.time <= counted_until]
        return owed - max(0, self.units(early, part).get(location, 0) - max(0, issued))

    def room_for(self, sku: str, location: str) -> int:
        """Units under this SKU that the line still waits to see issued; a stray: those shipped from there."""
        if self.stray:
            there = list(self.parts.items())
            shipped = {part: self.units(self.shipments, part).get(location, 0) for part, _ in there}
            issued = {part: self.units(self.issues, part).get(location, 0) for part, _ in there}
            return max(0, min((shipped[part] - issued[part]) // units for part, units in there))
        wanted = self.ordered - self.cancelled
        if self.names_part(sku):
            return max(0, self.parts[sku] * wanted - sum(self.units(self.issues, sku).values()))
        return max(0, wanted - self.whole(self.issues))
