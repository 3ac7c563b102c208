"""A parcel on the warehouse's floor: released, picked, packed, shipped, and out of the book."""

from __future__ import annotations

from sources.simulator.clock import MINUTE
from sources.simulator.delivery import acknowledge, hand_over
from sources.simulator.orders import LINE_IDS, PACE, PICKED, Parcel
from sources.simulator.postings import goods_issue, invoice
from sources.simulator.scenario import LOCATIONS
from sources.simulator.simulation import Simulation
from sources.simulator.stalls import proceed
from sources.simulator.warehouse import moved
from sources.simulator.world import PLACES


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
    wait = int(sim.span(10 * MINUTE, 240 * MINUTE) * PACE[order.service])
    proceed(sim, order, "picked", sim.now + wait, _pick, parcel)


def _pick(sim: Simulation, parcel: Parcel) -> None:
    order = parcel.order
    if order.cancelled:
        return
    order.stage = PICKED
    _step(sim, parcel, "picked")
    wait = int(sim.span(5 * MINUTE, 60 * MINUTE) * PACE[order.service])
    proceed(sim, order, "packed", sim.now + wait, _pack, parcel)


def _pack(sim: Simulation, parcel: Parcel) -> None:
    """Packed; one issue in five is booked before the door closes."""
    order = parcel.order
    _step(sim, parcel, "packed")
    wait = int(sim.span(10 * MINUTE, 300 * MINUTE) * PACE[order.service])
    proceed(sim, order, "shipped", sim.now + wait, ship, parcel)
    if sim.draw() < 0.2:
        sim.at(sim.now + int(wait * (0.2 + 0.7 * sim.draw())), issue, parcel)


def ship(sim: Simulation, parcel: Parcel) -> None:
    """The parcel leaves: shipment, goods issue, carrier, channel and ERP each tell it in their time."""
    order = parcel.order
    tell_shipment(sim, parcel)
    if not parcel.issued:
        sim.at(sim.now + sim.span(MINUTE, 150 * MINUTE), issue, parcel)
    sim.at(sim.now + sim.span(2 * MINUTE, 60 * MINUTE), acknowledge, parcel)
    hand_over(sim, parcel)
    order.unshipped -= 1
    if order.unshipped == 0:
        sim.at(sim.now + sim.span(10 * MINUTE, 300 * MINUTE), invoice, order)


def tell_shipment(sim: Simulation, parcel: Parcel) -> int:
    """The warehouse's word that the parcel has left → the event's time."""
    order, names = parcel.order, sim.world.names
    lines = [
        {"line_id": LINE_IDS[index], "sku": names[order.lines[index].sku], "quantity": quantity}
        for index, quantity in parcel.rows
    ]
    data = {
        "shipment_id": parcel.id,
        "order_id": order.id,
        "location": LOCATIONS[parcel.place],
        "carrier": parcel.carrier.name.rpartition("/")[2],
        "tracking_number": "1Z" + parcel.id[4:],
        "lines": lines,
    }
    parcel.shipped = sim.now
    return sim.emit(sim.warehouses[parcel.place], "shipment.shipped", order.id, data)


def issue(sim: Simulation, parcel: Parcel) -> None:
    """The units leave the book: a kit by its name or by its components, most with the line they belong to."""
    parcel.issued = True
    order, world = parcel.order, sim.world
    named = order.trouble is not None or sim.draw() < 0.9
    for index, quantity in parcel.rows:
        sku = order.lines[index].sku
        more = {"order_id": order.id}
        if named:
            more["line_id"] = LINE_IDS[index]
        more["shipment_id"] = parcel.id
        if sku in world.kits and sim.draw() < 0.4:
            _issue_kit(sim, parcel.place, sku, quantity, more)
            continue
        for part, each in world.parts(sku):
            moved(sim, part * PLACES + parcel.place, -each * quantity, "issue", **more)
    sim.at(sim.now + sim.span(MINUTE, 30 * MINUTE), goods_issue, parcel)


def _issue_kit(sim: Simulation, place: int, kit: int, quantity: int, more: dict[str, str]) -> None:
    """A movement that names the kit moves its components' books."""
    for part, each in sim.world.kits[kit]:
        sim.world.sellable[part * PLACES + place] -= each * quantity
    name = sim.world.names[kit]
    data = {"sku": name, "location": LOCATIONS[place], "quantity": -quantity, "reason": "issue", **more}
    sim.emit(sim.warehouses[place], "inventory.moved", name, data)
