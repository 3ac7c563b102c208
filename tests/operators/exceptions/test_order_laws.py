"""However facts arrive, the exceptions of orders are those the oracle finds by trying every instant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.policy import Policy
from operators.exceptions.order_walk import RULES
from tests.driving import Outcome, drive
from tests.histories import Event, batches, histories, permuted, smallest, table, unshrunk, with_repeats
from tests.oracle import Config
from tests.oracle.deadlines import Deadlines
from tests.oracle.exceptions import Stretch, of_orders
from tests.oracle.facts import by, distinct, moment
from tests.oracle.products import Catalogue

MINUTE = timedelta(minutes=1)
TIGHT = {
    "accepted": 15 * MINUTE,
    "allocated": 20 * MINUTE,
    "released": 25 * MINUTE,
    "picked": 30 * MINUTE,
    "packed": 35 * MINUTE,
    "shipped": 45 * MINUTE,
    "acknowledged": 10 * MINUTE,
    "delivered": 30 * MINUTE,
    "goods_issue": 15 * MINUTE,
    "posted": 20 * MINUTE,
    "shipment_confirmed": 12 * MINUTE,
    "refunded": 10 * MINUTE,
}
"""Everything can be missed within the four hours of a history; one channel keeps the default."""


def deadlines_of(config: Config) -> Deadlines:
    tight = dict.fromkeys(config.channels, TIGHT)
    return Deadlines(tight, 10 * MINUTE, 15 * MINUTE, frozenset(config.movements_false))


def policy_of(config: Config) -> Policy:
    settings, tight = config.settings(), deadlines_of(config).settings()
    channels = {name: {**stanza, **tight["channels"][name]} for name, stanza in settings["channels"].items()}
    return Policy.model_validate({**settings, "channels": channels, "time": tight["time"]})


def told(outcome: Outcome) -> set[Stretch]:
    """What was told of orders, by the last record of each, but for what was taken back."""
    mine = [record for record in outcome.last("exceptions").values() if record["code"] in RULES]
    return {
        Stretch(
            record["exception_id"],
            record["order_id"],
            moment(record["opened_at"]),
            moment(record["cleared_at"]) if record["cleared_at"] else None,
        )
        for record in mine
        if record["cleared_at"] != record["opened_at"]
    }


def true(arrived: Iterable[Event], config: Config) -> set[Stretch]:
    facts, _, _ = distinct(arrived := list(arrived))
    catalogue = Catalogue([fact for fact in facts if fact.type == "product.upserted"])
    orders = by([fact for fact in facts if fact.order_bound], lambda fact: [fact.data["order_id"]])
    end = max((moment(event["time"]) for event in arrived), default=None)
    return set() if end is None else of_orders(orders, catalogue, deadlines_of(config), end)


def difference(
    arrived: list[list[Event]], config: Config, crashes: frozenset[int] = frozenset()
) -> set[Stretch]:
    right = true((event for batch in arrived for event in batch), config)
    return told(drive(arrived, policy_of(config), crashes=crashes)) ^ right


def check(arrived: list[list[Event]], config: Config, crashes: frozenset[int] = frozenset()) -> None:
    if difference(arrived, config, crashes):
        few = smallest(arrived, lambda fewer: bool(difference(fewer, config)))
        pytest.fail("\n\n".join([repr(config), *map(table, few), *map(str, sorted(difference(few, config)))]))


@unshrunk
@given(st.data())
def test_within_lateness_in_any_batches_and_with_repeats(data: st.DataObject) -> None:
    history = data.draw(histories())
    arrived = data.draw(batches(data.draw(with_repeats(data.draw(permuted(history.events)), changed=True))))
    check(arrived, history.config, frozenset(data.draw(st.sets(st.integers(0, len(arrived))))))


@unshrunk
@given(st.data())
def test_however_late(data: st.DataObject) -> None:
    """What came too late to be told at once is put right, and what never was is taken back."""
    history = data.draw(histories())
    check(data.draw(batches(data.draw(permuted(history.events, None)))), history.config)


@unshrunk
@given(st.data())
def test_open_exceptions_are_listed_with_their_orders(data: st.DataObject) -> None:
    history = data.draw(histories())
    arrived = data.draw(batches(data.draw(permuted(history.events))))
    outcome = drive(arrived, policy_of(history.config))
    listed = {key for record in outcome.last("lifecycle").values() for key in record["exceptions"]}
    assert listed == {stretch.exception_id for stretch in told(outcome) if stretch.cleared_at is None}


@unshrunk
@given(st.data())
def test_each_is_told_opened_then_escalated_then_cleared(data: st.DataObject) -> None:
    """But for kits: a new list of components holds for all orders still known, and changes what was."""
    history = data.draw(histories())
    events = [event for event in history.events if event["data"].get("components") is None]
    arrived = data.draw(batches(data.draw(permuted(events))))
    statuses: dict[str, list[str]] = {}
    for record in drive(arrived, policy_of(history.config)).told.get("exceptions", []):
        if record["code"] in RULES:
            statuses.setdefault(record["exception_id"], []).append(record["status"])
    for told_of in statuses.values():
        assert told_of[0] == "opened"
        assert told_of.count("opened") == 1
        assert "cleared" not in told_of[:-1]
