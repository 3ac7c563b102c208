"""Faults of listings: shown wrongly, refused, of nothing known. Each is a step of (simulation, n)."""

from __future__ import annotations

from sources.simulator.clock import HOUR, MINUTE, stamp
from sources.simulator.rounds import acknowledge_listing, observe_listing
from sources.simulator.scenario import GRACE
from sources.simulator.simulation import Channel, Simulation
from sources.simulator.truth import tell_fault

_TRIES = 50


def _listing(sim: Simulation, n: int) -> tuple[Channel, int] | None:
    """A channel and a SKU whose listing is left to the fault."""
    channel = sim.channels[n % len(sim.channels)]
    for _ in range(_TRIES):
        sku = int(sim.draw() * sim.world.size)
        if not (sku in sim.world.kits or sku in sim.world.frozen or sku in channel.strange):
            channel.strange.add(sku)
            return channel, sku
    return None


def show_wrongly(sim: Simulation, n: int) -> None:
    """The channel acknowledges a quantity, shows another, and is read twice before it is put right, or not."""
    found = _listing(sim, n)
    if found is None:
        return
    channel, sku = found
    # Quantities told before the fault took the listing over have long been read back by then.
    sim.at(sim.now + 10 * MINUTE, _show, (channel, sku, n))


def _show(sim: Simulation, what: tuple[Channel, int, int]) -> None:
    channel, sku, n = what
    told = acknowledge_listing(sim, channel, sku)
    shown = told + 1 + int(sim.draw() * 20)
    first = sim.now + sim.span(MINUTE, 4 * MINUTE)
    sim.at(first, observe_listing, (channel, sku, shown))
    sim.at(first + sim.span(40 * MINUTE, 60 * MINUTE), observe_listing, (channel, sku, shown))
    cured = first + sim.span(90 * MINUTE, 120 * MINUTE) if n % 2 else None
    if cured is not None:
        sim.at(cured, observe_listing, (channel, sku, told))
    ids = {"channel": channel.name, "sku": sim.world.names[sku], "since": stamp(first)}
    tell_fault(sim, "listing_drift", "listing_out_of_sync", first + GRACE["listing_grace"], cured, **ids)


def refuse(sim: Simulation, n: int) -> None:
    """The channel refuses the next version of a listing; every other one it takes an hour later."""
    found = _listing(sim, n)
    if found is None:
        return
    channel, sku = found
    name = sim.world.names[sku]
    channel.listed[sku] = version = channel.listed.get(sku, 0) + 1
    data = {"channel": channel.name, "sku": name, "version": version, "code": "INVALID_QUANTITY"}
    data |= {"message": "the quantity was not taken", "retry_after_seconds": 30}
    time = sim.emit(channel.source, "listing.rejected", f"{channel.name}|{name}", data)
    taken = sim.now + sim.span(HOUR, 2 * HOUR) if n % 2 else None
    if taken is not None:
        sim.at(taken, _take, found)
    tell_fault(sim, "listing_rejected", "listing_rejected", time, taken, channel=channel.name, sku=name)


def _take(sim: Simulation, listing: tuple[Channel, int]) -> None:
    acknowledge_listing(sim, *listing)


def list_ghost(sim: Simulation, n: int) -> None:
    """A channel shows something the catalogue has never heard of."""
    channel, name = sim.channels[n % len(sim.channels)], f"GHOST-LISTED-{n:04d}"
    data = {"channel": channel.name, "sku": name, "quantity": 3, "as_of": stamp(sim.now)}
    time = sim.emit(channel.source, "listing.observed", f"{channel.name}|{name}", data)
    tell_fault(sim, "unknown_sku", "unknown_sku", time, channel=channel.name, sku=name)
