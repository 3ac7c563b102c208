"""Shipments, goods issues, postings and refunds that do not go together, case by case."""

from __future__ import annotations

import pytest

from tests.operators.exceptions.stories import (
    Event,
    Spans,
    cancelled,
    issued,
    news,
    only,
    placed,
    posted,
    refunded,
    returned,
    row,
    run,
    shipped,
    spans,
)

Case = tuple[list[Event], float, Spans]
STEP = 1 / 60_000_000
TWO_LINES = [row(1, unit_price="10.00"), row(1, "2", "T", unit_price="5.00")]

PARCELS: dict[str, tuple[str, Case]] = {
    "an order that never comes": ("orphan_shipment", ([shipped(5)], 65 + STEP, {"O:1": (65, None)})),
    "it comes in time": ("orphan_shipment", ([shipped(5), placed(65)], 90, {})),
    "it comes late": ("orphan_shipment", ([shipped(5), placed(80)], 90, {"O:1": (65, 80)})),
    "an issue is an orphan too": ("orphan_shipment", ([issued(5)], 90, {"O:1": (65, None)})),
    "not yet at the deadline": ("orphan_shipment", ([shipped(5)], 65, {})),
    "issued at the deadline": ("issue_not_posted", ([placed(), shipped(5), issued(35)], 60, {})),
    "issued late": ("issue_not_posted", ([placed(), shipped(5), issued(40)], 60, {"O|H|1:1": (35, 40)})),
    "never issued": ("issue_not_posted", ([placed(), shipped(5)], 60, {"O|H|1:1": (35, None)})),
    "issued in part": (
        "issue_not_posted",
        ([placed(), shipped(5), issued(6, 1)], 60, {"O|H|1:1": (35, None)}),
    ),
    "issued before it was shipped": ("issue_not_posted", ([placed(), issued(2), shipped(5)], 60, {})),
    "an issue is for the oldest shipment": (
        "issue_not_posted",
        ([placed(), shipped(5, 1), shipped(15, 1, "H2"), issued(20, 1)], 60, {"O|H2|1:1": (45, None)}),
    ),
    "issued elsewhere": (
        "issue_not_posted",
        ([placed(), shipped(5), issued(6, location="B")], 60, {"O|H|1:1": (35, None)}),
    ),
    "taken back": (
        "issue_not_posted",
        ([placed(), shipped(5), issued(6), issued(50, -1)], 60, {"O|H|1:1": (50, None)}),
    ),
    "confirmed at the deadline": (
        "issue_without_shipment",
        ([placed(), issued(5), shipped(25)], 60, {}),
    ),
    "confirmed late": (
        "issue_without_shipment",
        ([placed(), issued(5), shipped(30)], 60, {"O|A:1": (25, 30)}),
    ),
    "never confirmed": ("issue_without_shipment", ([placed(), issued(5)], 60, {"O|A:1": (25, None)})),
    "shipped first": ("issue_without_shipment", ([placed(), shipped(4), issued(5)], 60, {})),
    "a shipment confirms the oldest issue": (
        "issue_without_shipment",
        ([placed(), issued(5, 1), issued(15, 1), shipped(20, 1)], 60, {"O|A:1": (35, None)}),
    ),
    "the issue is reversed": (
        "issue_without_shipment",
        ([placed(), issued(5), issued(30, -2)], 60, {"O|A:1": (25, 30)}),
    ),
    "trouble until it arrives": (
        "shipment_exception",
        ([placed(), shipped(5), news("exception", 9), news("delivered", 20)], 60, {"O|H:1": (9, 20)}),
    ),
    "trouble after it arrived": (
        "shipment_exception",
        ([placed(), shipped(5), news("delivered", 8), news("exception", 9)], 60, {}),
    ),
    "trouble twice is one": (
        "shipment_exception",
        ([placed(), shipped(5), news("exception", 9), news("exception", 12)], 60, {"O|H:1": (9, None)}),
    ),
}


@pytest.mark.parametrize("case", PARCELS.values(), ids=PARCELS.keys())
def test_parcels_and_issues(case: tuple[str, Case]) -> None:
    code, (events, until, wanted) = case
    policy = only(goods_issue="30m", shipment_confirmed="20m")
    assert spans(run(events, policy, until), code) == wanted


def test_no_goods_issue_is_awaited_where_no_movements_are_sent() -> None:
    policy = only(goods_issue="30m", locations={"A": {"movements": False}})
    assert spans(run([placed(), shipped(5)], policy, 60), "issue_not_posted") == {}


POSTINGS: dict[str, tuple[str, Case]] = {
    "billed at the deadline": ("posting_missing", ([placed(), shipped(5), posted(35)], 60, {})),
    "billed late": ("posting_missing", ([placed(), shipped(5), posted(40)], 60, {"O:1": (35, 40)})),
    "never billed": ("posting_missing", ([placed(), shipped(5)], 60, {"O:1": (35, None)})),
    "a sales order is no bill": (
        "posting_missing",
        ([placed(), posted(3, "sales_order"), shipped(5)], 60, {"O:1": (35, None)}),
    ),
    "not while something is open": ("posting_missing", ([placed(), shipped(5, 1)], 60, {})),
    "nothing of it is to be billed": ("posting_missing", ([placed(), cancelled(3), shipped(5)], 60, {})),
    "the sales order is right": ("posting_mismatch", ([placed(), posted(3, "sales_order")], 60, {})),
    "another amount": (
        "posting_mismatch",
        ([placed(), posted(3, "sales_order", "20.01")], 60, {"O|sales_order:1": (3, None)}),
    ),
    "the same amount in other words": (
        "posting_mismatch",
        ([placed(), posted(3, "sales_order", "20")], 60, {}),
    ),
    "another currency": (
        "posting_mismatch",
        ([placed(), posted(3, "sales_order", currency="USD")], 60, {"O|sales_order:1": (3, None)}),
    ),
    "another quantity": (
        "posting_mismatch",
        ([placed(), posted(3, "sales_order", None, lines=[row(1)])], 60, {"O|sales_order:1": (3, None)}),
    ),
    "it is restated": (
        "posting_mismatch",
        (
            [placed(), posted(3, "sales_order", "9.00"), posted(9, "sales_order", posting_id="again")],
            60,
            {"O|sales_order:1": (3, 9)},
        ),
    ),
    "less what was cancelled": (
        "posting_mismatch",
        ([placed(), cancelled(2, 1), posted(3, "sales_order", "10.00")], 60, {}),
    ),
    "cancelled after it": (
        "posting_mismatch",
        ([placed(), posted(3, "sales_order"), cancelled(4, 1)], 60, {}),
    ),
    "it follows a change within its grace": (
        "posting_mismatch",
        (
            [
                placed(),
                posted(3, "sales_order"),
                placed(5, 3, type_="order.changed", version=2),
                posted(245, "sales_order", "30.00", posting_id="again"),
            ],
            300,
            {},
        ),
    ),
    "it does not follow a change": (
        "posting_mismatch",
        (
            [placed(), posted(3, "sales_order"), placed(5, 3, type_="order.changed", version=2)],
            300,
            {"O|sales_order:1": (245, None)},
        ),
    ),
    "billed too much": (
        "posting_mismatch",
        ([placed(), posted(3, amount="20.01")], 60, {"O|invoice:1": (3, None)}),
    ),
    "too much and taken back": (
        "posting_mismatch",
        (
            [placed(), posted(3, amount="25.00"), posted(9, "credit_memo", "5.00")],
            60,
            {"O|invoice:1": (3, 9)},
        ),
    ),
    "two bills for two parcels": (
        "posting_mismatch",
        (
            [
                placed(),
                shipped(5, 1),
                posted(8, amount="10.00"),
                shipped(10, 1, "H2"),
                posted(35, amount="10.00", posting_id="second"),
            ],
            60,
            {},
        ),
    ),
    "the second bill is missing": (
        "posting_mismatch",
        (
            [placed(), shipped(5, 1), posted(8, amount="10.00"), shipped(10, 1, "H2")],
            60,
            {"O|invoice:1": (40, None)},
        ),
    ),
    "billed twice": (
        "posting_mismatch",
        ([placed(), posted(3), posted(9, posting_id="again")], 60, {"O|invoice:1": (9, None)}),
    ),
    "the bill of what left though cancelled": (
        "posting_mismatch",
        ([placed(), cancelled(3), shipped(5), posted(9)], 60, {}),
    ),
    "the bill of what was cancelled": (
        "posting_mismatch",
        ([placed(), cancelled(3), posted(9)], 60, {"O|invoice:1": (9, None)}),
    ),
    "the bill of an order with two prices": (
        "posting_mismatch",
        ([placed(lines=TWO_LINES), posted(9, amount="15.00")], 60, {}),
    ),
}


@pytest.mark.parametrize("case", POSTINGS.values(), ids=POSTINGS.keys())
def test_postings(case: tuple[str, Case]) -> None:
    code, (events, until, wanted) = case
    assert spans(run(events, only(posted="30m"), until), code) == wanted


REFUNDS: dict[str, tuple[str, Case]] = {
    "refunded at the deadline": (
        "refund_overdue",
        ([placed(), returned(10), refunded(40, "10.00", return_id="R")], 60, {}),
    ),
    "refunded late": (
        "refund_overdue",
        ([placed(), returned(10), refunded(45, "10.00", return_id="R")], 60, {"O|R:1": (40, 45)}),
    ),
    "never refunded": ("refund_overdue", ([placed(), returned(10)], 60, {"O|R:1": (40, None)})),
    "for another return": (
        "refund_overdue",
        (
            [placed(), returned(10), returned(11, return_id="R2"), refunded(20, "10.00", return_id="R2")],
            60,
            {"O|R:1": (40, None)},
        ),
    ),
    "a refund that names none is for the oldest": (
        "refund_overdue",
        (
            [placed(), returned(10), returned(11, return_id="R2"), refunded(20, "10.00")],
            60,
            {"O|R2:1": (41, None)},
        ),
    ),
    "money for what came back": (
        "refund_without_return",
        ([placed(), returned(10), refunded(20, "10.00")], 60, {}),
    ),
    "money for nothing": (
        "refund_without_return",
        ([placed(), refunded(20, "10.00")], 60, {"O:1": (20, None)}),
    ),
    "more than came back": (
        "refund_without_return",
        ([placed(), returned(10), refunded(20, "10.01")], 60, {"O:1": (20, None)}),
    ),
    "it comes back later": (
        "refund_without_return",
        ([placed(), refunded(20, "10.00"), returned(30)], 60, {"O:1": (20, 30)}),
    ),
    "for what was cancelled": (
        "refund_without_return",
        ([placed(), cancelled(5), refunded(20, "20.00")], 60, {}),
    ),
    "several add up": (
        "refund_without_return",
        ([placed(), returned(5), refunded(9, "6.00"), refunded(20, "6.00", "F2")], 60, {"O:1": (20, None)}),
    ),
    "for a parcel sent back to us": (
        "refund_without_return",
        ([placed(), shipped(5), news("returned_to_sender", 9), refunded(20, "20.00")], 60, {}),
    ),
    "in other money": (
        "refund_without_return",
        ([placed(), returned(5), refunded(20, "1.00", currency="USD")], 60, {"O:1": (20, None)}),
    ),
}


@pytest.mark.parametrize("case", REFUNDS.values(), ids=REFUNDS.keys())
def test_refunds(case: tuple[str, Case]) -> None:
    code, (events, until, wanted) = case
    assert spans(run(events, only(refunded="30m"), until), code) == wanted
