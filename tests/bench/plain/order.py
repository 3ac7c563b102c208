"""One order as plain state: an event goes in, its lifecycle and its claims come out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from canonical.lifecycle import STATES, imply
from tests.bench.plain.events import (
    AllocatedEvent,
    AllocatedLine,
    CancelledEvent,
    DocumentEvent,
    MovedEvent,
    NewsEvent,
    NoteEvent,
    OrderDocument,
    OrderEvent,
    PostedEvent,
    Shipment,
    ShippedEvent,
)
from tests.bench.plain.lines import Claim, Kits, LifecycleRecord, Line, LineRecord, line_of

STEPS = {"order.accepted": "accepted", "order.released": "released", "order.picked": "picked",
         "order.packed": "packed", "return.received": "returned", "refund.issued": "refunded"}  # fmt: skip


@dataclass(slots=True)
class OrderState:
    order_id: str
    seen: set[tuple[str, str]] = field(default_factory=set)
    document: OrderDocument | None = None
    allocation: tuple[int, datetime, list[AllocatedLine]] | None = None
    cancelled: dict[str, int] = field(default_factory=dict)
    cancelled_at: datetime | None = None
    whole: bool = False
    verdict: tuple[datetime, bool] | None = None
    times: dict[str, datetime] = field(default_factory=dict)
    shipments: dict[str, tuple[datetime, Shipment]] = field(default_factory=dict)
    delivered: dict[str, datetime] = field(default_factory=dict)
    issues: list[tuple[str, str | None, str, int]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def apply(self, event: OrderEvent | MovedEvent, kits: Kits) -> tuple[LifecycleRecord | None, list[Claim]]:
        """The record after this event, and the claims where it may have changed one; None for a repeat."""
        if (event.source, event.id) in self.seen:
            return None, []
        self.seen.add((event.source, event.id))
        if not self._join(event):
            return self._record(), []
        self.lines = self._standing(kits)
        claims = self._claims()
        if isinstance(event, MovedEvent):
            self._move(event, kits, claims)
        return self._record(), list(claims.values())

    def _join(self, event: OrderEvent | MovedEvent) -> bool:
        """Take the event in; whether it may change what the order claims."""
        if isinstance(event, DocumentEvent):
            self._first("placed", event.time)
            if self.document is None or event.data.version >= self.document.version:
                self.document = event.data
        elif isinstance(event, CancelledEvent):
            self.cancelled_at = event.time
            self.whole = self.whole or not event.data.lines
            for line in event.data.lines or []:
                self.cancelled[line.line_id] = max(line.quantity, self.cancelled.get(line.line_id, 0))
        elif isinstance(event, AllocatedEvent):
            self._first("allocated", event.time)
            mine = (event.data.version, event.time, event.data.lines)
            if self.allocation is None or mine[:2] > self.allocation[:2]:
                self.allocation = mine
        elif isinstance(event, ShippedEvent):
            self.shipments.setdefault(event.data.shipment_id, (event.time, event.data))
        elif isinstance(event, MovedEvent):
            move = event.data
            self.issues.append((move.sku, move.line_id, move.location, -move.quantity))
        else:
            return self._note(event)
        return True

    def _note(self, event: NewsEvent | PostedEvent | NoteEvent) -> bool:
        if isinstance(event, NewsEvent):
            if event.type == "shipment.delivered":
                self.delivered[event.data.shipment_id] = event.time
        elif isinstance(event, PostedEvent):
            if event.data.kind == "invoice":
                self._first("posted", event.time)
        elif event.type in STEPS:
            self._first(STEPS[event.type], event.time)
        if event.type in {"order.accepted", "order.rejected"}:
            if self.verdict is None or event.time > self.verdict[0]:
                self.verdict = (event.time, event.type == "order.accepted")
            return True
        return False

    def _first(self, milestone: str, at: datetime) -> None:
        self.times[milestone] = min(at, self.times.get(milestone, at))

    @property
    def rejected(self) -> bool:
        return self.verdict is not None and not self.verdict[1]

    def _standing(self, kits: Kits) -> list[Line]:
        """Every line of the document with what was shipped and issued for it, and lines only a shipment names."""
        lines: dict[str, Line] = {}
        for stated in self.document.lines if self.document is not None else []:
            cancelled = stated.quantity if self.whole else self.cancelled.get(stated.line_id, 0)
            lines[stated.line_id] = line_of(
                stated.line_id, stated.sku, stated.location, kits, stated.quantity, cancelled
            )
        for _, shipment in self.shipments.values():
            for item in shipment.lines:
                if item.line_id not in lines:
                    lines[item.line_id] = line_of(item.line_id, item.sku, None, kits)
                lines[item.line_id].count("shipped", item.sku, shipment.location, item.quantity)
        for sku, line_id, location, units in self.issues:
            self._issue(lines, sku, line_id, location, units, kits)
        return list(lines.values())

    def _issue(
        self, lines: dict[str, Line], sku: str, line_id: str | None, location: str, units: int, kits: Kits
    ) -> None:
        """An issue without a line is set against the order's lines of its SKU, in line order."""
        if line_id is not None:
            line = lines.get(line_id) or lines.setdefault(line_id, line_of(line_id, sku, None, kits))
            line.count("issued", sku, location, units)
            return
        takers = [line for line in lines.values() if line.waits_for(sku) is not None]
        for line in takers or [lines.setdefault("", line_of("", sku, None, kits))]:
            taken = units if not takers or line is takers[-1] else min(units, line.waits_for(sku) or 0)
            if taken:
                line.count("issued", sku, location, taken)
            units -= taken

    def _claims(self) -> dict[str, Claim]:
        claims: dict[str, Claim] = {}
        for line in self.lines:
            seats = self._seats(line)
            for part in line.parts:
                claim = claims.setdefault(part.sku, Claim(self.order_id, part.sku))
                left = 0 if self.rejected else part.open
                for location, quantity in seats.items():
                    taken = min(left, max(0, quantity * part.per - part.gone(location)))
                    if taken:
                        claim.committed[location] = claim.committed.get(location, 0) + taken
                        left -= taken
                claim.unallocated += left
                for location, units in part.shipped.items():
                    owed = units - part.issued.get(location, 0)
                    if owed > 0:
                        claim.owed[location] = claim.owed.get(location, 0) + owed
        return claims

    def _seats(self, line: Line) -> dict[str, int]:
        seats: dict[str, int] = {}
        if self.allocation is not None:
            for given in self.allocation[2]:
                if given.line_id == line.line_id:
                    seats[given.location] = seats.get(given.location, 0) + given.quantity
        elif line.location is not None:
            seats[line.location] = line.parts[0].ordered // line.parts[0].per
        return seats

    def _move(self, event: MovedEvent, kits: Kits, claims: dict[str, Claim]) -> None:
        """The goods issue goes to its SKU's book together with the new claim; a kit's to its components'."""
        move = event.data
        for sku, per in kits.get(move.sku, {move.sku: 1}).items():
            claim = claims.setdefault(sku, Claim(self.order_id, sku))
            claim.moves.append(
                (move.location, move.status, move.quantity * per, event.time, event.source, event.sequence)
            )

    def _record(self) -> LifecycleRecord:
        lines = [line.record() for line in self.lines]
        if self.rejected:
            lines = [line.model_copy(update={"open": 0}) for line in lines]
        times = dict(self.times)
        gone = any(line.shipped or line.issued for line in lines)
        if gone and self.document is not None and not any(line.open for line in lines):
            times["shipped"] = self._shipped_at(lines)
            if self.shipments.keys() <= self.delivered.keys() and self.shipments:
                times["delivered"] = max(self.delivered.values())
        milestones = imply(times) | {
            name: times[name] for name in ("posted", "returned", "refunded") if name in times
        }
        return LifecycleRecord(
            order_id=self.order_id,
            version=len(self.seen),
            channel=self.document.channel if self.document is not None else None,
            state=self._state(lines, milestones, gone=gone),
            milestones=milestones,
            lines=lines,
        )

    def _shipped_at(self, lines: list[LineRecord]) -> datetime:
        """The time of the last shipment that was needed."""
        needed = {line.line_id: line.ordered - line.cancelled for line in lines}
        last = self.times["placed"]
        for at, shipment in sorted(self.shipments.values(), key=lambda each: each[0]):
            if any(units > 0 for units in needed.values()):
                last = at
            for item in shipment.lines:
                needed[item.line_id] = needed.get(item.line_id, 0) - item.quantity
        return last

    def _state(self, lines: list[LineRecord], milestones: dict[str, datetime], *, gone: bool) -> str:
        if self.rejected:
            return "rejected"
        none_left = self.document is not None and all(line.cancelled >= line.ordered for line in lines)
        if self.cancelled_at is not None and none_left and not gone:
            return "cancelled"
        return next((name for name in STATES if name in milestones), "unknown")
