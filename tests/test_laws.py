"""The laws of the whole job, tried on hundreds of histories: how facts arrive cannot change what is true."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.policy import Policy
from tests.driving import Outcome, drive
from tests.histories import (
    Event,
    History,
    batches,
    histories,
    permuted,
    smallest,
    table,
    unshrunk,
    with_repeats,
)
from tests.histories.departures import departures
from tests.oracle import Config, oracle

Batches = list[list[Event]]


def policy_of(config: Config) -> Policy:
    return Policy.model_validate(config.settings())


@st.composite
def arrivals(draw: st.DrawFn, told: History, *, changed: bool = False) -> Batches:
    """The history as it may come in: in any order, with repeats, in any batches."""
    anyhow = draw(permuted(told.events, None))
    return draw(batches(draw(with_repeats(anyhow, changed=changed))))


def last(outcome: Outcome) -> tuple[dict[str, Any], dict[str, Any]]:
    return outcome.last("availability"), outcome.last("lifecycle")


def disagreements(arrived: Batches, config: Config) -> list[str]:
    """Every field of every last record in which the job and the oracle differ."""
    truth = oracle([event for batch in arrived for event in batch], config)
    found = []
    for told, true in zip(
        last(drive(arrived, policy_of(config))), (truth.availability, truth.lifecycle), strict=True
    ):
        for key in sorted(told.keys() | true.keys()):
            ours, theirs = told.get(key, {}), true.get(key, {})
            # Open exceptions are judged by the tests of their own.
            fields = (theirs.keys() | ours.keys()) - {"exceptions"}
            fields = {field for field in fields if ours.get(field) != theirs.get(field)}
            found += [f"{key} {field}: told {ours.get(field)}, true {theirs.get(field)}" for field in fields]
    return found


@unshrunk
@given(st.data())
def test_the_job_ends_where_the_oracle_does(data: st.DataObject) -> None:
    told = data.draw(histories())
    arrived = data.draw(arrivals(told, changed=True))
    if disagreements(arrived, told.config):
        few = smallest(arrived, lambda fewer: bool(disagreements(fewer, told.config)))
        story = [repr(told.config), *map(table, few), *disagreements(few, told.config)]
        pytest.fail("\n\n".join(story))


@unshrunk
@given(st.data())
def test_every_input_is_applied_or_a_duplicate(data: st.DataObject) -> None:
    told = data.draw(histories())
    arrived = data.draw(arrivals(told, changed=True))
    truth = oracle([event for batch in arrived for event in batch], told.config)
    counts = drive(arrived, policy_of(told.config)).counts
    assert {stem: count["applied"] for stem, count in counts.items() if count["read"]} == truth.applied
    assert {stem: n for stem, count in counts.items() if (n := count["duplicate"])} == truth.duplicate
    assert all(c["read"] == c["applied"] + c["duplicate"] + c["dead_letter"] for c in counts.values())


@unshrunk
@given(st.data())
def test_arrival_order_repeats_and_batches_do_not_matter(data: st.DataObject) -> None:
    told = data.draw(histories())
    anyhow, plainly = data.draw(arrivals(told)), [told.events]
    assert last(drive(anyhow, policy_of(told.config))) == last(drive(plainly, policy_of(told.config)))


@unshrunk
@given(st.data())
def test_a_crash_between_batches_does_not_matter(data: st.DataObject) -> None:
    told = data.draw(histories())
    arrived = data.draw(arrivals(told, changed=True))
    crashes = frozenset(data.draw(st.sets(st.integers(0, len(arrived)))))
    crashed = drive(arrived, policy_of(told.config), crashes=crashes)
    assert crashed == drive(arrived, policy_of(told.config))


@unshrunk
@given(st.data())
def test_every_record_told_makes_sense(data: st.DataObject) -> None:
    told = data.draw(histories())
    outcome = drive(data.draw(arrivals(told)), policy_of(told.config))
    for record in outcome.told.get("availability", []):
        assert record["shortage"] >= 0
        assert all(pool["ats"] >= 0 and pool["unallocated"] >= 0 for pool in record["pools"])
        for at in record["locations"]:
            assert at["free"] == at["on_hand"] - at["unavailable"] - at["committed"] - at["pending_issue"]
            assert min(at["committed"], at["pending_issue"], at["safety_stock"]) >= 0


@unshrunk
@given(st.data())
def test_no_version_told_ever_falls(data: st.DataObject) -> None:
    told = data.draw(histories())
    outcome = drive(data.draw(arrivals(told)), policy_of(told.config))
    for stem, key in (("availability", "sku"), ("lifecycle", "order_id")):
        versions: dict[str, list[int]] = defaultdict(list)
        for record in outcome.told.get(stem, []):
            versions[record[key]].append(record["version"])
        assert {name: seen for name, seen in versions.items() if seen != sorted(seen)} == {}


@unshrunk
@given(st.integers(0, 2**24 - 1), st.data())
def test_units_leaving_from_where_they_were_committed_never_move_ats(seed: int, data: st.DataObject) -> None:
    promised, leaving = departures(seed)
    anyhow = data.draw(permuted(leaving, None))
    arrived = data.draw(batches(data.draw(with_repeats(anyhow))))
    told = drive([promised.events, *arrived], policy_of(promised.config)).told["availability"]
    assert {key: offers for key, offers in every_ats(told).items() if len(offers) > 1} == {}


def every_ats(records: Iterable[dict[str, Any]]) -> dict[tuple[str, str], set[int]]:
    """Every ats ever told, by SKU and pool."""
    told: dict[tuple[str, str], set[int]] = defaultdict(set)
    for record in records:
        for pool in record["pools"]:
            told[record["sku"], pool["pool"]].add(pool["ats"])
    return told
