"""An event as the oracle sees it, which of them are repeats, and the configuration it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

STEM_OF_FAMILY = {
    "order": "orders",
    "shipment": "shipments",
    "inventory": "inventory",
    "return": "returns",
    "refund": "returns",
    "posting": "postings",
    "product": "products",
    "listing": "listings",
}
OF_ORDERS = {"orders", "shipments", "returns", "postings"}


T = TypeVar("T")


def by(things: Iterable[T], keys: Callable[[T], Iterable[str]]) -> dict[str, list[T]]:
    """Things by each of their keys, in their order: only so that whole days can be judged in minutes."""
    found: dict[str, list[T]] = {}
    for thing in things:
        for key in keys(thing):
            found.setdefault(key, []).append(thing)
    return found


@dataclass(frozen=True)
class Config:
    """What the operator of the system decides. No pools at all: one pool `all` of every location.

    `channels` names each channel's pool; a channel that is missing or has None draws on `all`.
    `location_safety` is in units. `movements_false`: locations that send no movements. `counts_available`:
    locations whose counts are net of promises. `cut_margin` holds for every location.
    """

    pools: dict[str, list[str]] = field(default_factory=dict)
    channels: dict[str, str | None] = field(default_factory=dict)
    location_safety: dict[str, int] = field(default_factory=dict)
    movements_false: set[str] = field(default_factory=set)
    counts_available: set[str] = field(default_factory=set)
    cut_margin: timedelta = timedelta(minutes=30)

    def pool_of(self, channel: str) -> str:
        return self.channels.get(channel) or "all"

    def settings(self) -> dict[str, Any]:
        """The same as the tables of a configuration file (DESIGN section 9)."""
        places: dict[str, dict[str, Any]] = {
            at: {"safety_stock": n} for at, n in self.location_safety.items()
        }
        for at in self.movements_false:
            margin = f"{int(self.cut_margin.total_seconds())}s"
            places.setdefault(at, {}).update(movements=False, cut_margin=margin)
        for at in self.counts_available:
            places.setdefault(at, {}).update(counts="available")
        channels = {name: {} if pool is None else {"pool": pool} for name, pool in self.channels.items()}
        return {"pools": self.pools, "channels": channels, "locations": places}


@dataclass(frozen=True)
class Fact:
    """One distinct event. `rank` orders facts of the same version: the latest, then by source and id."""

    type: str
    source: str
    id: str
    time: datetime
    sequence: int | None
    correlationid: str | None
    data: dict[str, Any]

    @property
    def rank(self) -> tuple[datetime, str, str]:
        return (self.time, self.source, self.id)

    @property
    def versioned(self) -> tuple[int, tuple[datetime, str, str]]:
        return (self.data.get("version", 1), self.rank)

    @property
    def stem(self) -> str:
        return STEM_OF_FAMILY[self.type.partition(".")[0]]

    @property
    def is_issue(self) -> bool:
        return self.type == "inventory.moved" and self.data["reason"] == "issue"

    @property
    def order_bound(self) -> bool:
        return self.stem in OF_ORDERS or (self.is_issue and bool(self.data.get("order_id")))

    @property
    def key(self) -> tuple[bool, str]:
        return (self.order_bound, self.data["order_id" if self.order_bound else "sku"])

    @property
    def cause(self) -> str:
        """What the event says it belongs to; by default its order, else its SKU."""
        return self.correlationid or self.data.get("order_id") or str(self.data["sku"])


def moment(text: str) -> datetime:
    """RFC 3339 text → the same instant in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def text_of(instant: datetime) -> str:
    """An instant as records show it: UTC with Z, microseconds only where there are any."""
    return instant.isoformat().replace("+00:00", "Z")


def fact_of(event: dict[str, Any]) -> Fact:
    sequence = event.get("sequence")
    return Fact(
        type=event["type"],
        source=event["source"],
        id=event["id"],
        time=moment(event["time"]),
        sequence=None if sequence is None else int(sequence),
        correlationid=event.get("correlationid"),
        data=event["data"],
    )


def distinct(events: Iterable[dict[str, Any]]) -> tuple[list[Fact], dict[str, int], dict[str, int]]:
    """The first arrival of each source and id within a key; and applied and duplicate inputs per stem."""
    facts: dict[tuple[Any, ...], Fact] = {}
    applied: dict[str, int] = {}
    duplicate: dict[str, int] = {}
    for event in events:
        fact = fact_of(event)
        name = (fact.key, fact.source, fact.id)
        tally = duplicate if name in facts else applied
        tally[fact.stem] = tally.get(fact.stem, 0) + 1
        facts.setdefault(name, fact)
    return list(facts.values()), applied, duplicate
