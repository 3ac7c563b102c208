"""What there is to sell: the catalogue, its popularity, and the true stock of every cell.

A cell is one SKU at one location, numbered `sku * len(LOCATIONS) + location`. Skus, locations and lines are
small integers inside the simulator; they get their names when an event is written.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import accumulate
from math import sqrt
from random import Random

from sources.simulator.scenario import LOCATIONS, SAFETY_STOCK, Scenario

PLACES = len(LOCATIONS)
_KIT_SHARE = 0.03
_STOCKED = (1.0, 0.7, 0.4, 0.5)  # chance that a SKU is kept at each location
_SHARE = (0.5, 0.3, 0.2, 0.2)  # of the demand, roughly, that each location serves
_UNITS_PER_ORDER = 2.4


def popularity(rank: int) -> float:
    """Zipf with s = 1 + 1/16, by square roots only: these are exact on every machine, powers are not."""
    return 1.0 / ((rank + 1) * sqrt(sqrt(sqrt(sqrt(rank + 1)))))


class World:
    """Stock in units per cell. `offer` = sellable − promised − withheld: what may still be sold from it.

    `sellable`, `damaged` and `checking` (quality control) add up to the physical stock. `drift` says, per
    cell, how many units the emitted evidence lies above the truth; counts and reports leave it alone.
    """

    def __init__(self, scenario: Scenario) -> None:
        rng = Random(f"{scenario.seed}:world")
        size, cells = scenario.skus, scenario.skus * PLACES
        self.size = size
        numbers = list(range(1, size + 1))
        rng.shuffle(numbers)
        self.names = [f"SKU-{number:06d}" for number in numbers]
        self.cents = array("l", (199 + int(9800 * rng.random() * rng.random()) for _ in range(size)))
        self.cost = array("l", (price * (40 + int(30 * rng.random())) // 100 for price in self.cents))
        self.cumulative = array("d", accumulate(popularity(rank) for rank in range(size)))
        self.kits = self._kits(rng)
        self.stocked = bytearray(cells)
        self.inbound = bytearray(cells)
        self.par, self.safety = array("q", bytes(8 * cells)), array("q", bytes(8 * cells))
        self.stated: dict[int, int] = {}  # cell -> safety stock the product itself states
        self.sellable, self.offer = array("q", bytes(8 * cells)), array("q", bytes(8 * cells))
        self.damaged, self.checking = array("q", bytes(8 * cells)), array("q", bytes(8 * cells))
        self.drift: dict[int, int] = {}
        self.ghosts: dict[tuple[str, int], int] = {}  # (unknown SKU, place) -> units booked there
        self.frozen: set[int] = set()  # SKUs no longer offered, because an order has taken more than there is
        self._fill(rng, scenario.orders / scenario.days * _UNITS_PER_ORDER / self.cumulative[-1])

    def _kits(self, rng: Random) -> dict[int, tuple[tuple[int, int], ...]]:
        """A few SKUs made of others: kit → (component, quantity) pairs. Components are never kits."""
        kits: dict[int, tuple[tuple[int, int], ...]] = {}
        members: set[int] = set()
        for sku in range(self.size):
            if rng.random() >= _KIT_SHARE or sku in members:
                continue
            parts = {
                part: 1 + (rng.random() < 0.3)
                for part in (rng.randrange(self.size) for _ in range(2 + (rng.random() < 0.4)))
                if part != sku and part not in kits
            }
            if parts:
                kits[sku] = tuple(parts.items())
                members.update(parts)
        return kits

    def _fill(self, rng: Random, daily: float) -> None:
        """Opening stock: a day or so of each SKU's expected demand, less at places that serve less of it."""
        for sku in range(self.size):
            if sku in self.kits:
                continue
            demand = daily * popularity(sku)
            withheld = rng.random() < 0.3
            for place in range(PLACES):
                if rng.random() >= _STOCKED[place]:
                    continue
                cell = sku * PLACES + place
                self.stocked[cell] = 1
                self.par[cell] = par = 10 + int(demand * _SHARE[place])
                self.sellable[cell] = par + int(par * rng.random())
                self.safety[cell] = SAFETY_STOCK[LOCATIONS[place]]
                if withheld:
                    self.safety[cell] = self.stated[cell] = int(rng.random() * 5)
                self.offer[cell] = self.sellable[cell] - self.safety[cell]
                if rng.random() < 0.02:
                    self.damaged[cell] = 1 + int(rng.random() * 3)

    def popular(self, draw: float) -> int:
        """A number in [0, 1) → a SKU, popular ones more often."""
        return bisect_left(self.cumulative, draw * self.cumulative[-1])

    def on_hand(self, cell: int) -> int:
        """The true physical units of a cell, in any condition."""
        return self.sellable[cell] + self.damaged[cell] + self.checking[cell]

    def evident(self, cell: int) -> int:
        """The physical units as the emitted events imply them."""
        return self.on_hand(cell) + self.drift.get(cell, 0)

    def parts(self, sku: int) -> tuple[tuple[int, int], ...]:
        """What a unit of the SKU takes from stock: its components, or itself."""
        return self.kits.get(sku) or ((sku, 1),)

    def take(self, sku: int, place: int, quantity: int) -> bool:
        """Promise units from a place, all or none."""
        offer = self.offer
        if sku in self.kits:
            needs = [(part * PLACES + place, each * quantity) for part, each in self.kits[sku]]
            if any(offer[cell] < units for cell, units in needs):
                return False
            for cell, units in needs:
                offer[cell] -= units
            return True
        cell = sku * PLACES + place
        if offer[cell] < quantity:
            return False
        offer[cell] -= quantity
        return True

    def free(self, sku: int, place: int, quantity: int) -> None:
        """Take back a promise."""
        for part, each in self.parts(sku):
            self.offer[part * PLACES + place] += each * quantity

    def quiet(self, cell: int) -> bool:
        """Whether counts and reports of the cell may be trusted: stocked, and no fault has touched it."""
        return self.stocked[cell] == 1 and cell not in self.drift
