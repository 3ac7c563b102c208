"""Walmart: calls left told in headers, feeds in pages, errors in three shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canonical.policy import Sla
from sinks.channels.transport import Response
from sinks.channels.walmart_words import read_feed, read_single, replenished_in
from tests.sinks.channels.fakes.walmart import Channel
from tests.sinks.channels.telling import open_desk, refused, taken, update, wait_for

HURRY = Sla(stock_sync=timedelta(milliseconds=100))


@pytest.fixture
def walmart(tmp_path: Path) -> Iterator[Channel]:
    fake = Channel(tmp_path)
    yield fake
    fake.close()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-current-token-count": "0", "x-next-replenish-time": "1000000030000"}, 30),
        ({"x-current-token-count": "0", "x-next-replenishment-time": "1000000030"}, 30),
        ({"x-current-token-count": "0", "x-next-replenish-time": "12"}, 12),
        ({"x-current-token-count": "0", "x-next-replenish-time": "999999999000"}, 0),
        ({"x-current-token-count": "3", "x-next-replenish-time": "1000030000000"}, None),
        ({"x-current-token-count": "0"}, None),
        ({"x-current-token-count": "0", "x-next-replenish-time": "soon"}, None),
        ({}, None),
    ],
)
def test_when_there_will_be_calls_again(headers: dict[str, str], wait: float | None) -> None:
    assert replenished_in(headers, 1e9) == wait


@pytest.mark.parametrize(
    "body",
    [
        {"errors": {"error": [{"code": "NO_SUCH", "description": "item"}]}},
        {"errors": [{"code": "NO_SUCH", "description": "item"}]},
        {"error": [{"code": "NO_SUCH", "info": "item"}]},
    ],
)
def test_errors_are_read_in_every_shape(body: Any) -> None:
    answer = read_single(Response(400, {}, json.dumps(body).encode()), update("s", 1))
    assert (answer.code, answer.message, answer.again) == ("NO_SUCH", "NO_SUCH: item", False)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"feedStatus": "RECEIVED"}, None),
        ({"feedStatus": "INPROGRESS"}, None),
        ({}, None),
        ({"feedStatus": "ERROR"}, ["feed_error", "feed_error"]),
        ({"feedStatus": "PROCESSED", "itemsFailed": 0}, [None, None]),
        ({"feedStatus": "PROCESSED", "itemsFailed": 1}, ["not_answered", "not_answered"]),
        (
            {
                "feedStatus": "PROCESSED",
                "itemDetails": {
                    "itemIngestionStatus": [
                        {"sku": "L-b", "ingestionStatus": "SYSTEM_ERROR"},
                        {"sku": "L-a", "ingestionStatus": "SUCCESS"},
                    ]
                },
            },
            [None, "SYSTEM_ERROR"],
        ),
    ],
)
def test_what_became_of_a_feed(said: dict[str, Any], expected: list[str | None] | None) -> None:
    answers = read_feed(said, [update("a", 1), update("b", 2)])
    assert (None if answers is None else [answer.code for answer in answers]) == expected


def test_a_feed_takes_over_when_single_calls_would_take_too_long(walmart: Channel) -> None:
    walmart.unknown.update({"L-s3", "L-s70"})
    desk = open_desk({"c": walmart.policy(sla=HURRY)})
    desk.submit([update(f"s{n}", n) for n in range(120)])
    told = wait_for(desk, lambda told: len(told) == 120)
    desk.close()
    assert len(walmart.feeds) == 1
    assert refused(told) == {"s3": "ERR_EXT_DATA_0101", "s70": "ERR_EXT_DATA_0101"}
    assert walmart.shown == {f"L-s{n}": n for n in range(120) if n not in {3, 70}}
    assert walmart.violations == []


def test_without_a_ship_node_there_is_no_feed(walmart: Channel) -> None:
    policy = walmart.policy(sla=HURRY)
    policy = policy.model_copy(update={"api": policy.api.model_copy(update={"location": None})})
    desk = open_desk({"c": policy})
    desk.submit([update(f"s{n}", n) for n in range(8)])
    wait_for(desk, lambda _: any(name == "single" for name, _ in walmart.calls))
    desk.close()
    assert walmart.feeds == {}


def test_a_feed_whose_making_was_not_answered_is_found_again(walmart: Channel) -> None:
    walmart.faults.append("lost_after")
    desk = open_desk({"c": walmart.policy(sla=HURRY)})
    desk.submit([update(f"s{n}", n) for n in range(20)])
    wait_for(desk, lambda told: len(taken(told)) == 20)
    desk.close()
    assert len(walmart.feeds) == 1


@pytest.mark.parametrize(
    "spelling", ["x-next-replenish-time", "X-Next-Replenishment-Time", "X-NEXT-REPLENISH-TIME"]
)
def test_no_call_before_the_bucket_is_full_again(walmart: Channel, spelling: str) -> None:
    walmart.spelling = spelling
    walmart.faults.append("busy")
    desk = open_desk({"c": walmart.policy()})
    desk.submit([update("s", 3)])
    wait_for(desk, lambda told: taken(told) == {"s": (1, 3)})
    desk.close()
    assert walmart.violations == []
