"""Before the first order: the catalogue and what every place has on its shelves."""

from __future__ import annotations

from sources.simulator.clock import MINUTE, stamp
from sources.simulator.orders import money
from sources.simulator.scenario import LOCATIONS
from sources.simulator.simulation import Event, Simulation
from sources.simulator.world import PLACES

_LASTS = 8 * MINUTE  # all of it, so that the first orders find it told


def open_day(sim: Simulation) -> None:
    """Tell every product, then every stocked cell as of the start."""
    start, cells = sim.now, sim.world.size * PLACES
    for sku in range(sim.world.size):
        sim.now = start + sku * _LASTS // sim.world.size & ~1
        sim.emit(sim.catalogue, "product.upserted", sim.world.names[sku], _product(sim, sku))
    for cell in range(cells):
        sim.now = start + cell * _LASTS // cells & ~1
        if sim.world.stocked[cell]:
            _count(sim, cell, sim.world.sellable[cell], "sellable")
            if sim.world.damaged[cell]:
                _count(sim, cell, sim.world.damaged[cell], "damaged")
    sim.now = start + _LASTS


def _product(sim: Simulation, sku: int) -> Event:
    world = sim.world
    name = world.names[sku]
    digits = name.removeprefix("SKU-")
    data: Event = {
        "sku": name,
        "version": 1,
        "identifiers": [{"scheme": "gtin", "value": "0061414" + digits}],
    }
    if any("amazon" in channel.name for channel in sim.channels):
        channel = next(channel.name for channel in sim.channels if "amazon" in channel.name)
        data["identifiers"].append({"scheme": "asin", "value": "B0SIM" + digits[-5:], "channel": channel})
    stated = {place: world.stated.get(sku * PLACES + n) for n, place in enumerate(LOCATIONS)}
    if any(units is not None for units in stated.values()):
        data["safety_stock"] = {place: units for place, units in stated.items() if units is not None}
    data["unit_cost"] = money(world.cost[sku])
    data["active"] = True
    if sku in world.kits:
        data["components"] = [{"sku": world.names[part], "quantity": each} for part, each in world.kits[sku]]
    return data


def _count(sim: Simulation, cell: int, quantity: int, status: str) -> None:
    sku, place = divmod(cell, PLACES)
    name = sim.world.names[sku]
    data: Event = {"sku": name, "location": LOCATIONS[place], "quantity": quantity}
    if status != "sellable":
        data["status"] = status
    data["as_of"] = stamp(sim.start)
    data["through_sequence"] = 0
    sim.emit(sim.warehouses[place], "inventory.counted", name, data)
