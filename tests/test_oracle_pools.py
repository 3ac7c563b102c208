"""The oracle's maximum flows against the words of DESIGN section 4: every set of demands, one by one."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tests.oracle.pools import Demand, room, shortage

PLACES = "ABCD"
REACHES = st.frozensets(st.sampled_from(PLACES))
SUPPLIES = st.fixed_dictionaries({place: st.integers(0, 6) for place in PLACES})
DEMANDS = st.lists(st.tuples(st.integers(0, 6), REACHES), min_size=1, max_size=5).map(
    lambda rows: [Demand(str(number), *row) for number, row in enumerate(rows)]
)


def cut(taken: tuple[Demand, ...], demands: list[Demand], supply: dict[str, int]) -> int:
    """Σ of the demands not taken + Σ supply over the locations the taken ones may use."""
    reach = frozenset[str]().union(*(demand.locations for demand in taken))
    return sum(d.units or 0 for d in demands if d not in taken) + sum(supply[place] for place in reach)


def cuts(demands: list[Demand], supply: dict[str, int]) -> dict[tuple[Demand, ...], int]:
    sets = [taken for size in range(len(demands) + 1) for taken in combinations(demands, size)]
    return {taken: cut(taken, demands, supply) for taken in sets}


@given(DEMANDS, SUPPLIES)
def test_room_is_the_difference_of_two_cheapest_cuts(demands: list[Demand], supply: dict[str, int]) -> None:
    own, others = demands[0], demands[1:]
    every = cuts(demands, supply)
    with_own = min(units for taken, units in every.items() if own in taken)
    without = min(units for taken, units in every.items() if own not in taken)
    assert room(own, others, supply) == with_own - without


@given(DEMANDS, SUPPLIES)
def test_shortage_is_what_the_cheapest_cut_lacks(demands: list[Demand], supply: dict[str, int]) -> None:
    promised = sum(demand.units or 0 for demand in demands)
    assert shortage(demands, supply) == promised - min(cuts(demands, supply).values())


def test_room_is_the_most_that_breaks_no_kept_promise() -> None:
    supply = {"A": 2, "B": 3}
    everywhere, only_b = Demand("P", 0, frozenset("AB")), Demand("Q", 4, frozenset("B"))
    assert room(everywhere, [only_b], supply) == 2
    assert room(only_b, [everywhere], supply) == -1
    assert shortage([everywhere, only_b], supply) == 1
