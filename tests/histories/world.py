"""A small retailer, and the teller who turns what happens there into events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations
from random import Random
from typing import Any, NamedTuple, TypeVar

from tests.oracle import Config

Event = dict[str, Any]
T = TypeVar("T")

MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
MINUTES = 240
"""Everything happens within this many minutes of the morning, so that nothing is beyond retention."""


@dataclass(frozen=True)
class World:
    """`kits`: kit → what it is mostly made of; others are plain. `channels` has one nobody configured."""

    skus: list[str]
    kits: dict[str, dict[str, int]]
    locations: list[str]
    channels: list[str]
    config: Config


class History(NamedTuple):
    """Events in the order of their times, and the world they happened in."""

    world: World
    events: list[Event]

    @property
    def config(self) -> Config:
        return self.world.config

    def __repr__(self) -> str:
        return f"{self.config}\n{table(self.events)}"


def table(events: Iterable[Event]) -> str:
    """A line per event: when, what, who says it, and what it says."""
    rows = [
        (e["time"][11:], e["type"], e["source"], e["id"], e.get("sequence", ""), e["data"]) for e in events
    ]
    return "\n".join(" ".join(map(str, row)) for row in rows)


def draw_world(rng: Random) -> World:
    skus = [f"sku-{n}" for n in range(1, rng.randint(2, 5) + 1)]
    kits: dict[str, dict[str, int]] = {}
    for kit in skus[: rng.choice([0, 1, 1, 2]) if len(skus) > 2 else rng.randint(0, 1)]:
        # Later SKUs only, so that kits may hold kits but not themselves; redefinitions may do that.
        rest = skus[skus.index(kit) + 1 :]
        kits[kit] = {part: rng.randint(1, 3) for part in rng.sample(rest, rng.randint(1, min(3, len(rest))))}
    locations = [f"dc-{name}" for name in "abcd"[: rng.randint(2, 4)]]
    channels = [f"web-{n}" for n in range(1, rng.randint(2, 3) + 1)]
    return World(skus, kits, locations, [*channels, "pop-up"], draw_config(rng, locations, channels))


def draw_config(rng: Random, locations: list[str], channels: list[str]) -> Config:
    """Often several pools that overlap; sometimes a location in none, sometimes no pools at all."""
    sets = [set_ for size in range(1, len(locations) + 1) for set_ in combinations(locations, size)]
    pools: dict[str, list[str]] = {}
    if rng.random() < 0.8:
        pools = {f"pool-{n}": list(rng.choice(sets)) for n in range(1, rng.randint(1, 4) + 1)}
    pool_of: dict[str, str | None] = {
        channel: rng.choice([*pools, None]) if rng.random() < 0.3 else rng.choice([*pools] or [None])
        for channel in channels
    }
    return Config(
        pools=pools,
        channels=pool_of,
        location_safety={at: rng.randint(1, 4) for at in locations if rng.random() < 0.2},
        movements_false={at for at in locations if rng.random() < 0.15},
        counts_available={at for at in locations if rng.random() < 0.15},
        cut_margin=timedelta(minutes=rng.choice([0, 10, 30])),
    )


class Teller:
    """Tells events of a world; `minute` counts from the morning. Chances are of `rng` alone."""

    def __init__(self, rng: Random, world: World) -> None:
        self.rng = rng
        self.world = world
        self.events: list[Event] = []
        self.minutes: list[int] = []

    def tell(self, type_: str, minute: float, source: str, subject: str, **data: Any) -> Event:
        """One event; fields that are None stay out."""
        event: Event = {
            "specversion": "1.0",
            "id": f"e{len(self.events):03}",
            "source": source,
            "type": type_,
            "subject": subject,
            "time": self.text(minute),
            "data": {name: value for name, value in data.items() if value is not None},
        }
        if self.chance(0.1):
            event["correlationid"] = f"case-{self.rng.randint(1, 3)}"
        self.events.append(event)
        self.minutes.append(round(minute))
        return event

    def text(self, minute: float) -> str:
        """RFC 3339, in whatever zone and precision the source likes."""
        at = MORNING + timedelta(minutes=min(max(round(minute), 0), MINUTES))
        if self.chance(0.1):
            at += timedelta(microseconds=self.rng.choice([250_000, 1, 999_999]))
        if self.chance(0.1):
            at = at.astimezone(timezone(timedelta(hours=self.rng.choice([-7, 2]))))
        return at.isoformat() if self.chance(0.5) else at.isoformat().replace("+00:00", "Z")

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def minute(self) -> int:
        return self.rng.randint(0, MINUTES)

    def sku(self) -> str:
        return self.rng.choice(self.world.skus)

    def location(self) -> str:
        return self.rng.choice(self.world.locations)

    def maybe(self, value: T, probability: float = 0.5) -> T | None:
        return value if self.chance(probability) else None

    def names(self, sku: str) -> list[str]:
        """The names units of this SKU may go by: its own and, of a kit, its components'."""
        return [sku, *self.world.kits.get(sku, {})]

    def history(self) -> History:
        """All that was told, by time, with the sequence numbers that systems put on it."""
        events = sorted(self.events, key=lambda event: datetime.fromisoformat(event["time"]))
        self._number(event for event in events if event["type"].startswith("inventory."))
        return History(self.world, events)

    def _number(self, events: Iterable[Event]) -> None:
        """Sequence numbers per source, mostly in the order of time; a count often says how far it reaches."""
        reached: dict[str, int] = {}
        numbers = {source: self.chance(0.7) for source in sorted({event["source"] for event in self.events})}
        for event in events:
            source = event["source"]
            if not numbers[source] or self.chance(0.1):
                continue
            number = reached[source] = reached.get(source, 0) + 1
            slip = self.rng.choice([-3, -1, 1, 2]) if self.chance(0.15) else 0
            event["sequence"] = str(max(0, 10 * number + 10 * slip))
            if event["type"] == "inventory.counted" and self.chance(0.6):
                through = max(0, 10 * (number + self.rng.randint(-3, 1)))
                event["data"]["through_sequence"] = through if self.chance(0.5) else str(through)
