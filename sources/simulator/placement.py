"""A customer fills a basket: only what the channel's pool can still promise."""

from __future__ import annotations

from sources.simulator.clock import HOUR
from sources.simulator.orders import EXPRESS, SAME_DAY, STANDARD, Line, Order
from sources.simulator.scenario import LOCATIONS
from sources.simulator.simulation import Channel, Simulation
from sources.simulator.warehouse import reorder
from sources.simulator.world import PLACES

_LINES = (1,) * 12 + (2,) * 5 + (3,) * 2 + (4,)
_QUANTITIES = (1,) * 15 + (2,) * 3 + (3,) + (4,)
_STORE = LOCATIONS.index("store-1")
_TRIES = 25  # baskets of a sold-out shop stay empty, they do not loop
_SPLIT = 0.03
_SHIP_WITHIN, _DELIVER_WITHIN = 6 * HOUR, 9 * HOUR


def fill(sim: Simulation, channel: Channel) -> Order | None:
    """A new order with every unit promised, or None when nothing the customer wanted is there."""
    draw = sim.draw
    service = _service(channel, draw())
    home = channel.homes[int(draw() * len(channel.homes))]
    if service == SAME_DAY and _STORE in channel.places:
        home = _STORE
    lines: list[Line] = []
    rows: list[list[int]] = []
    wanted: set[int] = set()
    for _ in range(_LINES[int(draw() * len(_LINES))]):
        _add_line(sim, channel, home, lines, rows, wanted)
    if not lines:
        return None
    order = Order(f"{channel.prefix}-{sim.next('order'):08d}", channel, sim.now, service, lines, rows)
    if service == EXPRESS:
        order.due_ship = sim.now + _SHIP_WITHIN
    elif service == SAME_DAY:
        order.due_delivery = sim.now + _DELIVER_WITHIN
    elif "amazon" in channel.name:
        order.due_ship = sim.now + 24 * HOUR
    return order


def _service(channel: Channel, draw: float) -> int:
    """Storefront customers live nearby and want it today more often."""
    same_day = 0.15 if channel.pool == "regional" else 0.05
    return SAME_DAY if draw < same_day else EXPRESS if draw < same_day + 0.15 else STANDARD


def _add_line(
    sim: Simulation, channel: Channel, home: int, lines: list[Line], rows: list[list[int]], wanted: set[int]
) -> None:
    """One more line, of a SKU that shares no stock with the others: an issue without line id stays clear."""
    draw, world = sim.draw, sim.world
    for _ in range(_TRIES):
        sku = world.popular(draw())
        quantity = _QUANTITIES[int(draw() * len(_QUANTITIES))]
        takes = {sku, *(part for part, _ in world.parts(sku))}
        if takes & wanted:
            continue
        place = _seat(sim, channel, home, sku, quantity)
        if place is None:
            continue
        rows.append([len(lines), place, quantity])
        lines.append(Line(sku, quantity, world.cents[sku]))
        wanted |= takes
        if quantity > 1 and draw() < _SPLIT:
            _split(sim, channel, rows, sku)
        return


def _seat(sim: Simulation, channel: Channel, home: int, sku: int, quantity: int) -> int | None:
    """The place that promises the units: home if it can, else the first of the pool that can."""
    world = sim.world
    for place in (home, *channel.places):
        if world.take(sku, place, quantity):
            for part, _ in world.parts(sku):
                cell = part * PLACES + place
                if world.offer[cell] * 2 < world.par[cell] and not world.inbound[cell]:
                    reorder(sim, cell)
            return place
    return None


def _split(sim: Simulation, channel: Channel, rows: list[list[int]], sku: int) -> None:
    """Let one unit of the last line leave from another place, where there is one."""
    line, home, quantity = rows[-1]
    for place in channel.places:
        if place != home and sim.world.take(sku, place, 1):
            sim.world.free(sku, home, 1)
            rows[-1][2] = quantity - 1
            rows.append([line, place, 1])
            return
