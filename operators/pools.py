"""Available to sell from pools that overlap: two minimum cuts (DESIGN section 4).

**Demands** are each pool's unallocated open units and each location's deficit. **A cut** keeps some demands out
and pays them, takes the others in and pays all supply they may use. **Room** of a pool is what the cheapest cut
grows by when the pool's demand must be taken in: the most it can promise without breaking a promise that can be
kept. Sets of locations are bit masks; only unions of the demands' own neighbourhoods can be cheapest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from canonical.policy import ALL


class Pools:
    """The retailer's pools. `pools` empty means one pool `all` of every location."""

    def __init__(self, pools: Mapping[str, Iterable[str]]) -> None:
        self.names = tuple(sorted(pools)) or (ALL,)
        self._of: dict[str, frozenset[str]] = {name: frozenset(places) for name, places in pools.items()}

    def _masks(self, locations: list[str]) -> dict[str, int]:
        masks = dict.fromkeys(self.names, 0)
        for bit, location in enumerate(locations):
            for name in self.names:
                if name == ALL or location in self._of[name]:
                    masks[name] |= 1 << bit
        return masks

    def offer(
        self,
        locations: list[str],
        free: list[int],
        safety: list[int],
        unallocated: Mapping[str, int],
    ) -> tuple[dict[str, int], int]:
        """Per location free units (negative: a deficit) and safety stock, per pool open units → (pool → ats, shortage).

        A pool `all` that is not configured appears only where units are unallocated in it.
        """
        masks = self._masks(locations)
        if unallocated.get(ALL) and ALL not in masks:
            masks[ALL] = (1 << len(locations)) - 1
        supply = [max(0, units - kept) for units, kept in zip(free, safety, strict=True)]
        asked = {name: unallocated.get(name, 0) for name in masks}
        demands = self._demands(free, masks, asked)
        if not demands:
            return {name: _sum(supply, mask) for name, mask in masks.items()}, 0
        ats = {name: _room(mask, asked[name], demands, supply) for name, mask in masks.items()}
        promised = sum(units for _, units in demands)
        shortage = promised - _cheapest(demands, [max(0, units) for units in free], 0)
        return ats, shortage

    def everywhere(
        self, locations: list[str], free: list[int], safety: list[int], unallocated: Mapping[str, int]
    ) -> int:
        """The ats of a pool of every location in which nothing is unallocated, whether or not it is configured."""
        masks = self._masks(locations)
        supply = [max(0, units - kept) for units, kept in zip(free, safety, strict=True)]
        demands = self._demands(free, masks, unallocated)
        return _room((1 << len(locations)) - 1, 0, demands, supply) if demands else sum(supply)

    def _demands(
        self, free: list[int], masks: dict[str, int], asked: Mapping[str, int]
    ) -> list[tuple[int, int]]:
        """The locations that may keep a promise, and its units: deficits, then what is unallocated."""
        return self._debts(free, masks) + [(masks[name], units) for name, units in asked.items() if units]

    def _debts(self, free: list[int], masks: dict[str, int]) -> list[tuple[int, int]]:
        """Each deficit with the locations of every configured pool its location is in."""
        debts = []
        for bit, units in enumerate(free):
            if units < 0:
                mask = 0
                for name in self.names:
                    if masks[name] >> bit & 1:
                        mask |= masks[name]
                debts.append((mask, -units))
        return debts


def _room(mask: int, own: int, demands: list[tuple[int, int]], supply: list[int]) -> int:
    """The most extra units the pool of `mask`, which has `own` of the demands, can promise."""
    others = list(demands)
    if own:
        others.remove((mask, own))
    return max(0, _cheapest(others, supply, mask) - own - _cheapest(others, supply, 0))


def _sum(supply: list[int], mask: int) -> int:
    return sum(units for bit, units in enumerate(supply) if mask >> bit & 1)


def _cheapest(demands: list[tuple[int, int]], supply: list[int], taken: int) -> int:
    """The least cut whose demands include one that may use the locations `taken` (0: none is forced in)."""
    unions = {taken}
    for mask, _ in demands:
        unions |= {union | mask for union in unions}
    return min(
        _sum(supply, union) + sum(units for mask, units in demands if mask & ~union) for union in unions
    )
