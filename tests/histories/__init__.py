"""Hypothesis strategies: whole histories of a small retailer, and the ways the same history can arrive.

    @given(st.data())
    def test_order_does_not_matter(data):
        history = data.draw(histories())
        arrival = data.draw(permuted(history.events))

A history is told by a plain generator from one integer, so hundreds cost seconds; a drawn number per event
decides whether it is lost. So failures shrink by losing events, and most histories lack a few.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

from tests.histories.sales import tell_orders
from tests.histories.stock import tell_catalogue, tell_listings, tell_stock
from tests.histories.world import Event, History, Teller, World, draw_world

__all__ = ["Event", "History", "World", "batches", "histories", "history", "permuted", "with_repeats"]

T = TypeVar("T")
SEEDS = st.integers(0, 2**32 - 1)
LOST = 1 / 20
ALLOWED_LATENESS = timedelta(minutes=10)
"""The default of [time] allowed_lateness."""


def history(seed: int) -> History:
    """The whole history of this number, sorted by time: 20 to 80 events, valid by DESIGN section 3."""
    rng = Random(seed)
    teller = Teller(rng, draw_world(rng))
    tell_catalogue(teller)
    tell_orders(teller)
    tell_stock(teller)
    tell_listings(teller)
    return teller.history()


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A history with its world; about one event in twenty never arrived. Shrinks towards no events."""
    told = history(draw(SEEDS))
    sides = round(1 / LOST)
    rolls = draw(st.lists(st.integers(0, sides - 1), min_size=len(told.events), max_size=len(told.events)))
    arrived = [event for event, roll in zip(told.events, rolls, strict=True) if roll]
    return History(told.world, arrived)


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
