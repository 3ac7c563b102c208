"""A parcel on its way: what carrier and channel say of it."""

from __future__ import annotations

from sources.simulator.clock import HOUR, MINUTE
from sources.simulator.orders import SAME_DAY, Order, Parcel
from sources.simulator.returns import consider
from sources.simulator.scenario import SLA
from sources.simulator.simulation import Simulation
from sources.simulator.stalls import overdue

_LONG = (20 * HOUR, 96 * HOUR)


def _tell(sim: Simulation, parcel: Parcel, kind: str, reason: str = "") -> int:
    data = {"shipment_id": parcel.id, "order_id": parcel.order.id}
    if reason:
        data["reason"] = reason
    return sim.emit(parcel.carrier, kind, parcel.order.id, data)


def acknowledge(sim: Simulation, parcel: Parcel) -> None:
    """The channel has taken the shipment's posting."""
    order = parcel.order
    data = {"shipment_id": parcel.id, "order_id": order.id}
    order.mark("acknowledged", sim.emit(order.channel.source, "shipment.acknowledged", order.id, data))


def hand_over(sim: Simulation, parcel: Parcel) -> None:
    """The carrier has the parcel; a courier is quick, a network is not."""
    quick = parcel.order.service == SAME_DAY
    wait = sim.span(5 * MINUTE, 15 * MINUTE) if quick else sim.span(20 * MINUTE, 5 * HOUR)
    sim.at(sim.now + wait, _in_transit, parcel)


def _in_transit(sim: Simulation, parcel: Parcel) -> None:
    _tell(sim, parcel, "shipment.in_transit")
    trouble = parcel.order.trouble
    if trouble is not None and trouble.name == "carrier_exception":
        trouble.variant = parcel.id
        sim.at(sim.now + sim.span(2 * MINUTE, 9 * MINUTE), _except, parcel)
        if not trouble.cured:
            return
    quick = parcel.order.service == SAME_DAY
    wait = sim.span(10 * MINUTE, 30 * MINUTE) if quick else sim.span(*_LONG)
    sim.at(sim.now + wait, _out_for_delivery, parcel)


def _out_for_delivery(sim: Simulation, parcel: Parcel) -> None:
    _tell(sim, parcel, "shipment.out_for_delivery")
    quick = parcel.order.service == SAME_DAY
    wait = sim.span(10 * MINUTE, 60 * MINUTE) if quick else sim.span(HOUR, 7 * HOUR)
    order = parcel.order
    due = min(order.due_delivery or sim.end, parcel.shipped + SLA["delivered"])
    late = overdue(sim, order, "delivered", due, sim.now + wait)
    if late is not None:
        sim.at(late, deliver, parcel)


def _except(sim: Simulation, parcel: Parcel) -> None:
    parcel.order.mark("excepted", _tell(sim, parcel, "shipment.exception", "address not found"))


def deliver(sim: Simulation, parcel: Parcel) -> None:
    """At the customer's door; a few will send it back."""
    time = _tell(sim, parcel, "shipment.delivered")
    order: Order = parcel.order
    order.undelivered -= 1
    if order.undelivered == 0:
        order.mark("delivered", time)
        consider(sim, parcel)
