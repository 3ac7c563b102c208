"""What can still be sold of every SKU: books, claims and safety stock, put together and solved by pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.oracle.book import Book, movements_of
from tests.oracle.facts import Config, Fact, by, text_of
from tests.oracle.lines import Line
from tests.oracle.orders import Order
from tests.oracle.pools import Demand, room, shortage
from tests.oracle.products import Catalogue

OWN_FACTS = {"inventory.moved", "inventory.status_changed", "inventory.counted", "product.upserted"}
STATUSES = ["sellable", "damaged", "quality_control", "hold"]


@dataclass(frozen=True)
class Place:
    """The terms of one location, in units."""

    on_hand: int
    unavailable: int
    committed: int
    pending_issue: int
    safety_stock: int

    @property
    def free(self) -> int:
        return self.on_hand - self.unavailable - self.committed - self.pending_issue


def sources_of(order: Order, line: Line, part: str) -> tuple[dict[str, int], int]:
    """Where the part's open units sit: units by location, and the units without one."""
    left = 0 if order.rejection else line.open(part)
    wanted: dict[str, int] = {}
    if order.allocation is not None:
        for row in order.allocation.data["lines"]:
            if row["line_id"] == line.line_id and not line.stray:
                wanted[row["location"]] = wanted.get(row["location"], 0) + row["quantity"]
    elif line.location is not None:
        wanted = {line.location: line.ordered}
    taken: dict[str, int] = {}
    for location, units in wanted.items():
        still = max(0, units * line.parts[part] - line.gone(part).get(location, 0))
        taken[location] = min(still, left)
        left -= taken[location]
    return taken, left


class Stock:
    """All SKUs at once; `facts` are those that belong to a SKU, the others are in the orders."""

    def __init__(self, facts: list[Fact], orders: list[Order], catalogue: Catalogue, config: Config) -> None:
        self.facts = [fact for fact in facts if fact.type in OWN_FACTS]
        self.orders = orders
        self.catalogue = catalogue
        self.config = config
        self.facts_of = by(self.facts, lambda fact: [fact.data["sku"]])
        self.named_by = by(orders, Order.skus_named)
        self.claimed_by = by(orders, lambda order: {part for line in order.lines for part in line.parts})
        issued = by(orders, lambda order: {issue.data["sku"] for issue in order.issues})
        self.issued_by = by(
            [(sku, order) for sku, some in issued.items() for order in some],
            lambda pair: catalogue.parts(pair[0]),
        )

    def skus(self) -> list[str]:
        return sorted(self.facts_of.keys() | self.named_by.keys())

    def record(self, sku: str) -> dict[str, Any]:
        kit, parts = self.catalogue.is_kit(sku), self.catalogue.parts(sku)
        counted = [self.counted_facts(each) for each in {sku, *self.catalogue.ever(sku)}]
        latest = max((fact for facts in counted for fact in facts), key=lambda fact: fact.rank)
        return {
            "sku": sku,
            "version": sum(len(facts) for facts in counted),
            "as_of": text_of(latest.time),
            **(self.kit_terms(parts) if kit else self.plain_terms(sku)),
            "correlationid": latest.cause,
        }

    def counted_facts(self, sku: str) -> list[Fact]:
        """The changes that `version` counts: the SKU's own, and those of every order that ever named it."""
        return self.facts_of.get(sku, []) + [f for o in self.named_by.get(sku, []) for f in o.claim_bearing]

    def kit_terms(self, parts: dict[str, int]) -> dict[str, Any]:
        """A kit has no stock of its own: as many as the scarcest component makes."""
        ats = {
            part: {pool["pool"]: pool["ats"] for pool in self.plain_terms(part)["pools"]} for part in parts
        }
        pools = sorted(self.config.pools) or ["all"]
        makes = {pool: min(ats[part][pool] // units for part, units in parts.items()) for pool in pools}
        told = [{"pool": pool, "ats": makes[pool], "unallocated": 0} for pool in pools]
        return {"pools": told, "shortage": 0, "locations": []}

    def plain_terms(self, sku: str) -> dict[str, Any]:
        places, unallocated = self.places(sku), self.unallocated(sku)
        reach = {pool: frozenset(locations) for pool, locations in self.config.pools.items()}
        if not reach or unallocated.get("all", 0):
            reach["all"] = frozenset(places)
        demands = {pool: Demand(f"pool {pool}", unallocated.get(pool, 0), reach[pool]) for pool in reach}
        # The `all` of channels without a pool widens no deficit: only pools the retailer drew do.
        drawn = [reach[pool] for pool in self.config.pools] or [reach["all"]]
        deficits = [
            Demand(f"deficit {at}", -place.free, frozenset().union(*(r for r in drawn if at in r)))
            for at, place in places.items()
            if place.free < 0
        ]
        supply = {at: max(0, place.free - place.safety_stock) for at, place in places.items()}
        pools = []
        for pool in sorted(reach):
            others = [demand for other, demand in demands.items() if other != pool] + deficits
            ats = max(0, room(demands[pool], others, supply))
            pools.append({"pool": pool, "ats": ats, "unallocated": unallocated.get(pool, 0)})
        unsafe = {at: max(0, place.free) for at, place in places.items()}
        short = shortage([*demands.values(), *deficits], unsafe)
        told = [{"location": at, **vars(places[at]), "free": places[at].free} for at in sorted(places)]
        return {"pools": pools, "shortage": short, "locations": told}

    def lines_with(self, sku: str) -> Iterator[tuple[Order, Line]]:
        claiming = self.claimed_by.get(sku, [])
        return ((order, line) for order in claiming for line in order.lines if sku in line.parts)

    def unallocated(self, sku: str) -> dict[str, int]:
        """Open units without a location, by the pool of their order's channel."""
        total: dict[str, int] = {}
        for order, line in self.lines_with(sku):
            if order.channel is not None:
                pool = self.config.pool_of(order.channel)
                total[pool] = total.get(pool, 0) + sources_of(order, line, sku)[1]
        return total

    def book(self, sku: str) -> Book:
        """Own counts and movements, and the goods issues of orders; a kit's issue moves its components."""
        own = self.facts_of.get(sku, [])
        movements = [
            m
            for f in own
            if f.type in {"inventory.moved", "inventory.status_changed"}
            for m in movements_of(f)
        ]
        for named, order in self.issued_by.get(sku, []):
            for issue in order.issues:
                if issue.data["sku"] == named and (units := self.catalogue.parts(named).get(sku, 0)):
                    movements += movements_of(issue, units, order.placed_at)
        counts = [fact for fact in own if fact.type == "inventory.counted"]
        return Book(counts, movements, self.config.counts_available)

    def places(self, sku: str) -> dict[str, Place]:
        """Every location that means anything to the SKU, with its terms."""
        book, safety = self.book(sku), self.catalogue.safety_stock(sku)
        committed, pending = self.claims(sku, book)
        places = {}
        for at in book.locations() | safety.keys() | committed.keys() | pending.keys():
            units = {status: book.units(at, status) for status in STATUSES}
            on_hand = sum(units.values())
            withheld = safety.get(at, self.config.location_safety.get(at, 0))
            unavailable = on_hand - units["sellable"]
            places[at] = Place(on_hand, unavailable, committed.get(at, 0), pending.get(at, 0), withheld)
        return places

    def claims(self, sku: str, book: Book) -> tuple[dict[str, int], dict[str, int]]:
        """Units committed and pending by location, where there are any."""
        committed: dict[str, int] = {}
        pending: dict[str, int] = {}
        for order, line in self.lines_with(sku):
            for at, units in sources_of(order, line, sku)[0].items():
                if units and not book.net_of(at, order.placed_at):
                    committed[at] = committed.get(at, 0) + units
            for at in {shipment.location for shipment in line.shipments + line.issues}:
                counted = book.counted_at(at) if at in self.config.movements_false else None
                until = None if counted is None else counted - self.config.cut_margin
                units = line.owed(sku, at, until)
                if units and not book.net_of(at, order.placed_at):
                    pending[at] = pending.get(at, 0) + units
        return committed, pending
