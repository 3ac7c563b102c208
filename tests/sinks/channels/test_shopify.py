"""Shopify: compare-and-set when the shop has sold meanwhile, idempotency keys, and points."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sinks.channels.shopify_words import Change, failure, gid, key_of, points_wait, read_set
from sinks.channels.transport import Response
from tests.sinks.channels.fakes.shopify import Channel
from tests.sinks.channels.telling import open_desk, refused, taken, update, wait_for


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Channel]:
    fake = Channel(tmp_path)
    yield fake
    fake.close()


def answered(body: Any) -> Response:
    return Response(200, {}, json.dumps(body).encode())


def changes(*skus: str) -> list[Change]:
    return [Change(update(sku, 1), 1, 2) for sku in skus]


def cost(asked: float, left: float, rate: float) -> dict[str, Any]:
    status = {"maximumAvailable": 2000, "currentlyAvailable": left, "restoreRate": rate}
    return {"extensions": {"cost": {"requestedQueryCost": asked, "throttleStatus": status}}}


@pytest.mark.parametrize(
    ("said", "wait"),
    [(cost(13, 3, 100), 0.1), (cost(13, 13, 100), 0), (cost(13, 0, 0), 0), (cost(13, 0, 0.001), 60), ({}, 0)],
)
def test_how_long_until_a_call_can_be_paid_for(said: dict[str, Any], wait: float) -> None:
    assert points_wait(said) == wait


def test_throttled_comes_with_a_good_status() -> None:
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    (answer,) = failure(answered({"errors": [error], **cost(10, 5, 50)}), changes("a"))
    assert (answer.code, answer.wait, answer.again) == ("throttled", 0.1, True)


@pytest.mark.parametrize(
    ("body", "code", "again"),
    [
        ({"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}]}, "ACCESS_DENIED", False),
        (
            {"errors": [{"message": "?", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]},
            "channel_failed",
            True,
        ),
        ({"errors": "text"}, "channel_failed", True),
        ([], "channel_failed", True),
    ],
)
def test_other_failures_with_a_good_status(body: Any, code: str, *, again: bool) -> None:
    (answer,) = failure(answered(body), changes("a"))
    assert (answer.code, answer.again) == (code, again)


@pytest.mark.parametrize(
    ("field", "place"),
    [
        (["input", "quantities", "1", "quantity"], 1),
        (["input"], None),
        (None, None),
        (["input", "quantities", "9"], None),
    ],
)
def test_errors_are_laid_at_the_door_of_the_sku_they_name(field: Any, place: int | None) -> None:
    errors = [{"code": "INVALID_QUANTITY_TOO_LOW", "field": field, "message": "m"}]
    outcome = read_set(
        answered({"data": {"inventorySetQuantities": {"userErrors": errors}}}), changes("a", "b")
    )
    assert outcome.errors == {place: ("INVALID_QUANTITY_TOO_LOW", "m")}


def test_ids_are_never_numbers() -> None:
    assert gid("InventoryItem", "820982911946154508") == "gid://shopify/InventoryItem/820982911946154508"
    assert gid("InventoryItem", "gid://shopify/InventoryItem/1") == "gid://shopify/InventoryItem/1"


def test_the_same_changes_have_the_same_key_and_others_another() -> None:
    assert key_of(changes("a", "b"), 0) == key_of(changes("a", "b"), 0)
    assert len({key_of(changes("a", "b"), 0), key_of(changes("a"), 0), key_of(changes("a", "b"), 1)}) == 3


def test_a_sale_we_have_heard_of_costs_one_look(shop: Channel) -> None:
    shop.shown = {"L-s": 8}
    desk = open_desk({"c": shop.policy(lowers_on_sale=True)})
    desk.submit([update("s", 8, previous_quantity=10)])
    told = wait_for(desk, lambda told: len(told) == 1)
    desk.close()
    assert taken(told) == {"s": (1, 8)}
    assert shop.applied == []


def test_a_sale_we_may_not_have_heard_of_is_not_undone(shop: Channel) -> None:
    shop.shown = {"L-s": 7}
    desk = open_desk({"c": shop.policy(lowers_on_sale=True)})
    desk.submit([update("s", 9, previous_quantity=10)])
    told = wait_for(desk, lambda told: len(told) == 1)
    assert taken(told) == {"s": (1, 7)}, "its own word of what it shows"
    assert shop.applied == []
    desk.submit([update("s", 9, 2, previous_quantity=10)])
    wait_for(desk, lambda told: taken(told) == {"s": (2, 9)})
    desk.close()
    assert shop.shown == {"L-s": 9}


def test_fewer_are_offered_at_once_whatever_was_sold(shop: Channel) -> None:
    shop.shown = {"L-s": 7}
    desk = open_desk({"c": shop.policy(lowers_on_sale=True)})
    desk.submit([update("s", 2, previous_quantity=10)])
    told = wait_for(desk, lambda told: len(told) == 1)
    desk.close()
    assert taken(told) == {"s": (1, 2)}
    assert shop.shown == {"L-s": 2}


def test_an_oversold_item_that_should_show_nothing_is_left_as_it_is(shop: Channel) -> None:
    shop.shown = {"L-s": -2}
    desk = open_desk({"c": shop.policy(lowers_on_sale=True)})
    desk.submit([update("s", 0, previous_quantity=1)])
    told = wait_for(desk, lambda told: len(told) == 1)
    desk.close()
    assert taken(told) == {"s": (1, 0)}
    assert shop.applied == []


def test_a_batch_goes_through_without_those_that_are_wrong(shop: Channel) -> None:
    shop.shown = {"L-a": 5, "L-b": 4, "L-c": 3}
    shop.unknown.add("L-d")
    desk = open_desk({"c": shop.policy(batch=10)})
    wanted = [update("a", 1, previous_quantity=5), update("b", 1, previous_quantity=9)]
    desk.submit([*wanted, update("c", 1, previous_quantity=3), update("d", 1, previous_quantity=3)])
    told = wait_for(desk, lambda told: len(told) == 4)
    desk.close()
    assert shop.shown == {"L-a": 1, "L-b": 1, "L-c": 1}
    assert refused(told) == {"d": "ITEM_NOT_STOCKED_AT_LOCATION"}
    assert shop.sizes == [4, 3]


@pytest.mark.parametrize("code", ["IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "IDEMPOTENCY_CONCURRENT_REQUEST"])
def test_a_key_that_is_spoilt_or_in_use_costs_another_call(shop: Channel, code: str) -> None:
    shop.next_errors.append(code)
    desk = open_desk({"c": shop.policy()})
    desk.submit([update("s", 4)])
    told = wait_for(desk, lambda told: "s" in taken(told))
    desk.close()
    assert shop.shown == {"L-s": 4}
    assert refused(told) == {}


def test_a_change_that_was_made_and_not_answered_is_made_once(shop: Channel) -> None:
    shop.shown = {"L-s": 9}
    shop.faults.append("lost_after")
    desk = open_desk({"c": shop.policy()})
    desk.submit([update("s", 4, previous_quantity=9)])
    wait_for(desk, lambda told: taken(told) == {"s": (1, 4)})
    desk.close()
    assert shop.applied == [("L-s", 4)]


def test_points_are_never_spent_that_are_not_there(shop: Channel) -> None:
    shop.points_a_second = 150.0
    desk = open_desk({"c": shop.policy()})
    desk.submit([update(f"s{n}", n) for n in range(45)])
    wait_for(desk, lambda told: len(taken(told)) == 45)
    desk.close()
    assert shop.violations == []
