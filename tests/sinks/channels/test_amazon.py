"""Amazon: patches that are only accepted, feeds that finish later and partly, and which way is taken when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from canonical.policy import Sla
from sinks.channels import amazon_words as words
from sinks.channels.driver import Answer, taken
from sinks.channels.transport import Response
from tests.sinks.channels.fakes.amazon import Channel
from tests.sinks.channels.telling import open_desk, refused, update, wait_for
from tests.sinks.channels.telling import taken as taken_by

HURRY = Sla(stock_sync=timedelta(milliseconds=100))


@pytest.fixture
def amazon(tmp_path: Path) -> Iterator[Channel]:
    fake = Channel(tmp_path)
    yield fake
    fake.close()


def answered(status: int, body: object) -> Response:
    return Response(status, {}, json.dumps(body).encode())


def codes(answers: list[Answer]) -> list[tuple[str, str | None]]:
    return [(answer.update.sku, answer.code) for answer in answers]


@pytest.mark.parametrize(
    ("response", "code", "again"),
    [
        (answered(200, {"status": "INVALID", "issues": [{"code": "9", "severity": "ERROR"}]}), "9", False),
        (answered(200, {"status": "INVALID"}), "INVALID", False),
        (answered(200, "nonsense"), "channel_failed", False),
        (answered(429, {"errors": [{"code": "QuotaExceeded"}]}), "throttled", True),
        (answered(500, {}), "channel_failed", True),
        (answered(403, {}), "unauthorised", False),
        (answered(400, {"errors": [{"code": "InvalidInput", "message": "no"}]}), "http_400", False),
    ],
)
def test_what_a_patch_was_answered(response: Response, code: str, *, again: bool) -> None:
    answer = words.read_patch(response, update("s", 1))
    assert answer is not None
    assert (answer.code, answer.again) == (code, again)


def test_accepted_is_not_applied() -> None:
    assert (
        words.read_patch(
            answered(200, {"status": "ACCEPTED", "issues": [{"severity": "WARNING"}]}), update("s", 1)
        )
        is None
    )


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"summary": {}, "issues": []}, [None, None]),
        ({"summary": {}, "issues": [{"messageId": 2, "severity": "ERROR", "code": "7"}]}, [None, "7"]),
        ({"summary": {}, "issues": [{"severity": "ERROR", "code": "8", "message": "bad feed"}]}, ["8", "8"]),
        ({"summary": {}, "issues": [{"messageId": 1, "severity": "WARNING", "code": "7"}]}, [None, None]),
        ({"issues": []}, ["bad_report", "bad_report"]),
        ([], ["bad_report", "bad_report"]),
    ],
)
def test_what_a_report_says_of_each_message(report: Any, expected: list[str | None]) -> None:
    answers = words.read_report(json.dumps(report).encode(), [update("a", 1), update("b", 2)])
    assert [answer.code for answer in answers] == expected


def test_several_issues_of_one_message_are_one_refusal() -> None:
    issues = [{"messageId": 1, "severity": "ERROR", "code": "7", "message": text} for text in ("one", "two")]
    (answer,) = words.read_report(json.dumps({"summary": {}, "issues": issues}).encode(), [update("a", 1)])
    assert answer.message == "one; two"
    assert taken(update("a", 1)).quantity == 1


def test_a_feed_takes_over_when_patching_would_take_too_long(amazon: Channel) -> None:
    amazon.unknown.update({"L-s3", "L-s7"})
    desk = open_desk({"c": amazon.policy(sla=HURRY)})
    desk.submit([update(f"s{n}", n) for n in range(40)])
    told = wait_for(desk, lambda told: len(told) == 40)
    desk.close()
    assert len(amazon.feeds) == 1
    assert refused(told) == {"s3": "90220", "s7": "90220"}
    assert amazon.shown == {f"L-s{n}": n for n in range(40) if n not in {3, 7}}
    assert not [call for call, _ in amazon.calls if call == "patch"]
    assert amazon.violations == []


def test_a_sku_in_an_open_feed_is_told_by_nothing_else_until_it_ends(amazon: Channel) -> None:
    desk = open_desk({"c": amazon.policy(sla=HURRY)})
    desk.submit([update(f"s{n}", 50) for n in range(20)])
    wait_for(desk, lambda _: bool(amazon.feeds))
    desk.submit([update("s1", 40, 2), update("s1", 30, 3), update("other", 1)])
    told = wait_for(desk, lambda told: taken_by(told).get("s1") == (3, 30) and "other" in taken_by(told))
    desk.close()
    assert [quantity for sku, quantity in amazon.applied if sku == "L-s1"] == [50, 30]
    assert "s1" not in refused(told)


def test_a_fatal_feed_is_refused_whole_since_nobody_knows_what_it_did(amazon: Channel) -> None:
    amazon.last_status = "FATAL"
    desk = open_desk({"c": amazon.policy(sla=HURRY)})
    desk.submit([update(f"s{n}", n) for n in range(20)])
    told = wait_for(desk, lambda told: len(told) == 20)
    desk.close()
    assert set(refused(told).values()) == {"feed_fatal"}


@pytest.mark.parametrize("fault", ["lost_after", "slow"])
def test_a_feed_whose_making_was_not_answered_is_found_again(amazon: Channel, fault: str) -> None:
    amazon.faults.append(fault)
    desk = open_desk({"c": amazon.policy(sla=HURRY)})
    desk.submit([update(f"s{n}", n) for n in range(20)])
    wait_for(desk, lambda told: len(taken_by(told)) == 20)
    desk.close()
    assert len(amazon.feeds) == 1


def test_a_patch_that_is_never_applied_is_a_refusal_in_the_end(amazon: Channel) -> None:
    amazon.never.add("L-s")
    amazon.shown["L-s"] = 9
    desk = open_desk({"c": amazon.policy(answer_within=timedelta(seconds=0.5))})
    desk.submit([update("s", 4, previous_quantity=9)])
    told = wait_for(desk, lambda told: len(told) == 1)
    desk.close()
    assert refused(told) == {"s": "not_applied"}


def test_a_listing_that_sold_meanwhile_is_told_of_by_what_it_shows(amazon: Channel) -> None:
    amazon.never.add("L-s")
    amazon.shown["L-s"] = 3
    desk = open_desk({"c": amazon.policy(answer_within=timedelta(seconds=0.5))})
    desk.submit([update("s", 4, previous_quantity=9)])
    told = wait_for(desk, lambda told: len(told) == 1)
    desk.close()
    assert taken_by(told) == {"s": (1, 3)}


def test_a_document_at_a_host_that_is_not_allowed_is_never_written(amazon: Channel) -> None:
    amazon.url = amazon.url.replace("127.0.0.1", "localhost")
    policy = amazon.policy(sla=HURRY)
    api = policy.api.model_copy(update={"endpoint": amazon.url.replace("localhost", "127.0.0.1")})
    api = api.model_copy(update={"token_endpoint": f"{api.endpoint}/auth/o2/token"})
    desk = open_desk({"c": policy.model_copy(update={"api": api})})
    desk.submit([update(f"s{n}", n) for n in range(20)])
    told = wait_for(desk, lambda told: len(told) == 20)
    desk.close()
    assert set(refused(told).values()) == {"channel_failed"}
    assert not any(amazon.documents.values())
