"""What systems report regularly: cycle counts, ERP balances, listings as the channels show them.

Every watched source does its round every 18 to 22 minutes, however quiet the day.
"""

from __future__ import annotations

from sources.simulator.clock import DAY, MINUTE, stamp
from sources.simulator.scenario import LOCATIONS
from sources.simulator.simulation import Channel, Event, Simulation, Source
from sources.simulator.truth import tell_fault
from sources.simulator.warehouse import some_cell
from sources.simulator.world import PLACES

_PAUSE = (18 * MINUTE, 22 * MINUTE)
_ROUNDS = DAY // (20 * MINUTE)
MAX_LISTED = 500


def start_rounds(sim: Simulation) -> None:
    """Plan everyone's first round, soon after the opening, and the last word at the very end."""
    for place in range(PLACES):
        sim.cut(sim.now + sim.span(MINUTE, 9 * MINUTE), _count_round, place)
    sim.cut(sim.now + sim.span(MINUTE, 9 * MINUTE), _balance_round, _many(sim, 1 / 40, 1))
    for channel in sim.channels:
        sim.at(sim.now + sim.span(MINUTE, 9 * MINUTE), _listing_round, channel)
    sim.at(sim.end, _last_word, int(sim.world.stocked.index(1)))


def _many(sim: Simulation, per_order: float, speakers: int) -> int:
    """How often a speaker reports per round, so that all of them together reach a rate per order."""
    return 1 + int(sim.scenario.orders / sim.scenario.days * per_order / (_ROUNDS * speakers))


def _count_round(sim: Simulation, place: int) -> None:
    """A place counts a few cells; the count is keyed in some minutes after its cut."""
    sim.cut(sim.now + sim.span(*_PAUSE), _count_round, place)
    for _ in range(_many(sim, 1 / 50, PLACES)):
        cell = some_cell(sim, place)
        if cell is not None:
            take_count(sim, cell, 0)


def take_count(sim: Simulation, cell: int, wrong: int) -> None:
    """Count the sellable units of a cell now, `wrong` too many; tell it soon."""
    through = sim.warehouses[cell % PLACES].sequence
    quantity = sim.world.sellable[cell] + wrong
    sim.at(sim.now + sim.span(30_000, 5 * MINUTE), tell_count, (cell, quantity, sim.now, through, wrong))


def tell_count(sim: Simulation, what: tuple[int, int, int, int, int]) -> None:
    """(cell, quantity, cut, last sequence in it, units too many) → its event."""
    cell, quantity, cut, through, wrong = what
    sku, place = divmod(cell, PLACES)
    name = sim.world.names[sku]
    data: Event = {"sku": name, "location": LOCATIONS[place], "quantity": quantity}
    data["as_of"] = stamp(cut)
    data["through_sequence"] = through
    sim.emit(sim.warehouses[place], "inventory.counted", name, data)
    if wrong:
        sim.world.drift[cell] = wrong
        ids: Event = {"sku": name, "location": LOCATIONS[place], "units": abs(wrong)}
        tell_fault(sim, "miscounts", "count_variance", cut, **ids)


def _balance_round(sim: Simulation, reports: int) -> None:
    """The ERP states a few of its balances."""
    sim.cut(sim.now + sim.span(*_PAUSE), _balance_round, reports)
    for _ in range(reports):
        cell = some_cell(sim)
        if cell is not None:
            report = (cell, sim.world.on_hand(cell), sim.now)
            sim.at(sim.now + sim.span(MINUTE, 5 * MINUTE), tell_balance, report)


def tell_balance(sim: Simulation, report: tuple[int, int, int]) -> None:
    """(cell, quantity, as of) → the ERP's report, if the ERP reports at all just now."""
    if sim.muted[0] <= sim.now < sim.muted[1]:
        return
    cell, quantity, cut = report
    state_balance(sim, sim.ledger, cell, quantity, cut)


def state_balance(sim: Simulation, source: Source, cell: int, quantity: int, cut: int) -> None:
    """A source's statement of the on_hand of a cell at a cut."""
    sku, place = divmod(cell, PLACES)
    name = sim.world.names[sku]
    data = {"sku": name, "location": LOCATIONS[place], "quantity": quantity, "as_of": stamp(cut)}
    sim.emit(source, "inventory.balance_reported", name, data)


def _last_word(sim: Simulation, cell: int) -> None:
    """A report at the very end, so that the greatest time read is the end."""
    tell_balance(sim, (cell, sim.world.evident(cell), sim.end - 1))


def _listing_round(sim: Simulation, channel: Channel) -> None:
    """A channel acknowledges new quantities of a few listings, and shows them."""
    sim.at(sim.now + sim.span(*_PAUSE), _listing_round, channel)
    for _ in range(_many(sim, 1 / 30, len(sim.channels))):
        sku = int(sim.draw() * sim.world.size)
        if sku not in sim.world.kits and sku not in sim.world.frozen and sku not in channel.strange:
            quantity = acknowledge_listing(sim, channel, sku)
            sim.at(sim.now + sim.span(MINUTE, 5 * MINUTE), observe_listing, (channel, sku, quantity))


def acknowledge_listing(sim: Simulation, channel: Channel, sku: int) -> int:
    """The channel takes the next version of a listing → the quantity it holds."""
    world, name = sim.world, sim.world.names[sku]
    units = sum(max(0, world.offer[sku * PLACES + place]) for place in channel.places)
    quantity = min(MAX_LISTED, units)
    channel.listed[sku] = version = channel.listed.get(sku, 0) + 1
    data = {"channel": channel.name, "sku": name, "version": version, "quantity": quantity}
    sim.emit(channel.source, "listing.acknowledged", f"{channel.name}|{name}", data)
    return quantity


def observe_listing(sim: Simulation, what: tuple[Channel, int, int]) -> None:
    """(channel, SKU, quantity shown) → what was read back from the channel."""
    channel, sku, quantity = what
    name = sim.world.names[sku]
    data = {"channel": channel.name, "sku": name, "quantity": quantity, "as_of": stamp(sim.now)}
    sim.emit(channel.source, "listing.observed", f"{channel.name}|{name}", data)
