"""A parcel leaves: the shipment, its goods issue, and everyone who hears of it."""

from __future__ import annotations

from sources.simulator.clock import MINUTE
from sources.simulator.delivery import acknowledge, hand_over
from sources.simulator.orders import LINE_IDS, Order, Parcel
from sources.simulator.postings import goods_issue, invoice
from sources.simulator.scenario import LOCATIONS, SLA
from sources.simulator.simulation import Simulation
from sources.simulator.stalls import overdue
from sources.simulator.warehouse import moved, regain
from sources.simulator.world import PLACES


def follow(sim: Simulation, parcel: Parcel) -> None:
    """Channel, carrier and ERP take note in their time; the invoice waits for the order's last parcel."""
    order = parcel.order
    if not order.suffers("lost", "acknowledgement"):
        told = sim.now + sim.span(2 * MINUTE, 60 * MINUTE)
        late = overdue(sim, order, "acknowledged", sim.now + SLA["acknowledged"], told)
        if late is not None:
            sim.at(late, acknowledge, parcel)
    hand_over(sim, parcel)
    order.unshipped -= 1
    if order.unshipped == 0:
        billed = sim.now + sim.span(10 * MINUTE, 300 * MINUTE)
        late = overdue(sim, order, "posted", sim.now + SLA["posted"], billed)
        if late is not None:
            sim.at(late, invoice, order)


def sent(order: Order, index: int) -> int:
    """The SKU that really goes into the box for a line."""
    trouble = order.trouble
    return order.lines[index].sku if trouble is None or trouble.wrong < 0 or index else trouble.wrong


def tell_shipment(sim: Simulation, parcel: Parcel) -> int:
    """The warehouse's word that the parcel has left → the event's time."""
    order, names = parcel.order, sim.world.names
    lines = [
        {"line_id": LINE_IDS[index], "sku": names[sent(order, index)], "quantity": quantity}
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
        sku = sent(order, index)
        if sku != order.lines[index].sku:
            regain(sim, order.lines[index].sku, parcel.place, quantity)
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
