"""How a parcel leaves when something is wrong with its order."""

from __future__ import annotations

from sources.simulator.clock import MINUTE
from sources.simulator.delivery import hand_over
from sources.simulator.dispatch import follow, issue, sent, tell_shipment
from sources.simulator.orders import LINE_IDS, Order, Parcel
from sources.simulator.postings import refund
from sources.simulator.scenario import GRACE, LOCATIONS, SLA
from sources.simulator.simulation import Event, Simulation
from sources.simulator.stalls import overdue
from sources.simulator.truth import tell_trouble
from sources.simulator.world import PLACES


def cancel_too_late(sim: Simulation, order: Order) -> None:
    """The customer cancels a packed order, and nobody stops the truck."""
    order.cancelled = True
    data = {"order_id": order.id, "reason": "customer"}
    order.mark("cancelled", sim.emit(order.channel.source, "order.cancelled", order.id, data))


def ship_in_trouble(sim: Simulation, parcel: Parcel) -> None:
    """The parcel of an order with a trouble leaves; most troubles are elsewhere and it leaves as any other."""
    order = parcel.order
    if order.suffers("stall_shipment_confirmed") or order.suffers("lost", "shipment"):
        _leave_unconfirmed(sim, parcel)
        return
    time = tell_shipment(sim, parcel)
    order.mark("shipped", time)
    if order.suffers("stall_goods_issue") or order.suffers("lost", "issue"):
        _leave_unissued(sim, parcel)
    else:
        sim.at(sim.now + sim.span(MINUTE, 150 * MINUTE), issue, parcel)
    if order.suffers("orphan_shipment"):
        at = time + GRACE["orphan_grace"]
        tell_trouble(sim, order, "orphan_shipment", at, shipment_id=parcel.id, may=["posting_missing"])
    elif order.suffers("shipped_after_cancel"):
        _tell_lines(sim, parcel, "shipped_after_cancel", time, ["posting_missing", "posting_mismatch"])
    else:
        _go_wrong_later(sim, parcel, time)
        follow(sim, parcel)
        return
    hand_over(sim, parcel)


def _go_wrong_later(sim: Simulation, parcel: Parcel, time: int) -> None:
    """What this shipment itself shows to be wrong, or what will be done about it and should not."""
    order = parcel.order
    if order.suffers("double_shipment"):
        again = Parcel(order, parcel.place, parcel.rows, sim.next("shipment"), parcel.carrier)
        order.undelivered += 1
        sim.at(sim.now + sim.span(20 * MINUTE, 90 * MINUTE), _ship_again, again)
    elif order.suffers("wrong_item"):
        skus: Event = {
            "sku": sim.world.names[order.lines[0].sku],
            "shipped_sku": sim.world.names[sent(order, 0)],
        }
        tell_trouble(sim, order, "wrong_item_shipped", time, shipment_id=parcel.id, **skus)
    elif order.suffers("refund_without_return"):
        sim.at(sim.now + sim.span(10 * MINUTE, 150 * MINUTE), _refund, order)


def _tell_lines(sim: Simulation, parcel: Parcel, code: str, time: int, may: list[str]) -> None:
    """A fault of every line in the parcel."""
    for index, _ in parcel.rows:
        ids: Event = {"line_id": LINE_IDS[index], "sku": sim.world.names[sent(parcel.order, index)]}
        tell_trouble(sim, parcel.order, code, time, **ids, shipment_id=parcel.id, may=may)


def _ship_again(sim: Simulation, parcel: Parcel) -> None:
    time = tell_shipment(sim, parcel)
    _tell_lines(sim, parcel, "overshipped", time, [])
    sim.at(sim.now + sim.span(MINUTE, 100 * MINUTE), issue, parcel)
    hand_over(sim, parcel)


def _refund(sim: Simulation, order: Order) -> None:
    refund(sim, (order, order.lines[0].cents, None))
    tell_trouble(sim, order, "refund_without_return", sim.now)


def _leave_unissued(sim: Simulation, parcel: Parcel) -> None:
    """The units are gone, the book does not know it: for hours, or for good."""
    order, world = parcel.order, sim.world
    deadline = sim.now + SLA["goods_issue"]
    late = (
        overdue(sim, order, "goods_issue", deadline, sim.now) if order.suffers("stall_goods_issue") else None
    )
    if late is not None and late <= sim.end:
        sim.at(late, issue, parcel)
    for index, quantity in parcel.rows:
        sku = order.lines[index].sku
        ids: Event = {"sku": world.names[sku], "location": LOCATIONS[parcel.place], "shipment_id": parcel.id}
        tell_trouble(sim, order, "issue_not_posted", deadline, late, **ids)
        if late is None or late > sim.end:
            cell = sku * PLACES + parcel.place
            world.sellable[cell] -= quantity
            world.drift[cell] = world.drift.get(cell, 0) + quantity


def _leave_unconfirmed(sim: Simulation, parcel: Parcel) -> None:
    """The goods issue is booked as the parcel leaves; the shipment is told hours later, or never.

    Until it is told the order counts as shipped by its issue, afterwards by its shipment. So what is due
    after shipping may look overdue in between.
    """
    order = parcel.order
    issue(sim, parcel)
    parcel.shipped = sim.now
    deadline = sim.now + SLA["shipment_confirmed"]
    stalled = order.suffers("stall_shipment_confirmed")
    late = overdue(sim, order, "shipment_confirmed", deadline, sim.now) if stalled else None
    if late is not None and late <= sim.end:
        sim.at(late, _confirm, parcel)
    else:
        order.mark("shipped", sim.now)
    ids: Event = {"location": LOCATIONS[parcel.place], "shipment_id": parcel.id}
    may = ["order_stalled", "posting_missing"]
    tell_trouble(sim, order, "issue_without_shipment", deadline, late, **ids, may=may)
    follow(sim, parcel)


def _confirm(sim: Simulation, parcel: Parcel) -> None:
    parcel.order.mark("shipped", tell_shipment(sim, parcel))
