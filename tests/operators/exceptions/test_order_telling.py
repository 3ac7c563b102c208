"""What is told of an order's exceptions, and when: worth, escalation, taking back, waking, lifecycle."""

from __future__ import annotations

from typing import Any

from operators.exceptions.order_walk import RULES
from tests.driving import Outcome
from tests.operators.exceptions.stories import (
    at,
    cancelled,
    event,
    issued,
    news,
    only,
    passing,
    placed,
    refunded,
    run,
    shipped,
    spans,
    told,
)


def steps(outcome: Outcome, code: str = "order_stalled") -> list[tuple[str, str]]:
    return [(record["status"], record["severity"]) for record in told(outcome, code)]


def only_one(outcome: Outcome, code: str) -> dict[str, Any]:
    (record,) = told(outcome, code)
    return record


def test_an_exception_says_what_it_is_worth_and_whose_it_is() -> None:
    order = placed(quantity=3)
    record = only_one(run([order], only(picked="30m"), 60), "order_stalled")
    assert (record["units"], record["value"], record["currency"]) == (3, "30.00", "EUR")
    assert (record["owner"], record["order_id"], record["channel"]) == ("warehouse", "O", "web")
    assert record["evidence"] == [f"/test {order['id']}"]
    assert record["correlationid"] == "O"
    assert record["message"] == (
        "Order O (web), placed 2026-03-01 08:00 UTC, was to be picked by 2026-03-01 08:30 UTC and is not:"
        " have it picked."
    )


def test_each_milestone_has_its_owner() -> None:
    allowed = dict.fromkeys(("accepted", "allocated", "released", "picked", "packed", "shipped"), "10m")
    late = run([placed()], only(**allowed), 20)
    after = run([placed(), shipped(5)], only(acknowledged="10m", delivered="10m"), 20)
    owners = {
        record["exception_id"]: record["owner"]
        for one in (late, after)
        for record in told(one, "order_stalled")
    }
    assert owners == {
        "order_stalled:O|accepted:1": "finance",
        "order_stalled:O|allocated:1": "warehouse",
        "order_stalled:O|released:1": "warehouse",
        "order_stalled:O|picked:1": "warehouse",
        "order_stalled:O|packed:1": "warehouse",
        "order_stalled:O|shipped:1": "warehouse",
        "order_stalled:O|acknowledged:1": "commerce",
        "order_stalled:O|delivered:1": "customer_service",
    }


def test_only_the_units_at_stake_count() -> None:
    over = only_one(run([placed(), shipped(5, 3)], only(), 20), "overshipped")
    assert (over["units"], over["value"]) == (1, "10.00")
    after = only_one(
        run([placed(quantity=5), cancelled(3, 2), shipped(5, 4)], only(), 20), "shipped_after_cancel"
    )
    assert (after["units"], after["value"]) == (1, "10.00")
    paid = only_one(run([placed(), refunded(5, "7.50")], only(), 20), "refund_without_return")
    assert paid["value"] == "7.50"


def test_it_becomes_more_severe_the_longer_it_lasts() -> None:
    policy = only(picked="30m", severity={"overdue": ["1h", "2h"]})
    assert steps(run([placed()], policy, 90)) == [("opened", "low")]
    assert steps(run([placed()], policy, 91)) == [("opened", "low"), ("escalated", "medium")]
    cleared = run([placed(), passing(60), passing(120), passing(180), event("order.picked", 200)], policy)
    assert steps(cleared) == [
        ("opened", "low"),
        ("escalated", "medium"),
        ("escalated", "high"),
        ("cleared", "high"),
    ]


def test_a_replay_tells_the_same_steps() -> None:
    policy = only(picked="30m", severity={"overdue": ["1h", "2h"]})
    at_once = run([placed(), event("order.picked", 120)], policy, 500)
    assert steps(at_once) == [("opened", "low"), ("escalated", "medium"), ("cleared", "medium")]


def test_severity_follows_money_and_units() -> None:
    for quantity, severity in ((9, "low"), (10, "medium"), (100, "high"), (1000, "critical")):
        policy = only(
            picked="30m", severity={"medium_units": 10**6, "high_units": 10**6, "critical_units": 10**6}
        )
        assert steps(run([placed(quantity=quantity)], policy, 60)) == [("opened", severity)]


def test_it_grows() -> None:
    grown = run([placed(), shipped(5, 3), shipped(9, 400, "H2")], only(), 60)
    assert [(r["status"], r["units"]) for r in told(grown, "overshipped")] == [
        ("opened", 1),
        ("escalated", 401),
    ]
    assert spans(grown, "overshipped") == {"O|1:1": (5, None)}


def test_a_late_fact_takes_back_what_never_was() -> None:
    policy = only(picked="30m")
    outcome = run([placed(), passing(60), passing(90), event("order.picked", 20)], policy)
    assert [record["status"] for record in told(outcome, "order_stalled")] == ["opened", "cleared"]
    assert spans(outcome, "order_stalled") == {"O|picked:1": (30, 30)}
    assert outcome.last("lifecycle")["O"]["exceptions"] == []


def test_a_late_fact_moves_what_was_otherwise() -> None:
    policy = only(picked="30m")
    outcome = run(
        [placed(), passing(60), event("order.picked", 55), passing(90), event("order.picked", 50)], policy
    )
    assert spans(outcome, "order_stalled") == {"O|picked:1": (30, 50)}


def test_it_is_told_no_later_than_time_allows() -> None:
    policy = only(picked="30m")
    outcome = run([placed(), *(passing(minute) for minute in range(1, 60))], policy)
    (record,) = told(outcome, "order_stalled")
    assert record["detected_at"] == at(31).isoformat().replace("+00:00", "Z")


def test_a_contradiction_is_told_as_soon_as_time_has_reached_it() -> None:
    outcome = run([placed(), shipped(5, 3), *(passing(minute) for minute in range(6, 60))], only())
    (record,) = told(outcome, "overshipped")
    assert record["detected_at"] == at(5).isoformat().replace("+00:00", "Z")


def test_what_falls_due_while_the_job_is_down_is_told_when_it_is_up_again() -> None:
    policy = only(picked="30m")
    outcome = run([placed(), passing(20)], policy, 600, crashes=frozenset({1}))
    assert spans(outcome, "order_stalled") == {"O|picked:1": (30, None)}


def test_catching_up_after_an_outage_tells_nothing_that_was_not_so() -> None:
    policy = only(picked="30m")
    outcome = run([placed(), event("order.picked", 25)], policy, 600, crashes=frozenset({0, 1}))
    assert told(outcome, "order_stalled") == []


def test_the_order_lists_what_is_open() -> None:
    policy = only(picked="30m", packed="40m")
    outcome = run([placed(), passing(60), passing(90), event("order.packed", 95)], policy, 200)
    listed = [record["exceptions"] for record in outcome.told["lifecycle"] if record["order_id"] == "O"]
    assert listed == [
        [],
        ["order_stalled:O|packed:1", "order_stalled:O|picked:1"],
        ["order_stalled:O|packed:1", "order_stalled:O|picked:1"],
        [],
    ]


def test_every_rule_is_named_after_its_code() -> None:
    assert {code: rule.__name__ for code, rule in RULES.items()} == {code: code for code in RULES}


def test_an_ordinary_life_tells_nothing() -> None:
    names = ("accepted", "released", "picked", "packed")
    life = [placed(), *(event(f"order.{name}", 5 + n) for n, name in enumerate(names))]
    life += [shipped(20), issued(22), news("acknowledged", 25), news("delivered", 60)]
    outcome = run(
        life, only(accepted="15m", picked="30m", shipped="1h", acknowledged="30m", delivered="1h"), 500
    )
    assert [record for code in RULES for record in told(outcome, code)] == []
