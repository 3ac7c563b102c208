"""Where the oracle says an order stands, judged by hand: one fact per test."""

from __future__ import annotations

from tests.minimal_events import event, placed, shipped
from tests.oracle import oracle


def test_an_order_is_shipped_by_the_last_shipment_needed() -> None:
    result = oracle([placed(5), shipped("A", 2, 9), shipped("A", 3, 7), shipped("A", 1, 11)])
    assert result.lifecycle["O"]["milestones"]["shipped"] == "2026-03-01T00:09:00Z"
    assert result.lifecycle["O"]["state"] == "shipped"


def test_a_later_milestone_implies_the_earlier_ones() -> None:
    told = oracle([placed(5), event("order.packed", 6, order_id="O"), event("order.picked", 8, order_id="O")])
    times = {name: time[14:16] for name, time in told.lifecycle["O"]["milestones"].items()}
    early = dict.fromkeys(["accepted", "allocated", "released", "picked", "packed"], "06")
    assert times == {"placed": "01", **early}


def test_delivered_waits_for_every_shipment() -> None:
    events = [placed(2), shipped("A", 1, 3), shipped("A", 1, 4)]
    events.append(event("shipment.delivered", 8, order_id="O", shipment_id="H3"))
    assert oracle(events).lifecycle["O"]["state"] == "shipped"
    events.append(event("shipment.delivered", 9, order_id="O", shipment_id="H4"))
    assert oracle(events).lifecycle["O"]["milestones"]["delivered"] == "2026-03-01T00:09:00Z"


def test_cancelled_needs_that_nothing_left() -> None:
    events = [placed(2), event("order.cancelled", 3, order_id="O")]
    assert oracle(events).lifecycle["O"]["state"] == "cancelled"
    assert oracle([*events, shipped("A", 1)]).lifecycle["O"]["state"] == "shipped"


def test_an_order_only_heard_of_is_unknown() -> None:
    record = oracle([event("posting.recorded", 1, order_id="O", posting_id="1", kind="payment")]).lifecycle[
        "O"
    ]
    assert (record["state"], record["channel"], record["version"]) == ("unknown", None, 1)


def test_units_of_an_unknown_order_do_not_make_it_shipped() -> None:
    assert oracle([shipped("A", 1)]).lifecycle["O"]["state"] == "unknown"
