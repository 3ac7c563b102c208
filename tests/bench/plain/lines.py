"""What one order's lines have come to, what they claim from stock, and the record told of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel

Kits = dict[str, dict[str, int]]
"""Kit → component → units per kit; a dimension table, read before the first event."""


class LineRecord(BaseModel):
    line_id: str
    sku: str
    ordered: int
    cancelled: int
    shipped: int
    issued: int
    open: int


class LifecycleRecord(BaseModel):
    order_id: str
    version: int
    channel: str | None
    state: str
    milestones: dict[str, datetime]
    lines: list[LineRecord]


@dataclass(slots=True)
class Part:
    """One component of a line, of which `per` make a unit of it; a plain line is its own only component."""

    sku: str
    per: int
    ordered: int
    cancelled: int
    shipped: dict[str, int] = field(default_factory=dict)
    issued: dict[str, int] = field(default_factory=dict)

    def gone(self, location: str) -> int:
        return max(self.shipped.get(location, 0), self.issued.get(location, 0))

    @property
    def open(self) -> int:
        gone = sum(self.gone(location) for location in self.shipped.keys() | self.issued.keys())
        return max(0, self.ordered - self.cancelled - gone)


@dataclass(slots=True)
class Line:
    line_id: str
    sku: str
    location: str | None
    parts: list[Part]

    def count(self, counted: str, sku: str, location: str, units: int) -> None:
        """Units of a component count for it, any other SKU named counts as whole lines."""
        named = [part for part in self.parts if part.sku == sku and sku != self.sku]
        for part in named or self.parts:
            sums: dict[str, int] = getattr(part, counted)
            sums[location] = sums.get(location, 0) + (units if named else units * part.per)

    def waits_for(self, sku: str) -> int | None:
        """Units named `sku` the line still has to see issued; None if it has nothing to do with it."""
        for part in self.parts:
            if sku in {part.sku, self.sku}:
                per = part.per if self.sku == sku else 1
                return max(0, part.ordered - part.cancelled - sum(part.issued.values())) // per
        return None

    def record(self) -> LineRecord:
        return LineRecord(
            line_id=self.line_id,
            sku=self.sku,
            ordered=self.parts[0].ordered // self.parts[0].per,
            cancelled=min(min(part.cancelled, part.ordered) // part.per for part in self.parts),
            shipped=min(sum(part.shipped.values()) // part.per for part in self.parts),
            issued=min(sum(part.issued.values()) // part.per for part in self.parts),
            open=max(-(-part.open // part.per) for part in self.parts),
        )


@dataclass(slots=True)
class Claim:
    """All an order claims of one SKU. `moves` are the goods issues that came with it: (location, status, units, at)."""

    order_id: str
    sku: str
    committed: dict[str, int] = field(default_factory=dict)
    unallocated: int = 0
    owed: dict[str, int] = field(default_factory=dict)
    moves: list[tuple[str, str, int, datetime, str, int | None]] = field(default_factory=list)


def line_of(
    line_id: str, sku: str, location: str | None, kits: Kits, ordered: int = 0, cancelled: int = 0
) -> Line:
    parts = kits.get(sku, {sku: 1}).items()
    return Line(
        line_id, sku, location, [Part(part, per, ordered * per, cancelled * per) for part, per in parts]
    )
