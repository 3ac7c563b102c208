"""A parcel on the warehouse's floor: released, picked, packed, shipped."""

from __future__ import annotations

from sources.simulator.clock import MINUTE
from sources.simulator.dispatch import follow, issue, tell_shipment
from sources.simulator.mishaps import cancel_too_late, ship_in_trouble
from sources.simulator.orders import PACE, PICKED, Parcel
from sources.simulator.scenario import LOCATIONS
from sources.simulator.simulation import Simulation
from sources.simulator.stalls import proceed


def _step(sim: Simulation, parcel: Parcel, milestone: str) -> None:
    order = parcel.order
    data = {"order_id": order.id, "location": LOCATIONS[parcel.place]}
    order.mark(milestone, sim.emit(sim.warehouses[parcel.place], "order." + milestone, order.id, data))


def release(sim: Simulation, parcel: Parcel) -> None:
    """The warehouse may start."""
    order = parcel.order
    if order.cancelled:
        return
    _step(sim, parcel, "released")
    wait = int(sim.span(10 * MINUTE, 240 * MINUTE) * PACE[order.service]) & ~1
    proceed(sim, order, "picked", sim.now + wait, _pick, parcel)


def _pick(sim: Simulation, parcel: Parcel) -> None:
    order = parcel.order
    if order.cancelled:
        return
    order.stage = PICKED
    _step(sim, parcel, "picked")
    wait = int(sim.span(5 * MINUTE, 60 * MINUTE) * PACE[order.service]) & ~1
    proceed(sim, order, "packed", sim.now + wait, _pack, parcel)


def _pack(sim: Simulation, parcel: Parcel) -> None:
    """Packed; one issue in five is booked before the door closes, within the hour so that nobody waits for it."""
    order = parcel.order
    _step(sim, parcel, "packed")
    wait = int(sim.span(10 * MINUTE, 300 * MINUTE) * PACE[order.service]) & ~1
    proceed(sim, order, "shipped", sim.now + wait, ship, parcel)
    if order.suffers("shipped_after_cancel"):
        sim.at(sim.now + wait // 2, cancel_too_late, order)
    elif order.trouble is None and sim.draw() < 0.2:
        ahead = sim.span(MINUTE, 55 * MINUTE)
        sim.at(sim.now + wait - min(ahead, wait * 9 // 10), issue, parcel)


def ship(sim: Simulation, parcel: Parcel) -> None:
    """The parcel leaves, and its units leave the book soon after unless they did before."""
    if parcel.order.trouble is not None:
        ship_in_trouble(sim, parcel)
        return
    tell_shipment(sim, parcel)
    if not parcel.issued:
        sim.at(sim.now + sim.span(MINUTE, 150 * MINUTE), issue, parcel)
    follow(sim, parcel)
