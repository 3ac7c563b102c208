"""Faults that befall stock: wrong counts, wrong balances, too much sold, unknown SKUs, lost numbered messages.

Each is a step of (simulation, n), planned several times over the day; every other one is cured.
A cell a fault has touched is entered in `World.drift`, so that nothing else is reported about it.
"""

from __future__ import annotations

from sources.simulator.clock import HOUR, MINUTE, SECOND, stamp
from sources.simulator.lifecycle import announce, cancel
from sources.simulator.orders import STANDARD, Line, Order, Trouble
from sources.simulator.rounds import state_balance, take_count, tell_count
from sources.simulator.scenario import ALLOWED_LATENESS, LOCATIONS
from sources.simulator.simulation import SETTLE, Event, Simulation, Source
from sources.simulator.truth import tell_fault
from sources.simulator.warehouse import some_cell
from sources.simulator.world import PLACES, World
from sources.simulator.writer import encode

_NEVER = -(10**12)
_KEYED_IN = 2 * MINUTE  # from a look at the books to the report of it


def _touch(sim: Simulation) -> int | None:
    """A cell for a fault of its own."""
    cell = some_cell(sim)
    if cell is not None:
        sim.world.drift[cell] = 0
    return cell


def _place_of(world: World, cell: int) -> dict[str, str]:
    return {"sku": world.names[cell // PLACES], "location": LOCATIONS[cell % PLACES]}


def miscount(sim: Simulation, n: int) -> None:
    """Someone counts too many, or (only where nobody was promised them) too few."""
    cell = _touch(sim)
    if cell is None:
        return
    wrong = 1 + int(sim.draw() * 6)
    if n % 2 and sim.world.offer[cell] >= wrong:
        sim.world.offer[cell] -= wrong
        wrong = -wrong
    sim.cut(sim.now + SETTLE, _count_wrongly, (cell, wrong))


def _count_wrongly(sim: Simulation, what: tuple[int, int]) -> None:
    take_count(sim, *what)


def drift_apart(sim: Simulation, n: int) -> None:
    """The ERP is wrong by the same units in two reports; in every third case it has put itself right by then."""
    cell = _touch(sim)
    if cell is None:
        return
    wrong = (1 + int(sim.draw() * 8)) * (-1 if n % 2 else 1)
    sim.cut(sim.now, _misreport, (cell, wrong, n, sim.now | 1, 1))


def _misreport(sim: Simulation, what: tuple[int, int, int, int, int]) -> None:
    """(cell, units too many, n, time of the first report, ordinal of this one)."""
    cell, wrong, n, first, ordinal = what
    right = ordinal == 3 or (ordinal == 2 and n % 3 == 2)
    quantity = sim.world.on_hand(cell) + (0 if right else wrong)
    told = (
        sim.now - 1 + _KEYED_IN
    )  # the books are looked at on odd milliseconds, things are told on even ones
    sim.at(told, _state, (cell, quantity, sim.now))
    ids: Event = {**_place_of(sim.world, cell), "units": abs(wrong)}
    again = (sim.now + sim.span(270 * MINUTE, 290 * MINUTE)) | 1
    if ordinal == 1:
        sim.cut(again, _misreport, (cell, wrong, n, first, 2))
    elif right and ordinal == 2:
        tell_fault(sim, "erp_drift", None, first, **ids)
    elif ordinal == 2:
        cured = again - 1 + _KEYED_IN if n % 2 else None
        tell_fault(sim, "erp_drift", "erp_out_of_sync", told, cured, **ids, since=stamp(first))
        if cured is not None:
            sim.cut(again, _misreport, (cell, wrong, n, first, 3))


def _state(sim: Simulation, report: tuple[int, int, int]) -> None:
    state_balance(sim, sim.erp, *report)


def oversell(sim: Simulation, n: int) -> None:
    """A customer gets through an order for more than lies anywhere; nobody offers the SKU after that."""
    world = sim.world
    sku = _resting(sim)
    if sku is None:
        return
    channel = sim.channels[n % len(sim.channels)]
    cells = range(sku * PLACES, sku * PLACES + PLACES)
    quantity = 25 + sum(max(0, world.offer[cell] + world.safety[cell]) for cell in cells)
    for cell in cells:
        world.offer[cell], world.inbound[cell] = _NEVER, 1
        world.drift.setdefault(cell, 0)
    world.frozen.add(sku)
    order = Order(
        f"{channel.prefix}-{sim.next('order'):08d}",
        channel,
        sim.now,
        STANDARD,
        [Line(sku, quantity, world.cents[sku])],
        [],
    )
    if sim.follow is not None:
        sim.follow(order, Trouble("oversell", stall="allocated"))
    announce(sim, order)
    gone = sim.now + sim.span(40 * MINUTE, 150 * MINUTE)
    if n % 2:
        sim.at(gone, cancel, order)
    ids: Event = {"sku": world.names[sku], "order_id": order.id, "channel": channel.name}
    tell_fault(sim, "oversell", "oversold", sim.now, gone if n % 2 else None, **ids)


def _resting(sim: Simulation) -> int | None:
    """A SKU that is no kit, part of none, awaits no delivery, and no fault has touched."""
    world = sim.world
    parts = {part for components in world.kits.values() for part, _ in components}
    for _ in range(50):
        sku = world.size // 2 + int(sim.draw() * (world.size - world.size // 2))
        cells = range(sku * PLACES, sku * PLACES + PLACES)
        plain = sku not in world.kits and sku not in parts and sku not in world.frozen
        if plain and not any(world.inbound[cell] or cell in world.drift for cell in cells):
            return sku
    return None


def book_ghost(sim: Simulation, n: int) -> None:
    """A delivery of something the catalogue has never heard of; sometimes it is told within the hour."""
    place, name, units = n % PLACES, f"GHOST-{n:04d}", 5 + int(sim.draw() * 20)
    sim.world.ghosts[name, place] = units
    data = {"sku": name, "location": LOCATIONS[place], "quantity": units, "reason": "receipt"}
    time = sim.emit(sim.warehouses[place], "inventory.moved", name, data)
    told = sim.now + sim.span(20 * MINUTE, 60 * MINUTE) if n % 2 else None
    if told is not None:
        sim.at(told, _introduce, name)
    tell_fault(sim, "unknown_sku", "unknown_sku", time, told, sku=name, location=LOCATIONS[place])


def _introduce(sim: Simulation, name: str) -> None:
    data = {"sku": name, "version": 1, "unit_cost": "1.00", "active": True}
    sim.emit(sim.catalogue, "product.upserted", name, data)


def lose_number(sim: Simulation, n: int) -> None:
    """A correct count is lost on the way, but not its number; every other one is found hours later."""
    sim.cut(sim.now + 10 * SECOND, _lose, n)


def _lose(sim: Simulation, n: int) -> None:
    place = n % PLACES
    cell = some_cell(sim, place)
    if cell is None:
        return
    caught: list[tuple[str, bytes]] = []
    usual = sim.send

    def catch(stem: str, source: Source, event: Event) -> None:
        caught.append((stem, encode(event)))

    sim.send = catch
    source = sim.warehouses[place]
    tell_count(sim, (cell, sim.world.sellable[cell], sim.now, source.sequence, 0))
    sim.send = usual
    # The next number follows at once and shows the hole.
    tell_count(sim, (cell, sim.world.sellable[cell], sim.now, source.sequence, 0))
    found = (sim.now + sim.span(HOUR, 3 * HOUR)) & ~1 if n % 2 else None
    if found is not None:
        sim.at(found, _find, caught[0])
    ids: Event = {"source": source.name, "sequence": str(source.sequence - 1)}
    if found is None:
        tell_fault(sim, "sequence_gap", "sequence_gap", sim.now + ALLOWED_LATENESS, **ids)
    else:
        ids["until"] = stamp(found)
        tell_fault(sim, "sequence_gap", None, sim.now + ALLOWED_LATENESS, **ids, may=["sequence_gap"])


def _find(sim: Simulation, what: tuple[str, bytes]) -> None:
    sim.writer.write(*what)
