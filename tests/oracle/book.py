"""The book of one SKU by location and status: the newest count by its cut, and the movements after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.oracle.facts import Fact, moment


@dataclass(frozen=True)
class Movement:
    """A signed change of one (location, status). `placed_at`: of the order whose goods issue it is."""

    fact: Fact
    location: str
    status: str
    quantity: int
    placed_at: datetime | None = None


def movements_of(fact: Fact, units: int = 1, placed_at: datetime | None = None) -> list[Movement]:
    """What an event moves, times `units`; a change of status is two movements."""
    data, quantity = fact.data, units * fact.data["quantity"]
    if fact.type == "inventory.moved":
        return [Movement(fact, data["location"], data.get("status") or "sellable", quantity, placed_at)]
    return [
        Movement(fact, data["location"], data["from_status"], -quantity),
        Movement(fact, data["location"], data["to_status"], quantity),
    ]


def through(count: Fact) -> int | None:
    value = count.data.get("through_sequence")
    return None if value is None else int(value)


def cut(count: Fact) -> tuple[Any, ...]:
    """Orders counts: the newest by its cut, never by arrival."""
    sequence = through(count)
    return (moment(count.data["as_of"]), -1 if sequence is None else sequence, count.rank)


def after(movement: Fact, count: Fact) -> bool:
    """Whether the count does not hold the movement yet."""
    sequence = through(count)
    if movement.source == count.source and movement.sequence is not None and sequence is not None:
        return movement.sequence > sequence
    return movement.time > moment(count.data["as_of"])


class Book:
    """One SKU's counts and movements."""

    def __init__(
        self, counts: list[Fact], movements: list[Movement], counts_available: Iterable[str]
    ) -> None:
        self.counts = counts
        self.movements = movements
        self.counts_available = set(counts_available)

    def locations(self) -> set[str]:
        return {m.location for m in self.movements} | {c.data["location"] for c in self.counts}

    def count(self, location: str, status: str) -> Fact | None:
        """The winning count there."""
        own = [
            count
            for count in self.counts
            if count.data["location"] == location and (count.data.get("status") or "sellable") == status
        ]
        return max(own, key=cut, default=None)

    def counted_at(self, location: str) -> datetime | None:
        """`as_of` of the winning sellable count there."""
        count = self.count(location, "sellable")
        return None if count is None else moment(count.data["as_of"])

    def net_of(self, location: str, placed_at: datetime | None) -> bool:
        """Whether the count there is already net of the promises of an order placed then."""
        counted = self.counted_at(location)
        if location not in self.counts_available or counted is None or placed_at is None:
            return False
        return placed_at <= counted

    def units(self, location: str, status: str) -> int:
        count = self.count(location, status)
        total = 0 if count is None else int(count.data["quantity"])
        for m in self.movements:
            if (m.location, m.status) != (location, status) or self.net_of(location, m.placed_at):
                continue
            if count is None or after(m.fact, count):
                total += m.quantity
        return total
