"""The oracle judged by hand: worked examples of DESIGN section 4 and of the decisions, one fact per test."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.minimal_events import Event, counted, event, issued, kit, placed, receipt, shipped
from tests.oracle import Config, Result, oracle


def ats(result: Result, sku: str = "S", pool: str = "all") -> int:
    (found,) = [entry for entry in result.availability[sku]["pools"] if entry["pool"] == pool]
    return int(found["ats"])


def place(result: Result, location: str, sku: str = "S") -> dict[str, int]:
    (found,) = [entry for entry in result.availability[sku]["locations"] if entry["location"] == location]
    return {name: units for name, units in found.items() if name != "location"}


def line(result: Result, position: int = 0) -> dict[str, Any]:
    return dict(result.lifecycle["O"]["lines"][position])


TWO_POOLS = Config(pools={"P": ["A", "B"], "Q": ["B"]}, channels={"web": "Q"})


def test_the_worked_example_of_overlapping_pools() -> None:
    result = oracle([receipt("A", 2), receipt("B", 3), placed(4)], TWO_POOLS)
    assert (ats(result, pool="P"), ats(result, pool="Q")) == (2, 0)
    assert result.availability["S"]["shortage"] == 1


def test_a_record_has_the_fields_of_the_contract() -> None:
    events = [
        receipt("A", 9),
        placed(4, "A"),
        shipped("A", 1),
        event("product.upserted", 5, sku="S", safety_stock={"A": 2}),
    ]
    assert oracle(events).availability["S"] == {
        "sku": "S",
        "version": 4,
        "as_of": "2026-03-01T00:05:00Z",
        "pools": [{"pool": "all", "ats": 3, "unallocated": 0}],
        "shortage": 0,
        "locations": [
            {
                "location": "A",
                "on_hand": 9,
                "unavailable": 0,
                "committed": 3,
                "pending_issue": 1,
                "safety_stock": 2,
                "free": 5,
            }
        ],
        "correlationid": "S",
    }


@pytest.mark.parametrize("order", [["shipped"], ["issued"], ["shipped", "issued"], ["issued", "shipped"]])
def test_leaving_from_where_it_was_committed_leaves_ats(order: list[str]) -> None:
    steps = {"shipped": shipped("A", 3), "issued": issued("A", 3, line_id="1")}
    assert ats(oracle([receipt("A", 10), placed(5, "A"), *(steps[name] for name in order)])) == 5


def test_leaving_from_elsewhere_moves_ats_by_the_difference() -> None:
    config = Config(pools={"P": ["A"]}, channels={"web": "P"})
    assert ats(oracle([receipt("A", 10), placed(5, "A"), shipped("B", 3)], config), pool="P") == 8


def test_safety_stock_may_keep_a_promise_but_not_make_one() -> None:
    result = oracle([receipt("A", 5), placed(3)], Config(location_safety={"A": 4}))
    assert (ats(result), result.availability["S"]["shortage"]) == (0, 0)


def test_a_deficit_is_paid_from_the_pools_its_location_is_in() -> None:
    result = oracle([receipt("A", 2), receipt("B", 3), placed(4, "B")], TWO_POOLS)
    assert (ats(result, pool="P"), ats(result, pool="Q")) == (1, 0)


def test_a_rejected_order_commits_nothing_until_it_is_accepted_again() -> None:
    refused = [receipt("A", 5), placed(3), event("order.rejected", 4, order_id="O", reason="credit")]
    assert ats(oracle(refused)) == 5
    assert ats(oracle([*refused, event("order.accepted", 5, order_id="O")])) == 2


def test_cancellations_are_cumulative() -> None:
    some = [
        event("order.cancelled", m, order_id="O", lines=[{"line_id": "1", "quantity": q}])
        for m, q in [(4, 3), (5, 2)]
    ]
    assert line(oracle([placed(5), *some]))["open"] == 2


def test_the_highest_version_of_a_document_wins_whenever_it_arrives() -> None:
    assert line(oracle([placed(7, version=3, minute=1), placed(5, version=2, minute=9)]))["ordered"] == 7


def test_a_repeated_shipment_id_is_the_same_shipment() -> None:
    assert line(oracle([placed(5), shipped("A", 2), shipped("A", 2)]))["shipped"] == 2


def test_a_second_arrival_is_a_duplicate_whatever_it_holds() -> None:
    first = receipt("A", 5)
    result = oracle([first, {**first, "data": {**first["data"], "quantity": 9}}])
    assert (ats(result), result.applied, result.duplicate) == (5, {"inventory": 1}, {"inventory": 1})


def test_an_allocation_is_used_up_in_its_own_order() -> None:
    rows = [{"line_id": "1", "location": at, "quantity": 2} for at in ("B", "A")]
    events = [placed(5, "C"), event("order.allocated", 2, order_id="O", version=1, lines=rows)]
    cancelled = event("order.cancelled", 3, order_id="O", lines=[{"line_id": "1", "quantity": 2}])
    result = oracle([*events, cancelled])
    assert (place(result, "B")["committed"], place(result, "A")["committed"]) == (2, 1)
    assert oracle(events).availability["S"]["pools"][0]["unallocated"] == 1


def test_an_issue_without_a_line_goes_to_the_lines_of_its_sku_in_order() -> None:
    lines = [{"line_id": x, "sku": "S", "quantity": 2, "unit_price": "1"} for x in ("1", "2")]
    result = oracle([placed(1, lines=lines), issued("A", 5)])
    assert [line(result, at)["issued"] for at in (0, 1)] == [2, 3]


def test_a_shipment_of_an_unknown_line_is_owed_to_the_book() -> None:
    result = oracle([receipt("A", 5), placed(1, "A"), shipped("A", 2, line_id="9")])
    assert place(result, "A")["pending_issue"] == 2
    assert line(result, 1) == {
        "line_id": "9",
        "sku": "S",
        "ordered": 0,
        "cancelled": 0,
        "shipped": 2,
        "issued": 0,
        "open": 0,
    }


COUNTS = {
    "later movements are added": ([counted("A", 7, 10), receipt("A", 2, minute=11)], 9),
    "earlier movements are in the count": ([receipt("A", 2, minute=9), counted("A", 7, 10)], 7),
    "the newest cut wins, not the last arrival": ([counted("A", 7, 10), counted("A", 3, 5)], 7),
    "at one time the higher sequence wins": (
        [counted("A", 7, 10, through_sequence=5), counted("A", 3, 10, through_sequence=4)],
        7,
    ),
    "a status has its own count": ([counted("A", 7, 10), counted("A", 3, 10, status="damaged")], 10),
}


@pytest.mark.parametrize("case", COUNTS.values(), ids=COUNTS)
def test_a_count_sets_the_book_at_its_cut(case: tuple[list[Event], int]) -> None:
    events, on_hand = case
    assert place(oracle(events), "A")["on_hand"] == on_hand


@pytest.mark.parametrize(("source", "on_hand"), [("/wms", 9), ("/other", 7)])
def test_a_sequence_cuts_only_within_its_source(source: str, on_hand: int) -> None:
    moved = {"sku": "S", "location": "A", "quantity": 2, "reason": "receipt"}
    early = event("inventory.moved", 9, source=source, sequence=6, **moved)
    assert place(oracle([counted("A", 7, 10, through_sequence=5), early]), "A")["on_hand"] == on_hand


def test_a_change_of_status_moves_units_out_of_sale() -> None:
    change: Event = {
        "sku": "S",
        "location": "A",
        "quantity": 2,
        "from_status": "sellable",
        "to_status": "hold",
    }
    result = oracle([receipt("A", 5), event("inventory.status_changed", 1, **change)])
    assert (place(result, "A")["on_hand"], place(result, "A")["unavailable"], ats(result)) == (5, 2, 3)


@pytest.mark.parametrize(("minute", "pending"), [(31, 2), (32, 0)])
def test_where_nothing_moves_a_count_settles_shipments(minute: int, pending: int) -> None:
    config = Config(movements_false={"A"}, cut_margin=timedelta(minutes=30))
    result = oracle([placed(5, "A"), shipped("A", 2, minute=2), counted("A", 9, minute)], config)
    assert place(result, "A")["pending_issue"] == pending


@pytest.mark.parametrize(("minute", "expected"), [(1, 9), (2, 7)])
def test_a_count_net_of_promises_is_not_lowered_again(minute: int, expected: int) -> None:
    result = oracle([counted("A", 9, 1), placed(2, "A", minute)], Config(counts_available={"A"}))
    assert ats(result) == expected


def test_a_kit_is_as_scarce_as_its_scarcest_component() -> None:
    result = oracle([kit({"S": 2, "T": 1}), receipt("A", 9), receipt("A", 3, sku="T")])
    assert ats(result, "K") == 3
    assert (result.availability["K"]["shortage"], result.availability["K"]["locations"]) == (0, [])


def test_a_kit_of_kits_comes_down_to_plain_units() -> None:
    assert ats(oracle([kit({"K": 2}, sku="KK"), kit({"S": 2}), receipt("A", 9)]), "KK") == 2


@pytest.mark.parametrize("leave", [shipped("A", 1, sku="K"), issued("A", 1, sku="K"), issued("A", 2)])
def test_a_kit_leaves_by_its_own_name_or_its_components(leave: Event) -> None:
    events = [kit({"S": 2}), receipt("A", 9), placed(2, "A", sku="K"), leave]
    result = oracle(events)
    assert (ats(result), place(result, "A")["committed"], line(result)["open"]) == (5, 2, 1)


def test_a_channel_without_a_pool_draws_on_every_location() -> None:
    result = oracle([receipt("A", 2), receipt("B", 3), placed(4, channel="other")], TWO_POOLS)
    assert [(x["pool"], x["ats"], x["unallocated"]) for x in result.availability["S"]["pools"]] == [
        ("P", 1, 0),
        ("Q", 1, 0),
        ("all", 1, 4),
    ]


def test_no_version_falls_when_a_kit_is_defined_anew() -> None:
    before = [kit({"S": 1}), receipt("A", 9), placed(1, sku="K")]
    after = [*before, kit({"T": 1}, minute=5), kit({}, minute=6)]
    versions = [oracle(events).availability for events in (before, after)]
    assert [told["K"]["version"] for told in versions] == [4, 7]
    assert [told["S"]["version"] for told in versions] == [2, 2]
