"""What happens to stock apart from orders: receipts, adjustments, transfers, damage."""

from __future__ import annotations

from sources.simulator.clock import HOUR, MINUTE
from sources.simulator.scenario import LOCATIONS
from sources.simulator.simulation import SETTLE, Simulation
from sources.simulator.world import PLACES

_HAPPENINGS_PER_ORDER = 1 / 60


def moved(sim: Simulation, cell: int, quantity: int, reason: str, **more: str) -> int:
    """One movement of sellable stock, book and event; `more` are further fields → the event's time."""
    sku, place = divmod(cell, PLACES)
    sim.world.sellable[cell] += quantity
    name = sim.world.names[sku]
    data = {"sku": name, "location": LOCATIONS[place], "quantity": quantity, "reason": reason, **more}
    return sim.emit(sim.warehouses[place], "inventory.moved", name, data)


def offer(sim: Simulation, more: tuple[int, int]) -> None:
    """Offer units of a cell to the channels again: (cell, units)."""
    cell, units = more
    sim.world.offer[cell] += units


def regain(sim: Simulation, sku: int, place: int, quantity: int) -> None:
    """Units promised and not needed: they may be sold again once every reader knows of it."""
    for part, each in sim.world.parts(sku):
        sim.at(sim.now + SETTLE, offer, (part * PLACES + place, each * quantity))


def reorder(sim: Simulation, cell: int) -> None:
    """Stock runs low: a delivery is on its way."""
    sim.world.inbound[cell] = 1
    sim.at(sim.now + sim.span(HOUR, 4 * HOUR), receive, cell)


def receive(sim: Simulation, cell: int) -> None:
    """A delivery arrives and is put away."""
    units = sim.world.par[cell]
    moved(sim, cell, units, "receipt")
    sim.world.inbound[cell] = 0
    sim.at(sim.now + SETTLE, offer, (cell, units))


def stir(sim: Simulation, _: None) -> None:
    """Now and then something else moves; then plan the next time it does."""
    per_day = 12 + int(sim.scenario.orders / sim.scenario.days * _HAPPENINGS_PER_ORDER)
    pause = 24 * HOUR // per_day
    sim.at(sim.now + sim.span(pause // 2, pause * 3 // 2), stir, None)
    cell = some_cell(sim)
    if cell is None:
        return
    draw = sim.draw()
    if draw < 0.2:
        moved(sim, cell, units := 1 + int(sim.draw() * 4), "adjustment")
        sim.at(sim.now + SETTLE, offer, (cell, units))
        return
    units = 1 + int(sim.draw() * 3)
    if sim.world.offer[cell] < units:
        return
    # Taken off offer first and moved later, so that no promise is ever left without its unit.
    sim.world.offer[cell] -= units
    step = _write_off if draw < 0.4 else _damage if draw < 0.65 else _transfer
    sim.at(sim.now + SETTLE, step, (cell, units))


def some_cell(sim: Simulation, place: int = -1) -> int | None:
    """Any stocked cell (of a place) that no fault has touched; None if none is soon found."""
    world = sim.world
    for _ in range(40):
        at = place if place >= 0 else int(sim.draw() * PLACES)
        cell = int(sim.draw() * world.size) * PLACES + at
        if world.quiet(cell):
            return cell
    return None


def _write_off(sim: Simulation, what: tuple[int, int]) -> None:
    moved(sim, what[0], -what[1], "adjustment")


def _damage(sim: Simulation, what: tuple[int, int]) -> None:
    cell, units = what
    sim.world.sellable[cell] -= units
    sim.world.damaged[cell] += units
    restate(sim, cell, units, "sellable", "damaged")


def restate(sim: Simulation, cell: int, units: int, before: str, after: str) -> None:
    """Units change their condition; the arrays are the caller's."""
    sku, place = divmod(cell, PLACES)
    name = sim.world.names[sku]
    data = {
        "sku": name,
        "location": LOCATIONS[place],
        "quantity": units,
        "from_status": before,
        "to_status": after,
    }
    sim.emit(sim.warehouses[place], "inventory.status_changed", name, data)


def _transfer(sim: Simulation, what: tuple[int, int]) -> None:
    """Units leave for another place that stocks the SKU; they arrive hours later."""
    cell, units = what
    sku, place = divmod(cell, PLACES)
    for step in range(1, PLACES):
        target = sku * PLACES + (place + step) % PLACES
        if sim.world.quiet(target):
            moved(sim, cell, -units, "transfer")
            sim.at(sim.now + sim.span(HOUR, 5 * HOUR), _arrive, (target, units))
            return
    sim.at(sim.now + MINUTE, offer, what)


def _arrive(sim: Simulation, what: tuple[int, int]) -> None:
    moved(sim, what[0], what[1], "transfer")
    sim.at(sim.now + SETTLE, offer, what)
