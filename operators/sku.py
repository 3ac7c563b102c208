"""One SKU: its books, the claims on it, and the number that comes of them (DESIGN section 4).

free(l)   = on_hand − unavailable − committed at l − pending_issue at l
supply(l) = max(0, free(l) − safety_stock(l))        deficit(l) = max(0, −free(l))
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct, field

from canonical.messages import Claim, ClaimLine, Move
from canonical.outputs import Availability, LocationAvailability, PoolAvailability
from canonical.policy import Location, Policy
from operators.ledger import Cut, Ledger
from operators.pools import Pools

SELLABLE = "sellable"
PLAIN = Location()


class Held(Struct, array_like=True, gc=False):
    """What one order claims of the SKU now."""

    channel: str | None
    placed_at: datetime | None
    lines: list[ClaimLine]


class Statement(Struct, array_like=True, gc=False):
    """Safety stock as a product event stated it; the greatest (version, at, rank) wins."""

    version: int
    at: datetime
    rank: str
    safety_stock: dict[str, int]


class Sku(Struct, array_like=True, gc=False):
    """All that is known of one SKU. `committed`, `pending`, `unallocated` are sums over `held`, kept as it changes."""

    seen: dict[int, datetime] = field(default_factory=dict)
    version: int = 0
    at: datetime | None = None
    rank: str = ""
    correlationid: str = ""
    books: dict[str, dict[str, Ledger]] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    committed: dict[str, int] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)
    unallocated: dict[str, int] = field(default_factory=dict)
    stated: Statement | None = None
    catalogued: datetime | None = None
    named_at: datetime | None = None


class Arithmetic:
    """The rules of one retailer applied to one SKU at a time; holds configuration, no state."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._places = policy.locations
        self._pools = Pools(policy.pools)
        self._pool_of: dict[str | None, str] = {}

    def net(self, location: str) -> bool:
        """Whether the counts of a location are already net of promises."""
        place = self._places.get(location)
        return place is not None and place.counts == "available"

    def cause(self, sku: Sku, at: datetime, rank: str, correlationid: str) -> None:
        """Remember the latest fact, in event time, that the number rests on."""
        if sku.at is None or (at, rank) > (sku.at, sku.rank):
            sku.at, sku.rank, sku.correlationid = at, rank, correlationid

    def hold(self, sku: Sku, claim: Claim) -> None:
        """Replace what the order claimed by what it claims now, and book the goods issues that came with it."""
        sku.version += claim.changes
        self.cause(sku, claim.at, claim.rank, claim.correlationid)
        self.replace(sku, claim.order_id, Held(claim.channel, claim.placed_at, claim.lines))
        for move in claim.moves:
            self.move(sku, move, known=True)

    def replace(self, sku: Sku, order_id: str, held: Held | None) -> None:
        """Let the order claim this, which may be nothing, instead of what it claimed."""
        before = sku.held.get(order_id)
        if before is not None:
            self._sum(sku, before, -1)
        if held is not None and held.lines:
            sku.held[order_id] = held
            self._sum(sku, held, 1)
        elif before is not None:
            del sku.held[order_id]

    def _sum(self, sku: Sku, held: Held, sign: int) -> None:
        for line in held.lines:
            for location, units in line.committed:
                _add(sku.committed, location, sign * units)
            for owed in line.owed:
                _add(sku.pending, owed.location, sign * owed.units)
            if line.unallocated:
                _add(sku.unallocated, self._pool(held.channel), sign * line.unallocated)

    def _pool(self, channel: str | None) -> str:
        pool = self._pool_of.get(channel)
        if pool is None:
            pool = self._pool_of[channel] = self._policy.pool_of(channel or "")
        return pool

    def ledger(self, sku: Sku, location: str, status: str) -> Ledger:
        book = sku.books.get(location)
        if book is None:
            book = sku.books[location] = {}
        ledger = book.get(status)
        if ledger is None:
            ledger = book[status] = Ledger()
        return ledger

    def move(self, sku: Sku, move: Move, *, known: bool = False) -> None:
        ledger = self.ledger(sku, move.location, move.status)
        ledger.move(move, net=self.net(move.location), known=known)
        if not (ledger.moves or ledger.counts):
            del sku.books[move.location][move.status]
            if not sku.books[move.location]:
                del sku.books[move.location]

    def count(self, sku: Sku, location: str, status: str, cut: Cut) -> None:
        self.ledger(sku, location, status).count(cut, net=self.net(location))

    def fold(self, sku: Sku, horizon: datetime) -> None:
        """Forget single movements, counts and events older than `horizon`; no number changes by it."""
        for location, book in sku.books.items():
            for ledger in book.values():
                ledger.fold(horizon, net=self.net(location))
        sku.seen = {ref: at for ref, at in sku.seen.items() if at >= horizon}

    def safety_stock(self, sku: Sku, location: str) -> int:
        if sku.stated is not None and location in sku.stated.safety_stock:
            return sku.stated.safety_stock[location]
        place = self._places.get(location)
        return place.safety_stock if place is not None else 0

    def locations(self, sku: Sku) -> list[LocationAvailability]:
        """Every location with a book, a claim or a stated safety stock, by name, with all its terms."""
        names = sku.books.keys() | sku.committed.keys() | sku.pending.keys()
        if sku.stated is not None:
            names |= sku.stated.safety_stock.keys()
        return [self._location(sku, name) for name in sorted(names)]

    def _location(self, sku: Sku, name: str) -> LocationAvailability:
        on_hand = unavailable = 0
        for status, ledger in sku.books.get(name, {}).items():
            on_hand += ledger.on_hand
            if status != SELLABLE:
                unavailable += ledger.on_hand
        committed, pending = sku.committed.get(name, 0), sku.pending.get(name, 0)
        place = self._places.get(name, PLAIN)
        if not place.movements or place.counts == "available":
            committed, pending = self._careful(sku, name, place)
        free = on_hand - unavailable - committed - pending
        safety = self.safety_stock(sku, name)
        return LocationAvailability(name, on_hand, unavailable, committed, pending, safety, free)

    def _careful(self, sku: Sku, name: str, place: Location) -> tuple[int, int]:
        """(committed, pending) where counts decide: claims a net count has taken off already, shipments it contains."""
        book = sku.books.get(name, {}).get(SELLABLE)
        as_of = book.newest.as_of if book is not None and book.newest is not None else None
        committed = pending = 0
        for held in sku.held.values():
            net = place.counts == "available" and as_of is not None
            if net and held.placed_at is not None and held.placed_at <= as_of:  # type: ignore[operator]  # net: as_of is known
                continue
            for line in held.lines:
                committed += sum(units for location, units in line.committed if location == name)
                pending += sum(
                    owed.units
                    for owed in line.owed
                    if owed.location == name and not _counted(owed.shipped_at, as_of, place.cut_margin)
                )
        return committed, pending

    def shortage(self, sku: Sku, locations: list[LocationAvailability]) -> int:
        """Promised units that cannot be kept however they are sourced."""
        asked = sum(sku.unallocated.values())
        if all(place.free >= 0 for place in locations):
            # Where every pool that is asked could keep all that is asked of all, nothing is short.
            reach = [self._policy.pools.get(pool) for pool in sku.unallocated]
            if all(sum(x.free for x in locations if to is None or x.location in to) >= asked for to in reach):
                return 0
        names, free = [place.location for place in locations], [place.free for place in locations]
        return self._pools.offer(names, free, [0] * len(free), sku.unallocated)[1]

    def availability(self, key: str, sku: Sku) -> Availability:
        """The SKU's record as of now."""
        locations = self.locations(sku)
        ats, shortage = self._pools.offer(
            [place.location for place in locations],
            [place.free for place in locations],
            [place.safety_stock for place in locations],
            sku.unallocated,
        )
        pools = [PoolAvailability(name, ats[name], sku.unallocated.get(name, 0)) for name in sorted(ats)]
        return Availability(key, sku.version, sku.at, pools, shortage, locations, sku.correlationid)  # type: ignore[arg-type]  # a touched SKU has a fact, so a time


def _counted(shipped_at: datetime | None, as_of: datetime | None, margin: timedelta) -> bool:
    """Whether a count is late enough after a shipment to have seen it gone."""
    return shipped_at is not None and as_of is not None and as_of >= shipped_at + margin


def _add(sums: dict[str, int], name: str, units: int) -> None:
    total = sums.get(name, 0) + units
    if total:
        sums[name] = total
    else:
        sums.pop(name, None)
