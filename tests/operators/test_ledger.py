"""The book: the newest count by its cut, plus the movements after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from canonical.messages import Move
from operators.ledger import Cut, Ledger

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: float) -> datetime:
    return DAY + timedelta(minutes=minute)


def moved(minute: float, units: int, sequence: int = -1, ref: int = 0, placed: float | None = None) -> Move:
    placed_at = None if placed is None else at(placed)
    return Move(ref or int(minute * 10), "dc", "sellable", units, at(minute), "/wms", sequence, placed_at)


def counted(minute: float, units: int, through: int = -1, source: str = "/wms") -> Cut:
    return Cut(at(minute), through, at(minute), f"{source} {minute}", source, units)


def book(*facts: Move | Cut, net: bool = False) -> Ledger:
    ledger = Ledger()
    for fact in facts:
        if isinstance(fact, Move):
            ledger.move(fact, net=net, known=False)
        else:
            ledger.count(fact, net=net)
        assert ledger.on_hand == ledger.recounted(net=net)
    return ledger


# facts in arrival order → on_hand
BOOKS = {
    "movements alone add up": ((moved(1, 10), moved(2, -3)), 7),
    "a count sets the book": ((moved(1, 10), counted(2, 8)), 8),
    "a movement after the count is added": ((counted(2, 8), moved(3, -1)), 7),
    "a movement before it is not, whenever it arrives": ((counted(2, 8), moved(1, 10)), 8),
    "exactly at the cut is before it": ((counted(2, 8), moved(2, 10)), 8),
    "an older count does not win by arriving later": ((counted(5, 8), counted(2, 99), moved(3, 1)), 8),
    "a sequence decides over time: after": ((counted(5, 8, through=10), moved(3, -1, sequence=11)), 7),
    "a sequence decides over time: before": ((counted(5, 8, through=10), moved(9, -1, sequence=10)), 8),
    "another source's count is decided by time": ((counted(5, 8, 10, "/erp"), moved(6, -1, sequence=1)), 7),
    "counts of one moment: the higher sequence wins": (
        (counted(5, 8, through=3), counted(5, 9, through=2)),
        8,
    ),
}


@pytest.mark.parametrize(("facts", "on_hand"), BOOKS.values(), ids=BOOKS.keys())
def test_on_hand(facts: tuple[Move | Cut, ...], on_hand: int) -> None:
    assert book(*facts).on_hand == on_hand


@pytest.mark.parametrize(("facts", "on_hand"), BOOKS.values(), ids=BOOKS.keys())
def test_arrival_backwards_ends_alike(facts: tuple[Move | Cut, ...], on_hand: int) -> None:
    assert book(*reversed(facts)).on_hand == on_hand


def test_a_repeated_reference_replaces_the_movement() -> None:
    ledger = book(moved(1, -4, ref=7))
    ledger.move(moved(1, -2, ref=7), net=False, known=True)
    assert ledger.on_hand == -2


def test_a_movement_of_nothing_withdraws_it() -> None:
    ledger = book(moved(1, -4, ref=7))
    ledger.move(moved(1, 0, ref=7), net=False, known=True)
    assert (ledger.on_hand, ledger.moves) == (0, [])


def test_a_net_count_has_taken_off_the_issues_of_orders_placed_by_then() -> None:
    assert book(counted(5, 8), moved(6, -1, placed=4), moved(7, -1, placed=6), net=True).on_hand == 7


@pytest.mark.parametrize("horizon", [0, 1.5, 2, 3.5, 4, 6, 20])
def test_folding_changes_no_number(horizon: float) -> None:
    ledger = book(
        moved(1, 10), counted(2, 8), moved(3, -1), counted(4, 6, through=3), moved(5, -2, sequence=4)
    )
    ledger.fold(at(horizon), net=False)
    assert ledger.on_hand == 4
    assert ledger.recounted(net=False) == 4


@pytest.mark.parametrize("late", [moved(8, 5), counted(8, 50), moved(6.5, -3, sequence=9)])
def test_what_arrives_after_folding_counts_as_if_nothing_had_been_folded(late: Move | Cut) -> None:
    facts = (moved(1, 10), counted(2, 8), moved(3, -1), counted(4, 6, through=3), moved(5, -2, sequence=4))
    folded = book(*facts)
    folded.fold(at(6), net=False)
    if isinstance(late, Move):
        folded.move(late, net=False, known=False)
    else:
        folded.count(late, net=False)
    assert folded.on_hand == book(*facts, late).on_hand


def test_folding_forgets_what_is_older_than_the_horizon() -> None:
    ledger = book(*(moved(minute, 1) for minute in range(1, 100)))
    ledger.fold(at(90), net=False)
    assert (len(ledger.moves), len(ledger.counts), ledger.on_hand) == (9, 1, 99)
