"""Every rule about orders, case by case: (events, when time stands at the end) → exceptions with their minutes."""

from __future__ import annotations

from typing import Any

import pytest

from canonical.policy import Policy
from tests.operators.exceptions.stories import (
    Event,
    Spans,
    at,
    cancelled,
    event,
    issued,
    news,
    only,
    passing,
    placed,
    row,
    run,
    shipped,
    spans,
)

Case = tuple[list[Event], float, Spans]
STEP = 1 / 60_000_000
"""The least step of time, in minutes."""


def check(code: str, policy: Policy, case: Case) -> None:
    events, until, wanted = case
    told = spans(run(events, policy, until), code)
    assert {key: (opened, cleared) for key, (opened, cleared) in told.items()} == wanted


@pytest.mark.parametrize("name", ["accepted", "allocated", "released", "picked", "packed"])
@pytest.mark.parametrize(
    ("reached", "until", "span"),
    [
        (30, 60, None),
        (30 + STEP, 60, (30, 30 + STEP)),
        (45, 60, (30, 45)),
        (None, 30, None),
        (None, 30 + STEP, (30, None)),
    ],
    ids=["at the deadline", "an instant late", "late", "time stands at the deadline", "time is past it"],
)
def test_a_milestone_is_missed_once_time_is_past_its_deadline(
    name: str, reached: float | None, until: float, span: tuple[float, float | None] | None
) -> None:
    more = {"version": 1, "lines": []} if name == "allocated" else {}
    steps = [] if reached is None else [event(f"order.{name}", reached, **more)]
    wanted = {} if span is None else {f"O|{name}:1": span}
    told = spans(run([placed(), *steps], only(**{name: "30m"}), until), "order_stalled")
    assert told == {key: pytest.approx(value, abs=STEP / 10) for key, value in wanted.items()}


STALLED: dict[str, tuple[dict[str, str], Case]] = {
    "a later milestone implies the earlier": (
        {"accepted": "30m"},
        ([placed(), event("order.packed", 20)], 60, {}),
    ),
    "a cancelled order stalls no more": ({"picked": "30m"}, ([placed(), cancelled(20)], 60, {})),
    "it is cleared when the order is cancelled": (
        {"picked": "30m"},
        ([placed(), cancelled(40)], 60, {"O|picked:1": (30, 40)}),
    ),
    "or refused": (
        {"picked": "30m"},
        ([placed(), event("order.rejected", 50, reason="credit")], 60, {"O|picked:1": (30, 50)}),
    ),
    "and begins anew when it is accepted after all": (
        {"picked": "30m"},
        (
            [placed(), event("order.rejected", 40, reason="credit"), event("order.accepted", 50)],
            60,
            {"O|picked:1": (30, 40), "O|picked:2": (50, None)},
        ),
    ),
    "cancelling part of it helps nobody": (
        {"shipped": "30m"},
        ([placed(), cancelled(20, 1)], 60, {"O|shipped:1": (30, None)}),
    ),
    "it is shipped with its last unit": (
        {"shipped": "30m"},
        ([placed(), shipped(20, 1), shipped(40, 1, "H2")], 60, {"O|shipped:1": (30, 40)}),
    ),
    "what is left was cancelled in time": (
        {"shipped": "30m"},
        ([placed(), shipped(20, 1), cancelled(25, 1)], 60, {}),
    ),
    "a promise to ship goes before": (
        {"shipped": "2h"},
        ([placed(promised_ship_at=at(30).isoformat())], 60, {"O|shipped:1": (30, None)}),
    ),
    "a promise for later does not": (
        {"shipped": "30m"},
        ([placed(promised_ship_at=at(90).isoformat())], 60, {"O|shipped:1": (30, None)}),
    ),
    "an order changed to be later is late no more": (
        {"shipped": "50m"},
        (
            [
                placed(promised_ship_at=at(20).isoformat()),
                placed(30, type_="order.changed", version=2),
            ],
            60,
            {"O|shipped:1": (20, 30), "O|shipped:2": (50, None)},
        ),
    ),
    "the channel takes the posting": (
        {"acknowledged": "30m"},
        ([placed(), shipped(10), news("acknowledged", 40)], 60, {}),
    ),
    "it takes it late": (
        {"acknowledged": "30m"},
        ([placed(), shipped(10), news("acknowledged", 41)], 60, {"O|acknowledged:1": (40, 41)}),
    ),
    "nothing is awaited before it is shipped": (
        {"acknowledged": "30m", "delivered": "30m"},
        ([placed(), shipped(10, 1)], 60, {}),
    ),
    "nor while only the book says so": (
        {"acknowledged": "30m", "delivered": "30m"},
        ([placed(), issued(10)], 60, {}),
    ),
    "delivered is when every parcel is": (
        {"delivered": "30m"},
        (
            [
                placed(),
                shipped(5, 1),
                shipped(10, 1, "H2"),
                news("delivered", 35),
                news("delivered", 50, "H2"),
            ],
            60,
            {"O|delivered:1": (40, 50)},
        ),
    ),
    "a promise to deliver goes before": (
        {"delivered": "2h"},
        ([placed(promised_delivery_at=at(30).isoformat()), shipped(10)], 60, {"O|delivered:1": (30, None)}),
    ),
    "but counts from the shipment on": (
        {"delivered": "2h"},
        ([placed(promised_delivery_at=at(30).isoformat()), shipped(40)], 60, {"O|delivered:1": (40, None)}),
    ),
    "what has no entry is not watched": (
        {},
        ([placed(promised_ship_at=at(5).isoformat())], 60, {}),
    ),
}


@pytest.mark.parametrize("case", STALLED.values(), ids=STALLED.keys())
def test_order_stalled(case: tuple[dict[str, str], Case]) -> None:
    check("order_stalled", only(**case[0]), case[1])


def test_a_channel_without_a_table_has_the_default_deadlines() -> None:
    told = spans(run([placed(channel="other")], only(), 45), "order_stalled")
    assert told == {"O|accepted:1": (15, None), "O|allocated:1": (30, None)}


REJECTED: dict[str, Case] = {
    "until it is accepted": (
        [placed(), event("order.rejected", 5, reason="credit"), event("order.accepted", 9)],
        60,
        {"O:1": (5, 9)},
    ),
    "until it is cancelled": (
        [placed(), event("order.rejected", 5, reason="credit"), cancelled(9)],
        60,
        {"O:1": (5, 9)},
    ),
    "not after it was cancelled": ([placed(), cancelled(4), event("order.rejected", 5, reason="x")], 60, {}),
    "refused twice is refused": (
        [placed(), event("order.rejected", 5, reason="x"), event("order.rejected", 7, reason="y")],
        60,
        {"O:1": (5, None)},
    ),
    "refused again is another time": (
        [
            placed(),
            event("order.rejected", 5, reason="x"),
            event("order.accepted", 6),
            event("order.rejected", 7, reason="y"),
        ],
        60,
        {"O:1": (5, 6), "O:2": (7, None)},
    ),
}


@pytest.mark.parametrize("case", REJECTED.values(), ids=REJECTED.keys())
def test_order_rejected(case: Case) -> None:
    check("order_rejected", only(), case)


EXCESS: dict[str, tuple[str, Case]] = {
    "more is shipped than ordered": (
        "overshipped",
        ([placed(), shipped(5), shipped(9, 1, "H2")], 60, {"O|1:1": (9, None)}),
    ),
    "more is issued than ordered, and put right": (
        "overshipped",
        ([placed(), issued(5, 3), issued(9, -1)], 60, {"O|1:1": (5, 9)}),
    ),
    "the same units by both words are one": ("overshipped", ([placed(), shipped(5), issued(6)], 60, {})),
    "from another place they are not": (
        "overshipped",
        ([placed(), shipped(5), issued(6, location="B")], 60, {"O|1:1": (6, None)}),
    ),
    "a line nobody ordered": (
        "overshipped",
        ([placed(), shipped(5, lines=[row(1, "9", "T")])], 60, {"O|9|T:1": (5, None)}),
    ),
    "of an order nobody knows it is another matter": ("overshipped", ([shipped(5)], 30, {})),
    "ordered after all": (
        "overshipped",
        ([placed(), shipped(5, 3), placed(8, 3, type_="order.changed", version=2)], 60, {"O|1:1": (5, 8)}),
    ),
    "shipped after it was cancelled": (
        "shipped_after_cancel",
        ([placed(), cancelled(3), shipped(5)], 60, {"O|1:1": (5, None)}),
    ),
    "cancelled after it was shipped": (
        "shipped_after_cancel",
        ([placed(), shipped(3), cancelled(5)], 60, {"O|1:1": (5, None)}),
    ),
    "one was cancelled and one shipped": (
        "shipped_after_cancel",
        ([placed(), cancelled(3, 1), shipped(5, 1)], 60, {}),
    ),
    "one was cancelled and both shipped": (
        "shipped_after_cancel",
        ([placed(), cancelled(3, 1), shipped(5)], 60, {"O|1:1": (5, None)}),
    ),
    "beyond what was ordered it is the other exception": (
        "overshipped",
        ([placed(), cancelled(3), shipped(5)], 60, {}),
    ),
    "the wrong item": (
        "wrong_item_shipped",
        ([placed(), shipped(5, lines=[row(2, sku="T")])], 60, {"O|H|1|T:1": (5, None)}),
    ),
    "a line of its own is not a wrong item": (
        "wrong_item_shipped",
        ([placed(), shipped(5, lines=[row(2, "9", "T")])], 60, {}),
    ),
    "the order is changed to what was sent": (
        "wrong_item_shipped",
        (
            [
                placed(),
                shipped(5, lines=[row(2, sku="T")]),
                placed(9, type_="order.changed", version=2, lines=[row(2, sku="T", unit_price="10.00")]),
            ],
            60,
            {"O|H|1|T:1": (5, 9)},
        ),
    ),
}


@pytest.mark.parametrize("case", EXCESS.values(), ids=EXCESS.keys())
def test_more_or_something_else_than_ordered(case: tuple[str, Case]) -> None:
    check(case[0], only(), case[1])


def test_a_kit_may_be_shipped_by_its_components() -> None:
    parts: dict[str, Any] = {"sku": "S", "components": [{"sku": "T", "quantity": 2}]}
    kit = {**event("product.upserted", 0), "subject": "S", "data": parts}
    outcome = run([kit, placed(1), shipped(5, lines=[row(4, sku="T")]), passing(60)], only())
    assert spans(outcome, "wrong_item_shipped") == spans(outcome, "overshipped") == {}
