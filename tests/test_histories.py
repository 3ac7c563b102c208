"""The histories are what the laws stand on: valid, varied, and rearranged only as they say."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Union

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.policy import Policy
from canonical.topics import EVENT_TYPES, TYPE_NAME
from tests.histories import (
    ALLOWED_LATENESS,
    Event,
    History,
    batches,
    histories,
    history,
    permuted,
    time_of,
    with_repeats,
)
from tests.oracle import oracle

ANY_EVENT = msgspec.json.Decoder(Union[EVENT_TYPES])  # noqa: UP007  the union is built from the table
MANY = range(300)


def name(event: Event) -> tuple[str, str]:
    return (event["source"], event["id"])


@given(st.data())
def test_every_event_is_valid_also_a_changed_repeat(data: st.DataObject) -> None:
    told = data.draw(histories())
    for event in data.draw(with_repeats(told.events, changed=True)):
        ANY_EVENT.decode(msgspec.json.encode(event))


@given(histories())
def test_every_configuration_is_valid(told: History) -> None:
    Policy.model_validate(told.config.settings())


def test_every_type_of_event_is_told() -> None:
    told = {event["type"] for seed in MANY for event in history(seed).events}
    assert told == set(TYPE_NAME.values())


def test_most_histories_hold_twenty_to_eighty_events() -> None:
    sizes = sorted(len(history(seed).events) for seed in MANY)
    assert sizes[len(sizes) // 10] >= 20
    assert sizes[-len(sizes) // 10] <= 80


def test_the_stories_reach_every_state_and_trouble() -> None:
    results = [oracle(told.events, told.config) for told in map(history, MANY)]
    states = {record["state"] for result in results for record in result.lifecycle.values()}
    chain = {"placed", "accepted", "allocated", "released", "picked", "packed", "shipped", "delivered"}
    assert states == chain | {"rejected", "cancelled", "returned", "refunded", "unknown"}
    short = sum(record["shortage"] > 0 for result in results for record in result.availability.values())
    sellable = sum(
        pool["ats"] > 0
        for result in results
        for record in result.availability.values()
        for pool in record["pools"]
    )
    assert min(short, sellable) > len(MANY) / 5


@given(st.data())
def test_a_permutation_keeps_every_event_and_the_lateness(data: st.DataObject) -> None:
    events = data.draw(histories()).events
    arrived = data.draw(permuted(events))
    assert Counter(map(name, arrived)) == Counter(map(name, events))
    greatest: datetime | None = None
    for event in arrived:
        greatest = time_of(event) if greatest is None else max(greatest, time_of(event))
        assert time_of(event) >= greatest - ALLOWED_LATENESS


@given(st.data())
def test_a_repeat_comes_after_the_first_time(data: st.DataObject) -> None:
    events = data.draw(histories()).events
    arrived = data.draw(with_repeats(events, changed=True))
    first = {name(event): event for event in reversed(arrived)}
    assert all(first[name(event)] == event for event in events)


@given(st.data())
def test_batches_are_the_events_in_their_order(data: st.DataObject) -> None:
    events = data.draw(histories()).events
    parts = data.draw(batches(events))
    assert [event for part in parts for event in part] == events
    assert all(parts)


@pytest.mark.parametrize("lateness", [ALLOWED_LATENESS, None])
@given(data=st.data())
def test_the_oracle_does_not_mind_the_order(data: st.DataObject, lateness: timedelta | None) -> None:
    told = data.draw(histories())
    arrived = data.draw(permuted(told.events, lateness))
    assert oracle(arrived, told.config) == oracle(told.events, told.config)


@given(st.data())
def test_the_oracle_takes_a_repeat_for_nothing(data: st.DataObject) -> None:
    told = data.draw(histories())
    once, again = (
        oracle(e, told.config) for e in (told.events, data.draw(with_repeats(told.events, changed=True)))
    )
    assert (again.availability, again.lifecycle, again.applied) == (
        once.availability,
        once.lifecycle,
        once.applied,
    )
