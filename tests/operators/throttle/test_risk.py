"""Which wrong listing costs most."""

from __future__ import annotations

import pytest

from canonical.policy import Channel
from operators.throttle.listing import Listing
from operators.throttle.risk import Risk

HOUR = 3600 * 1_000_000
DAY = 24 * HOUR


def risk(**settings: object) -> Risk:
    return Risk(Channel.model_validate(settings))


def listing(shown: int | None, true: int, *orders: int) -> Listing:
    """Shown and true units of a SKU that just had these orders."""
    made = Listing(quantity=true, told=shown, shown=shown)
    for units in orders:
        risk().learn(made, units, 0)
    return made


def score(made: Listing, now: int = 0, **settings: object) -> float:
    return risk(**settings).score("sku", made, now)


def test_the_expected_cost_is_that_of_geometric_demand() -> None:
    made = listing(3, 0, 2, 4)
    # By hand: 2 orders of 3 units with a half-life of 10 h, a turn of 5 h; L(x) summed, not in closed form.
    chance = 1 - 2.718281828459045 ** -(2 * 0.6931471805599453 / 10 * 5)
    mean = 3 * (2 * 0.6931471805599453 / 10 * 5) / chance
    tail = [chance * (1 - 1 / mean) ** k for k in range(2_000)]  # P(D > k)
    expected = 5 * (sum(tail) - sum(tail[3:]))
    assert score(made, demand_half_life="10h", turn="5h") == pytest.approx(expected)


HIGHER = [
    ("oversell costs more than a lost sale", listing(5, 0, 2), listing(0, 5, 2)),
    ("more demand, more harm", listing(5, 0, 2, 2), listing(5, 0, 2)),
    ("nearer to zero, more harm", listing(5, 0, 2), listing(50, 45, 2)),
    ("larger orders reach further", listing(20, 10, 9), listing(20, 10, 2)),
    ("the larger error", listing(5, 0, 2), listing(2, 0, 2)),
    ("a sale known, before a SKU never sold", listing(5, 0, 2), listing(5, 0)),
    ("cold: zero-crossings first", listing(0, 1), listing(100, 1)),
    ("cold: then the relative change", listing(10, 5), listing(100, 60)),
    ("cold: of zero-crossings the oversell", listing(5, 0), listing(0, 5)),
    ("nobody knows what is shown: the worse of both", listing(None, 0, 2), listing(9, 0, 2)),
]


@pytest.mark.parametrize(
    ("more", "less"), [(m, s) for _, m, s in HIGHER], ids=[name for name, _, _ in HIGHER]
)
def test_comes_first(more: Listing, less: Listing) -> None:
    assert score(more) > score(less)


def test_an_order_counts_half_after_a_half_life() -> None:
    made = listing(5, 0, 2)
    risk(demand_half_life="2d").learn(made, 2, 2 * DAY)
    assert (made.orders, made.units) == pytest.approx((1.5, 3))


def test_old_demand_scores_less() -> None:
    made = listing(5, 0, 2)
    assert score(made, 14 * DAY) < score(made, 0)


def test_demand_never_fades_below_that_of_a_sku_never_sold() -> None:
    made = listing(5, 0, 2)
    assert score(made, 200 * DAY) == score(made, 400 * DAY) > 0


def test_an_order_told_late_does_not_turn_time_back() -> None:
    made = listing(5, 0)
    for when in (2 * DAY, DAY):
        risk().learn(made, 1, when)
    assert (made.orders, made.sold_at) == (2, 2 * DAY)


def test_an_update_without_an_answer_counts_as_the_worse_of_both() -> None:
    made = listing(0, 0, 2)
    made.before, made.doubt = 5, True
    assert score(made) == score(listing(5, 0, 2))


def test_values_far_above_demand_are_within_the_deadband() -> None:
    assert score(listing(500, 400, 2, 3)) < risk().floor < score(listing(2, 0, 2, 3))
