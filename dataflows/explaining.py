"""How a number comes about: every term of a SKU's availability, and the facts behind each, with event ids."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from canonical.outputs import Availability, LocationAvailability, PoolAvailability
from dataflows.availability import Plan
from dataflows.sieve import Sieve, of_keys, related
from operators.ledger import Ledger, after
from operators.sku import Sku


class Fact(Struct):
    """One event behind a term. `units` is what it adds to the term (signed)."""

    what: str
    units: int
    at: datetime | None
    events: list[str]
    order_id: str | None = None
    line_id: str | None = None


class Term(Struct):
    """One term of one location: its facts add up to `units`."""

    name: str
    units: int
    facts: list[Fact]


class Place(Struct):
    """free = on_hand − unavailable − committed − pending_issue; the terms say why."""

    location: str
    free: int
    safety_stock: int
    terms: list[Term]


class Component(Struct):
    """What one component of a kit allows: ⌊ats / per⌋."""

    sku: str
    per: int
    ats: dict[str, int]


class Explanation(Struct):
    """Everything behind one record. For a kit `components` carry the number, and `places` is empty."""

    record: Availability
    places: list[Place]
    unallocated: list[Fact]
    components: list[Component]


def explain(plan: Plan, key: str) -> Explanation | None:
    """Fold the events that bear on the SKU, by the job's own rules; None if nothing is known of it."""
    skus, orders = related(plan, key)
    sieve = Sieve(plan, of_keys(skus, orders))
    shard = sieve.skus(key)
    parts = shard.kits.parts(key)
    if parts is not None:
        return _kit(sieve, key, parts)
    seen = shard.look(key)
    if seen is None:
        return None
    sku, record = seen
    witness = Witness(sieve)
    places = [_place(witness, sku, place) for place in record.locations]
    return Explanation(record, places, witness.unallocated(sku), [])


def _kit(sieve: Sieve, key: str, parts: dict[str, int]) -> Explanation:
    heard = {part: sieve.skus(part).look(part) for part in parts}
    components = [
        Component(part, per, {pool.pool: pool.ats for pool in seen[1].pools} if (seen := heard[part]) else {})
        for part, per in sorted(parts.items())
    ]
    pools = sorted({pool for component in components for pool in component.ats})
    ats = [PoolAvailability(pool, min(c.ats.get(pool, 0) // c.per for c in components), 0) for pool in pools]
    known = [seen[1] for seen in (*heard.values(), sieve.skus(key).look(key)) if seen is not None]
    latest = max(known, key=lambda record: record.as_of)
    record = Availability(key, sum(r.version for r in known), latest.as_of, ats, 0, [], latest.correlationid)
    return Explanation(record, [], [], components)


class Witness:
    """Finds the events behind a claim or a movement."""

    def __init__(self, sieve: Sieve) -> None:
        self._sieve = sieve

    def event(self, ref: int) -> str:
        event = self._sieve.events.get(ref)
        return "?" if event is None else f"{event.source} {event.id}"

    def reason(self, ref: int) -> str:
        event = self._sieve.events.get(ref)
        reason = getattr(event.data, "reason", None) if event is not None else None
        return str(reason) if reason else "status change"

    def order(self, order_id: str) -> list[str]:
        """The events of an order that decide what it claims: document, allocation, shipments."""
        seen = self._sieve.orders(order_id).look(order_id)
        if seen is None:
            return []
        order = seen[0]
        ranks = [order.document[2]] if order.document is not None else []
        ranks += [order.allocation[2]] if order.allocation is not None else []
        ranks += [shipment.rank for shipment in order.shipments.values()]
        return [rank.replace("\x00", " ") for rank in ranks]

    def unallocated(self, sku: Sku) -> list[Fact]:
        """Open units without a location, order by order."""
        return [
            Fact(
                "open, no location",
                line.unallocated,
                held.placed_at,
                self.order(order_id),
                order_id,
                line.line_id,
            )
            for order_id, held in sorted(sku.held.items())
            for line in held.lines
            if line.unallocated
        ]


def _place(witness: Witness, sku: Sku, place: LocationAvailability) -> Place:
    name = place.location
    book = sku.books.get(name, {})
    on_hand = [fact for status, ledger in sorted(book.items()) for fact in _book(witness, status, ledger)]
    committed = [
        Fact("open", units, held.placed_at, witness.order(order_id), order_id, line.line_id)
        for order_id, held in sorted(sku.held.items())
        for line in held.lines
        for location, units in line.committed
        if location == name
    ]
    owed = [
        Fact(
            "shipped, issue not booked",
            owed.units,
            owed.shipped_at,
            witness.order(order_id),
            order_id,
            line.line_id,
        )
        for order_id, held in sorted(sku.held.items())
        for line in held.lines
        for owed in line.owed
        if owed.location == name
    ]
    withheld = [
        Fact(f"{status} stock", ledger.on_hand, None, [])
        for status, ledger in sorted(book.items())
        if status != "sellable" and ledger.on_hand
    ]
    terms = [
        Term("on_hand", place.on_hand, on_hand),
        Term("unavailable", place.unavailable, withheld),
        Term("committed", place.committed, _true(committed, place.committed)),
        Term("pending_issue", place.pending_issue, _true(owed, place.pending_issue)),
    ]
    return Place(name, place.free, place.safety_stock, terms)


def _true(facts: list[Fact], units: int) -> list[Fact]:
    """The facts, and where counts have taken some off already (DESIGN section 4) that part as a fact of its own."""
    rest = units - sum(fact.units for fact in facts)
    return [*facts, Fact("already taken off by a count", rest, None, [])] if rest else facts


def _book(witness: Witness, status: str, ledger: Ledger) -> list[Fact]:
    facts = []
    newest = ledger.newest
    if newest is not None:
        event = newest.rank.replace("\x00", " ")
        facts.append(Fact(f"counted ({status})", newest.units, newest.as_of, [event] if event else []))
    facts += [
        Fact(f"{witness.reason(move.ref)} ({status})", move.quantity, move.at, [witness.event(move.ref)])
        for move in sorted(ledger.moves, key=lambda move: move.at)
        if newest is None or after(move, newest, net=False)
    ]
    rest = ledger.on_hand - sum(fact.units for fact in facts)
    if rest:
        facts.append(Fact(f"issues a count has taken off already ({status})", rest, None, []))
    return facts
