"""Hypothesis strategies: whole histories of a small retailer, and the ways the same history can arrive.

    @given(st.data())
    def test_order_does_not_matter(data):
        history = data.draw(histories())
        arrival = data.draw(permuted(history.events))

A history is told by a plain generator from one integer, so hundreds cost seconds. What fails is not shrunk by
Hypothesis, which knows nothing of events, but by leaving out events one by one: see `smallest`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as st

from tests.histories.sales import tell_orders
from tests.histories.stock import tell_catalogue, tell_listings, tell_stock
from tests.histories.world import Event, History, Teller, draw_world, table

__all__ = [
    "ALLOWED_LATENESS",
    "Event",
    "History",
    "batches",
    "histories",
    "history",
    "permuted",
    "smallest",
    "table",
    "time_of",
    "unshrunk",
    "with_repeats",
]

T = TypeVar("T")
SEEDS = st.integers(0, 2**24 - 1)
"""Not more: Hypothesis draws small integers evenly, and large ones mostly near zero."""
LOST = 0.05
unshrunk = settings(phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""For tests whose one draw is a history."""
ALLOWED_LATENESS = timedelta(minutes=10)
"""The default of [time] allowed_lateness."""


def history(seed: int) -> History:
    """The history of this number: some 20 to 80 events by time, valid by DESIGN section 3; a few lost."""
    rng = Random(seed)
    teller = Teller(rng, draw_world(rng))
    tell_catalogue(teller)
    tell_orders(teller)
    tell_stock(teller)
    tell_listings(teller)
    told = teller.history()
    return History(told.world, [event for event in told.events if not teller.chance(LOST)])


def histories() -> st.SearchStrategy[History]:
    """Histories with their worlds."""
    return SEEDS.map(history)


def smallest(arrived: list[list[Event]], fails: Callable[[list[list[Event]]], bool]) -> list[list[Event]]:
    """What is left of these batches when every event is left out without which they still fail."""
    for _ in range(2):
        for place in reversed([(b, e) for b, batch in enumerate(arrived) for e in range(len(batch))]):
            fewer = [[x for e, x in enumerate(part) if (b, e) != place] for b, part in enumerate(arrived)]
            if fails(fewer):
                arrived = fewer
    return [batch for batch in arrived if batch]


def permuted(
    events: list[Event], lateness: timedelta | None = ALLOWED_LATENESS
) -> st.SearchStrategy[list[Event]]:
    """The events in another order, none more than `lateness` behind the greatest time read; None: in any."""

    def arrive(rng: Random) -> list[Event]:
        if lateness is None:
            return rng.sample(events, len(events))
        delayed = [(time_of(event) + rng.random() * lateness, n) for n, event in enumerate(events)]
        return [events[n] for _, n in sorted(delayed)]

    return _seeded(arrive, events)


def with_repeats(events: list[Event], *, changed: bool = False) -> st.SearchStrategy[list[Event]]:
    """The events with some told again, anywhere after the first; `changed`: some repeats hold other data."""

    def repeat(rng: Random) -> list[Event]:
        arrivals = [(float(n), event) for n, event in enumerate(events)]
        for n, event in enumerate(events):
            while rng.random() < 0.2:
                again = _altered(rng, event) if changed and rng.random() < 0.5 else event
                arrivals.append((rng.uniform(n, len(events)), again))
        return [event for _, event in sorted(arrivals, key=lambda arrival: arrival[0])]

    return _seeded(repeat, events)


def batches(events: list[Event]) -> st.SearchStrategy[list[list[Event]]]:
    """The events, in their order, in batches of at least one."""

    def split(rng: Random) -> list[list[Event]]:
        often = rng.random()
        parts: list[list[Event]] = []
        for event in events:
            if not parts or rng.random() < often:
                parts.append([])
            parts[-1].append(event)
        return parts

    return _seeded(split, [events] if events else [])


def _seeded(arrange: Callable[[Random], T], plain: T) -> st.SearchStrategy[T]:
    """What a plain function makes of a drawn number; the simplest number leaves things as they were."""
    return SEEDS.map(lambda seed: arrange(Random(seed)) if seed else plain)


def time_of(event: Event) -> datetime:
    return datetime.fromisoformat(event["time"])


def _altered(rng: Random, event: Event) -> Event:
    """The same event by source and id, valid and of the same key, that says something else."""
    later = time_of(event) + timedelta(minutes=rng.randint(-5, 5))
    data = dict(event["data"])
    if "quantity" in data:
        data["quantity"] = abs(data["quantity"]) + 1
    for row in ("lines", "components"):
        if data.get(row):
            data[row] = [{**line, "quantity": line["quantity"] + 1} for line in data[row]]
    return {**event, "time": later.isoformat(), "data": data}
