"""Overlapping pools: the worked example, tables, and the cut formula by brute force."""

from __future__ import annotations

from itertools import combinations
from random import Random

import pytest

from operators.pools import Pools

PQ = {"P": ("A", "B"), "Q": ("B",)}


def test_the_worked_example() -> None:
    """A holds 2, B holds 3; P = {A, B}, Q = {B} with 4 open."""
    assert Pools(PQ).offer(["A", "B"], [2, 3], [0, 0], {"Q": 4}) == ({"P": 2, "Q": 0}, 1)


# free per location, safety stock, unallocated → ats, shortage
OFFERS = {
    "no demand: all supply of the pool": ([2, 3], [0, 0], {}, {"P": 5, "Q": 3}, 0),
    "safety stock is withheld": ([2, 3], [1, 5], {}, {"P": 1, "Q": 0}, 0),
    "withheld safety stock never makes a debt": ([0, 3], [9, 0], {}, {"P": 3, "Q": 3}, 0),
    "P's own demand takes from anywhere in P": ([2, 3], [0, 0], {"P": 4}, {"P": 1, "Q": 1}, 0),
    "Q's demand takes only B": ([2, 3], [0, 0], {"Q": 2}, {"P": 3, "Q": 1}, 0),
    "a deficit at A may be kept from B": ([-2, 3], [0, 0], {}, {"P": 1, "Q": 1}, 0),
    "a deficit at B may be kept from A": ([3, -2], [0, 0], {}, {"P": 1, "Q": 0}, 0),
    "safety stock may keep a promise": ([3, 0], [3, 0], {"P": 2}, {"P": 0, "Q": 0}, 0),
    "more promised than there is": ([1, 0], [0, 0], {"P": 3}, {"P": 0, "Q": 0}, 2),
}


@pytest.mark.parametrize(("free", "safety", "asked", "ats", "short"), OFFERS.values(), ids=OFFERS.keys())
def test_offer(
    free: list[int], safety: list[int], asked: dict[str, int], ats: dict[str, int], short: int
) -> None:
    assert Pools(PQ).offer(["A", "B"], free, safety, asked) == (ats, short)


def test_without_pools_every_location_forms_one() -> None:
    assert Pools({}).offer(["A", "B"], [2, 3], [0, 0], {"all": 1}) == ({"all": 4}, 0)


def test_the_pool_of_strangers_is_told_only_where_they_ask() -> None:
    pools = Pools({"P": ("A",)})
    assert pools.offer(["A", "B"], [2, 3], [0, 0], {}) == ({"P": 2}, 0)
    assert pools.offer(["A", "B"], [2, 3], [0, 0], {"all": 4}) == ({"P": 1, "all": 1}, 0)


def test_a_deficit_in_no_pool_is_plain_shortage() -> None:
    assert Pools({"P": ("A",)}).offer(["A", "B"], [2, -3], [0, 0], {}) == ({"P": 2}, 3)


def by_every_subset(
    places: dict[str, tuple[str, ...]],
    names: list[str],
    free: list[int],
    safety: list[int],
    asked: dict[str, int],
) -> tuple[dict[str, int], int]:
    """DESIGN section 4 word for word: all sets T of demands."""
    demands: list[tuple[str, int, frozenset[str]]] = [
        (pool, asked.get(pool, 0), frozenset(places[pool]) & set(names)) for pool in sorted(places)
    ]
    for name, units in zip(names, free, strict=True):
        if units < 0:
            reach = frozenset(x for pool in places.values() if name in pool for x in pool if x in names)
            demands.append((f"debt {name}", -units, reach))

    def cuts(kept: list[int]) -> dict[frozenset[str], int]:
        supply = dict(zip(names, kept, strict=True))
        found = {}
        for size in range(len(demands) + 1):
            for taken in combinations(demands, size):
                used = frozenset().union(*(reach for _, _, reach in taken))
                outside = sum(units for demand in demands if demand not in taken for units in [demand[1]])
                found[frozenset(name for name, _, _ in taken)] = outside + sum(supply[x] for x in used)
        return found

    withheld = cuts([max(0, units - kept) for units, kept in zip(free, safety, strict=True)])
    ats = {
        pool: max(
            0,
            min(cut for t, cut in withheld.items() if pool in t)
            - min(cut for t, cut in withheld.items() if pool not in t),
        )
        for pool in places
    }
    return ats, sum(units for _, units, _ in demands) - min(cuts([max(0, units) for units in free]).values())


@pytest.mark.parametrize("seed", range(150))
def test_the_cut_formula_by_every_subset(seed: int) -> None:
    rng = Random(seed)
    names = ["A", "B", "C", "D"][: rng.randint(1, 4)]
    places = {f"P{n}": tuple(rng.sample(names, rng.randint(1, len(names)))) for n in range(rng.randint(1, 4))}
    free = [rng.randint(-6, 10) for _ in names]
    safety = [rng.choice([0, 0, 3]) for _ in names]
    asked = {pool: rng.choice([0, 0, 2, 7]) for pool in places}
    assert Pools(places).offer(names, free, safety, asked) == by_every_subset(
        places, names, free, safety, asked
    )
