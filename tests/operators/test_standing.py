"""What an order stands at: gone, open, owed, and where its open units sit (DESIGN section 4), as tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from canonical.messages import ClaimLine, Owed
from operators.kits import Kits
from operators.order import Issued, Order, Shipped
from operators.standing import claim_lines, standing

DAY = datetime(2026, 3, 1, tzinfo=UTC)
Fact = Callable[[Order], None]


def ordered(*lines: tuple[str, str, int]) -> Fact:
    def tell(order: Order) -> None:
        order.document = (1, DAY, "")
        order.lines = [(line_id, sku, units, "1.00", None) for line_id, sku, units in lines]

    return tell


def placed_at(location: str) -> Fact:
    def tell(order: Order) -> None:
        order.lines = [(*line[:4], location) for line in order.lines]

    return tell


def allocated(*lines: tuple[str, str, int]) -> Fact:
    def tell(order: Order) -> None:
        order.allocation, order.allocated = (1, DAY, ""), list(lines)

    return tell


def cancelled(line_id: str, units: int) -> Fact:
    return lambda order: order.cancelled.update({line_id: units})


def cancelled_whole(order: Order) -> None:
    order.cancelled_whole_at = DAY


def rejected(order: Order) -> None:
    order.verdict = (DAY, "", False, "")


def shipped(location: str, line_id: str, units: int, sku: str = "S", minute: int = 0) -> Fact:
    def tell(order: Order) -> None:
        name = f"H{len(order.shipments)}"
        order.shipments[name] = Shipped(
            DAY + timedelta(minutes=minute), "", location, [(line_id, sku, units)]
        )

    return tell


def issued(location: str, line_id: str | None, units: int, sku: str = "S") -> Fact:
    return lambda order: order.issues.append(
        Issued(len(order.issues), DAY, location, "sellable", sku, line_id, units, "", -1, "")
    )


def told(*facts: Fact) -> Order:
    order = Order()
    for fact in facts:
        fact(order)
    return order


S5 = ordered(("1", "S", 5))

# facts → (open, units owed per location)
STANDINGS: dict[str, tuple[tuple[Fact, ...], int, dict[str, int]]] = {
    "placed: all open": ((S5,), 5, {}),
    "shipped: owed until issued": ((S5, shipped("A", "1", 3)), 2, {"A": 3}),
    "issued before shipped: gone, nothing owed": ((S5, issued("A", "1", 3)), 2, {}),
    "shipped and issued count once": ((S5, shipped("A", "1", 3), issued("A", "1", 3)), 2, {}),
    "issued from elsewhere counts beside": ((S5, shipped("A", "1", 3), issued("B", "1", 2)), 0, {"A": 3}),
    "cancelled units are not open": ((S5, cancelled("1", 2)), 3, {}),
    "cancelled beyond ordered is not negative": ((S5, cancelled("1", 9)), 0, {}),
    "the whole order cancelled": ((S5, cancelled_whole), 0, {}),
    "overshipped is not negative": ((S5, shipped("A", "1", 7)), 0, {"A": 7}),
    "rejected commits nothing, what left is still owed": ((S5, rejected, shipped("A", "1", 1)), 0, {"A": 1}),
    "an issue without a line goes to the line of its sku": ((S5, issued("A", None, 2)), 3, {}),
    "a reversal gives back": ((S5, issued("A", "1", 3), issued("A", "1", -2)), 4, {}),
    "a reversal seen first is owed": ((S5, issued("A", "1", -2)), 5, {"A": 2}),
    "a wrong item serves its line": ((S5, shipped("A", "1", 5, sku="X")), 0, {"A": 5}),
    "an unknown order's shipment is owed": ((shipped("A", "1", 2),), 0, {"A": 2}),
    "an unlined issue meets an unknown order's shipment": (
        (shipped("A", "1", 2), issued("A", None, 2)),
        0,
        {},
    ),
}


@pytest.mark.parametrize(("facts", "open_", "owed"), STANDINGS.values(), ids=STANDINGS.keys())
def test_open_and_owed(facts: tuple[Fact, ...], open_: int, owed: dict[str, int]) -> None:
    order = told(*facts)
    lines = standing(order, Kits())
    claims = [claim for found in claim_lines(order, lines, ()).values() for claim in found]
    assert sum(part.open for line in lines for part in line.parts) == open_
    assert {o.location: o.units for claim in claims for o in claim.owed} == owed


# facts → committed at locations, unallocated
SEATS: dict[str, tuple[tuple[Fact, ...], list[tuple[str, int]], int]] = {
    "no location: unallocated": ((S5,), [], 5),
    "the placed location counts as an allocation": ((S5, placed_at("A")), [("A", 5)], 0),
    "until one is made": ((S5, placed_at("A"), allocated(("1", "B", 2))), [("B", 2)], 3),
    "in the allocation's own order": (
        (S5, cancelled("1", 1), allocated(("1", "B", 3), ("1", "A", 3))),
        [("B", 3), ("A", 1)],
        0,
    ),
    "what is gone from there no longer sits there": (
        (S5, allocated(("1", "A", 3), ("1", "B", 2)), shipped("A", "1", 2)),
        [("A", 1), ("B", 2)],
        0,
    ),
    "gone from elsewhere leaves the last to fill empty": (
        (S5, allocated(("1", "A", 3), ("1", "B", 2)), shipped("C", "1", 2)),
        [("A", 3)],
        0,
    ),
    "the same location twice adds up": ((S5, allocated(("1", "A", 2), ("1", "A", 3))), [("A", 5)], 0),
    "another line's allocation is not ours": ((S5, allocated(("2", "A", 5))), [], 5),
}


@pytest.mark.parametrize(("facts", "committed", "unallocated"), SEATS.values(), ids=SEATS.keys())
def test_where_open_units_sit(
    facts: tuple[Fact, ...], committed: list[tuple[str, int]], unallocated: int
) -> None:
    order = told(*facts)
    (claim,) = claim_lines(order, standing(order, Kits()), ())["S"]
    assert (claim.committed, claim.unallocated) == (committed, unallocated)


def test_issues_without_a_line_fill_lines_in_order_and_the_last_takes_the_rest() -> None:
    order = told(ordered(("1", "S", 2), ("2", "S", 2)), issued("A", None, 5))
    assert [sum(line.parts[0].issued.values()) for line in standing(order, Kits())] == [2, 3]


def test_where_no_movements_come_owed_units_are_told_per_shipment_youngest_first() -> None:
    order = told(S5, shipped("A", "1", 2, minute=1), shipped("A", "1", 1, minute=9), issued("A", "1", 1))
    (claim,) = claim_lines(order, standing(order, Kits()), {"A"})["S"]
    assert claim.owed == [Owed("A", 1, DAY + timedelta(minutes=9)), Owed("A", 1, DAY + timedelta(minutes=1))]


def kit(**parts: int) -> Kits:
    kits = Kits()
    kits._flat = {"K": dict(parts)}
    return kits


K2 = ordered(("1", "K", 2))

# a line of 2 kits of {C: 3, D: 1}: facts → open units of C and D
KITS: dict[str, tuple[tuple[Fact, ...], dict[str, int]]] = {
    "a kit's line commits its components": ((K2,), {"C": 6, "D": 2}),
    "shipped as kits": ((K2, shipped("A", "1", 1, sku="K")), {"C": 3, "D": 1}),
    "shipped as components": ((K2, shipped("A", "1", 4, sku="C")), {"C": 2, "D": 2}),
    "any other sku named counts as whole kits": ((K2, shipped("A", "1", 2, sku="X")), {"C": 0, "D": 0}),
    "cancelled kits": ((K2, cancelled("1", 1)), {"C": 3, "D": 1}),
}


@pytest.mark.parametrize(("facts", "open_"), KITS.values(), ids=KITS.keys())
def test_kits_count_by_component(facts: tuple[Fact, ...], open_: dict[str, int]) -> None:
    (line,) = standing(told(*facts), kit(C=3, D=1))
    assert {part.sku: part.open for part in line.parts} == open_


def test_a_kit_allocated_sits_there_with_all_its_components() -> None:
    order = told(K2, allocated(("1", "A", 1)))
    claims: dict[str, list[ClaimLine]] = claim_lines(order, standing(order, kit(C=3, D=1)), ())
    seats: dict[str, Any] = {sku: (found[0].committed, found[0].unallocated) for sku, found in claims.items()}
    assert seats == {"C": ([("A", 3)], 3), "D": ([("A", 1)], 1)}
