"""One SKU as plain state: an event or a claim goes in, its availability comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel

from operators.pools import Pools
from tests.bench.plain.events import CountedEvent, MovedEvent, ProductEvent, SkuEvent, StatusChangedEvent
from tests.bench.plain.lines import Claim

Move = tuple[int, datetime, str, int | None]
"""Units, time, source and its sequence."""
POOLS = Pools({})


class PoolRecord(BaseModel):
    pool: str
    ats: int
    unallocated: int


class LocationRecord(BaseModel):
    location: str
    on_hand: int
    unavailable: int
    committed: int
    pending_issue: int
    safety_stock: int
    free: int


class AvailabilityRecord(BaseModel):
    sku: str
    version: int
    as_of: datetime
    pools: list[PoolRecord]
    shortage: int
    locations: list[LocationRecord]


@dataclass(slots=True)
class Book:
    """The newest count and the movements after it."""

    on_hand: int = 0
    count: CountedEvent | None = None
    moves: list[Move] = field(default_factory=list)

    def move(self, move: Move) -> None:
        self.moves.append(move)
        if self._after(move):
            self.on_hand += move[0]

    def set(self, count: CountedEvent) -> None:
        if self.count is None or count.data.as_of > self.count.data.as_of:
            self.count = count
            self.on_hand = count.data.quantity + sum(move[0] for move in self.moves if self._after(move))

    def _after(self, move: Move) -> bool:
        if self.count is None:
            return True
        _, at, source, sequence = move
        through = self.count.data.through_sequence
        if through is not None and sequence is not None and source == self.count.source:
            return sequence > through
        return at > self.count.data.as_of


@dataclass(slots=True)
class SkuState:
    sku: str
    seen: set[tuple[str, str]] = field(default_factory=set)
    version: int = 0
    as_of: datetime | None = None
    books: dict[tuple[str, str], Book] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    committed: dict[str, int] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)
    unallocated: int = 0
    safety_stock: dict[str, int] = field(default_factory=dict)

    def apply(self, fact: SkuEvent | tuple[Claim, datetime]) -> AvailabilityRecord | None:
        """The record after this fact; None for a repeat and for what changes no number."""
        if isinstance(fact, tuple):
            claim, at = fact
            self._hold(claim)
            return self._record(at)
        if (fact.source, fact.id) in self.seen:
            return None
        self.seen.add((fact.source, fact.id))
        if isinstance(fact, MovedEvent):
            move = fact.data
            self._move(move.location, move.status, (move.quantity, fact.time, fact.source, fact.sequence))
        elif isinstance(fact, StatusChangedEvent):
            change = fact.data
            for status, units in (
                (change.from_status, -change.quantity),
                (change.to_status, change.quantity),
            ):
                self._move(change.location, status, (units, fact.time, fact.source, fact.sequence))
        elif isinstance(fact, CountedEvent):
            self._book(fact.data.location, fact.data.status).set(fact)
        elif isinstance(fact, ProductEvent):
            self.safety_stock = fact.data.safety_stock or self.safety_stock
        else:
            return None
        return self._record(fact.time)

    def _hold(self, claim: Claim) -> None:
        """Replace what the order claimed by what it claims now."""
        before = self.claims.get(claim.order_id)
        for held, sign in ((before, -1), (claim, 1)):
            if held is not None:
                self.unallocated += sign * held.unallocated
                for location, units in held.committed.items():
                    self.committed[location] = self.committed.get(location, 0) + sign * units
                for location, units in held.owed.items():
                    self.pending[location] = self.pending.get(location, 0) + sign * units
        for location, status, units, at, source, sequence in claim.moves:
            self._move(location, status, (units, at, source, sequence))
        if claim.committed or claim.unallocated or claim.owed:
            self.claims[claim.order_id] = claim
        else:
            self.claims.pop(claim.order_id, None)

    def _book(self, location: str, status: str) -> Book:
        return self.books.setdefault((location, status), Book())

    def _move(self, location: str, status: str, move: Move) -> None:
        self._book(location, status).move(move)

    def _record(self, at: datetime) -> AvailabilityRecord:
        self.version += 1
        self.as_of = at if self.as_of is None else max(at, self.as_of)
        names = {location for location, _ in self.books} | self.committed.keys() | self.pending.keys()
        locations = [self._location(name) for name in sorted(names | self.safety_stock.keys())]
        ats, shortage = POOLS.offer(
            [place.location for place in locations],
            [place.free for place in locations],
            [place.safety_stock for place in locations],
            {"all": self.unallocated},
        )
        pools = [
            PoolRecord(pool=name, ats=units, unallocated=self.unallocated) for name, units in ats.items()
        ]
        return AvailabilityRecord(
            sku=self.sku,
            version=self.version,
            as_of=self.as_of,
            pools=pools,
            shortage=shortage,
            locations=locations,
        )

    def _location(self, name: str) -> LocationRecord:
        units = {status: book.on_hand for (location, status), book in self.books.items() if location == name}
        on_hand, sellable = sum(units.values()), units.get("sellable", 0)
        committed, pending = self.committed.get(name, 0), self.pending.get(name, 0)
        return LocationRecord(
            location=name,
            on_hand=on_hand,
            unavailable=on_hand - sellable,
            committed=committed,
            pending_issue=pending,
            safety_stock=self.safety_stock.get(name, 0),
            free=sellable - committed - pending,
        )


@dataclass(slots=True)
class KitState:
    """What is known of a kit's components."""

    sku: str
    parts: dict[str, AvailabilityRecord] = field(default_factory=dict)

    def apply(self, part: AvailabilityRecord, needs: dict[str, int]) -> AvailabilityRecord:
        self.parts[part.sku] = part
        known = {sku: record.pools[0].ats for sku, record in self.parts.items()}
        ats = min(known.get(sku, 0) // per for sku, per in needs.items())
        return AvailabilityRecord(
            sku=self.sku,
            version=sum(record.version for record in self.parts.values()),
            as_of=max(record.as_of for record in self.parts.values()),
            pools=[PoolRecord(pool="all", ats=ats, unallocated=0)],
            shortage=0,
            locations=[],
        )
