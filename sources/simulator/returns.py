"""What comes back: requested by the customer, received and judged by the warehouse, paid back by the ERP."""

from __future__ import annotations

from sources.simulator.clock import DAY, HOUR, MINUTE
from sources.simulator.orders import LINE_IDS, SAME_DAY, Order, Parcel
from sources.simulator.postings import refund
from sources.simulator.scenario import SLA
from sources.simulator.simulation import SETTLE, Simulation
from sources.simulator.stalls import overdue
from sources.simulator.truth import tell_trouble
from sources.simulator.warehouse import moved, offer, restate
from sources.simulator.world import PLACES

_RATE, _QUICK_RATE = 0.07, 0.12


class Return:
    """One unit of a parcel's first line on its way back to where it came from."""

    __slots__ = ("id", "index", "order", "place")

    def __init__(self, order: Order, place: int, index: int, number: int) -> None:
        self.id = f"RET-{number:07d}"
        self.order = order
        self.place = place
        self.index = index


def consider(sim: Simulation, parcel: Parcel) -> None:
    """Whether the customer keeps it. Kits are kept: nobody returns half of one."""
    order, index = parcel.order, parcel.rows[0][0]
    quick = order.service == SAME_DAY
    if order.lines[index].sku in sim.world.kits:
        return
    if order.suffers("stall_refunded") or sim.draw() < (_QUICK_RATE if quick else _RATE):
        wait = sim.span(10 * MINUTE, 60 * MINUTE) if quick else sim.span(HOUR, 2 * DAY)
        sim.at(sim.now + wait, _request, Return(order, parcel.place, index, sim.next("return")))


def _request(sim: Simulation, back: Return) -> None:
    order = back.order
    data = {"return_id": back.id, "order_id": order.id}
    sim.emit(order.channel.source, "return.requested", order.id, data)
    quick = order.service == SAME_DAY
    wait = sim.span(30 * MINUTE, 150 * MINUTE) if quick else sim.span(DAY, 3 * DAY)
    sim.at(sim.now + wait, _receive, back)


def _receive(sim: Simulation, back: Return) -> None:
    """The warehouse has it in hand and says what it is worth."""
    order, draw = back.order, sim.draw()
    sku = order.lines[back.index].sku
    disposition = "restock" if draw < 0.2 else "damaged" if draw < 0.3 else "quality_control"
    line = {
        "line_id": LINE_IDS[back.index],
        "sku": sim.world.names[sku],
        "quantity": 1,
        "disposition": disposition,
    }
    data = {"return_id": back.id, "order_id": order.id, "lines": [line]}
    sim.emit(sim.warehouses[back.place], "return.received", order.id, data)
    sim.at(sim.now + sim.span(MINUTE, 20 * MINUTE), _put_away, (back, disposition))
    deadline = sim.now + SLA["refunded"]
    paid = sim.now + sim.span(10 * MINUTE, 4 * HOUR)
    late = overdue(sim, order, "refunded", deadline, paid)
    if late is not None:
        sim.at(late, refund, (order, order.lines[back.index].cents, back.id))
    if late != paid:
        tell_trouble(sim, order, "refund_overdue", deadline, late)


def _put_away(sim: Simulation, what: tuple[Return, str]) -> None:
    """The unit enters the book in the condition it was judged to be in."""
    back, disposition = what
    world, order = sim.world, back.order
    cell = order.lines[back.index].sku * PLACES + back.place
    more = {"order_id": order.id, "line_id": LINE_IDS[back.index]}
    if disposition == "restock":
        moved(sim, cell, 1, "return", **more)
        sim.at(sim.now + SETTLE, offer, (cell, 1))
        return
    (world.damaged if disposition == "damaged" else world.checking)[cell] += 1
    world.sellable[cell] -= 1  # `moved` books it as sellable; it is not
    moved(sim, cell, 1, "return", status=disposition, **more)
    if disposition == "quality_control":
        sim.at(sim.now + sim.span(30 * MINUTE, 4 * HOUR), _inspect, cell)


def _inspect(sim: Simulation, cell: int) -> None:
    """Quality control lets four of five go back on the shelf."""
    world = sim.world
    world.checking[cell] -= 1
    if sim.draw() < 0.8:
        world.sellable[cell] += 1
        restate(sim, cell, 1, "quality_control", "sellable")
        sim.at(sim.now + SETTLE, offer, (cell, 1))
    else:
        world.damaged[cell] += 1
        restate(sim, cell, 1, "quality_control", "damaged")
