"""Which orders get which fault: a few of each kind, spread over the day, where the day is long enough for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from random import Random

from sources.simulator.clock import DAY, MINUTE
from sources.simulator.judge import judge
from sources.simulator.orders import EXPRESS, SAME_DAY, STANDARD, Order, Trouble
from sources.simulator.simulation import Simulation
from sources.simulator.world import PLACES

_SETTLED = 9 * DAY  # after placing, every deadline has passed and every cure has come


def _reserve_again(sim: Simulation, order: Order, trouble: Trouble) -> bool:
    """The same units once more, to be shipped a second time."""
    promised: list[tuple[int, int, int]] = []
    for index, place, quantity in order.rows:
        sku = order.lines[index].sku
        if not sim.world.take(sku, place, quantity):
            for row in promised:
                sim.world.free(*row)
            return False
        promised.append((sku, place, quantity))
    return True


def _choose_wrong(sim: Simulation, order: Order, trouble: Trouble) -> bool:
    """Another SKU at the place of the first line, to be shipped in its stead."""
    _, place, quantity = order.rows[0]
    ordered = {line.sku for line in order.lines}
    for _ in range(20):
        sku = int(sim.draw() * sim.world.size)
        if sku not in sim.world.kits and sku not in ordered and sim.world.take(sku, place, quantity):
            trouble.wrong = sku
            return True
    return False


@dataclass(frozen=True)
class Kind:
    """A fault of orders: the services it can befall, and the minutes its story needs before the end."""

    name: str
    minutes: int
    services: frozenset[int]
    stall: str = ""
    variant: str = ""
    prepare: Callable[[Simulation, Order, Trouble], bool] | None = None


_SLOW, _EXPRESS, _TODAY = frozenset({STANDARD, EXPRESS}), frozenset({EXPRESS}), frozenset({SAME_DAY})
_STANDARD = frozenset({STANDARD})

KINDS = (
    Kind("stall_accepted", 60, _SLOW, "accepted"),
    Kind("stall_allocated", 90, _SLOW, "allocated"),
    Kind("stall_released", 180, _SLOW, "released"),
    Kind("stall_picked", 540, _SLOW, "picked"),
    Kind("stall_packed", 660, _SLOW, "packed"),
    Kind("stall_shipped", 420, _EXPRESS, "shipped"),
    Kind("stall_delivered", 600, _TODAY, "delivered"),
    Kind("stall_acknowledged", 450, _EXPRESS, "acknowledged"),
    Kind("stall_posted", 780, _EXPRESS, "posted"),
    Kind("stall_goods_issue", 540, _EXPRESS, "goods_issue"),
    Kind("stall_shipment_confirmed", 1080, _STANDARD, "shipment_confirmed"),
    Kind("stall_refunded", 900, _TODAY, "refunded"),
    Kind("rejected", 60, _SLOW, variant="refused"),
    Kind("lost", 1000, _STANDARD, variant="shipment"),
    Kind("lost", 540, _EXPRESS, variant="issue"),
    Kind("lost", 90, _STANDARD, variant="allocation"),
    Kind("lost", 450, _EXPRESS, variant="acknowledgement"),
    Kind("double_shipment", 480, _EXPRESS, prepare=_reserve_again),
    Kind("shipped_after_cancel", 360, _EXPRESS),
    Kind("wrong_item", 360, _EXPRESS, prepare=_choose_wrong),
    Kind("orphan_shipment", 360, _SLOW),
    Kind("posting_mismatch", 600, _EXPRESS),
    Kind("refund_without_return", 480, _EXPRESS),
    Kind("carrier_exception", 360, _TODAY),
)


class Troubles:
    """Gives new orders their troubles.

    Kinds fall due at order numbers drawn beforehand and wait for an order that can have them; every other
    order of a kind is cured.
    """

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._rng = Random(f"{sim.scenario.seed}:troubles")
        self._gap = 2 / sim.scenario.fault_rate
        self._kinds = [kind for kind in KINDS if kind.name in sim.scenario.enabled]
        self._given = [0] * len(self._kinds)
        self._due = [(1 + 2 * n, n) for n in range(len(self._kinds))]
        heapify(self._due)
        self._waiting: list[int] = []
        self._open: dict[str, Order] = {}

    def assign(self, order: Order) -> None:
        """The first waiting kind of fault that fits the order, if any."""
        number = self._sim.serial["order"]
        while self._due and self._due[0][0] <= number:
            self._waiting.append(heappop(self._due)[1])
        if not self._waiting or not self._simple(order):
            return
        for n in self._waiting:
            kind = self._kinds[n]
            trouble = Trouble(kind.name, kind.variant, kind.stall, cured=self._given[n] % 2 == 1)
            if self._fits(kind, order, trouble):
                self._waiting.remove(n)
                self._given[n] += 1
                heappush(self._due, (number + 1 + int(self._gap * self._rng.random()), n))
                self.follow(order, trouble)
                return

    def follow(self, order: Order, trouble: Trouble) -> None:
        """Give the order its trouble, and judge it when all of it has passed."""
        order.trouble = trouble
        self._open[order.id] = order
        self._sim.at(order.placed + _SETTLED, self._settle, order)

    def settle_all(self) -> None:
        """At the end: judge what is still open."""
        for order in self._open.values():
            judge(self._sim, order)
        self._open.clear()

    def _settle(self, sim: Simulation, order: Order) -> None:
        judge(sim, self._open.pop(order.id))

    def _simple(self, order: Order) -> bool:
        """One place, no kits: the truth of such an order can be told in one sentence."""
        kits = self._sim.world.kits
        return len({row[1] for row in order.rows}) == 1 and not any(line.sku in kits for line in order.lines)

    def _fits(self, kind: Kind, order: Order, trouble: Trouble) -> bool:
        if order.service not in kind.services or order.placed + kind.minutes * MINUTE > self._sim.end:
            return False
        cells = [order.lines[index].sku * PLACES + place for index, place, _ in order.rows]
        if any(cell in self._sim.world.drift for cell in cells):
            return False
        return kind.prepare is None or kind.prepare(self._sim, order, trouble)
