"""An order from the channel to the warehouse's floor: placed, amended, accepted, allocated, cancelled."""

from __future__ import annotations

from typing import Any

from sources.simulator.clock import MINUTE, SECOND, stamp
from sources.simulator.orders import ALLOCATED, LINE_IDS, PACE, PICKED, SAME_DAY, Order, Parcel, money
from sources.simulator.parcels import release, ship
from sources.simulator.placement import fill
from sources.simulator.postings import refund, sales_order
from sources.simulator.scenario import LOCATIONS
from sources.simulator.simulation import Channel, Event, Simulation
from sources.simulator.stalls import proceed
from sources.simulator.truth import tell_trouble
from sources.simulator.warehouse import regain


def place(sim: Simulation, channel: Channel) -> None:
    """A customer orders, if anything wanted is there."""
    order = fill(sim, channel)
    if order is None:
        return
    if sim.assign is not None:
        sim.assign(order)
    if order.suffers("orphan_shipment"):  # no system but the warehouse ever hears of it
        sim.at(sim.now + sim.span(90 * MINUTE, 240 * MINUTE), ship, _parcels(sim, order)[0])
        return
    announce(sim, order)


def announce(sim: Simulation, order: Order) -> None:
    """The channel sends the order, and what will come of it is planned."""
    sim.emit(order.channel.source, "order.placed", order.id, document(sim, order))
    proceed(sim, order, "accepted", sim.now + sim.span(2 * MINUTE, 10 * MINUTE), accept, order)
    if order.trouble is not None:
        return
    draw = sim.draw()
    if draw < 0.04:
        sim.at(sim.now + sim.span(12 * SECOND, 110 * SECOND), _change, order)
    elif draw < 0.07:
        sim.at(sim.now + sim.span(12 * SECOND, 50 * SECOND), _cancel_units, order)
    elif draw < 0.095:
        sim.at(sim.now + sim.span(MINUTE, 100 * MINUTE), cancel, order)


def document(sim: Simulation, order: Order) -> Event:
    """The order as its channel states it."""
    names = sim.world.names
    lines: list[Event] = [
        {
            "line_id": LINE_IDS[n],
            "sku": names[line.sku],
            "quantity": line.quantity,
            "unit_price": money(line.cents),
        }
        for n, line in enumerate(order.lines)
    ]
    if order.service == SAME_DAY and len({place for _, place, _ in order.rows}) == 1:
        for line in lines:
            line["location"] = LOCATIONS[order.rows[0][1]]
    data: Event = {"order_id": order.id, "channel": order.channel.name, "currency": "USD", "lines": lines}
    if order.version > 1:
        data["version"] = order.version
    if order.due_ship:
        data["promised_ship_at"] = stamp(order.due_ship)
    if order.due_delivery:
        data["promised_delivery_at"] = stamp(order.due_delivery)
    return data


def _change(sim: Simulation, order: Order) -> None:
    """The customer wants one more of the first line, or one less."""
    line, row = order.lines[0], order.rows[0]
    if sim.draw() < 0.5 and sim.world.take(line.sku, row[1], 1):
        line.quantity += 1
        row[2] += 1
    elif line.quantity > 1:
        line.quantity -= 1
        _withdraw(sim, order, 0, 1)
    else:
        return
    order.version += 1
    sim.emit(order.channel.source, "order.changed", order.id, document(sim, order))


def _withdraw(sim: Simulation, order: Order, index: int, units: int) -> None:
    """Give back promised units of a line."""
    for row in reversed(order.rows):
        if row[0] == index and units > 0:
            less = min(units, row[2])
            row[2] -= less
            units -= less
            regain(sim, order.lines[index].sku, row[1], less)
    order.rows = [row for row in order.rows if row[2] > 0]


def _cancel_units(sim: Simulation, order: Order) -> None:
    """The customer cancels the last of several lines, or a unit at a time; the statement is cumulative."""
    index = len(order.lines) - 1
    line = order.lines[index]
    units = line.quantity if index > 0 else 1
    if line.cancelled + units > line.quantity - (index == 0):
        return
    line.cancelled += units
    _withdraw(sim, order, index, units)
    cut = [{"line_id": LINE_IDS[index], "quantity": line.cancelled}]
    data = {"order_id": order.id, "reason": "changed mind", "lines": cut}
    sim.emit(order.channel.source, "order.cancelled", order.id, data)
    if index == 0:
        sim.at(sim.now + sim.span(12 * SECOND, 50 * SECOND), _cancel_units, order)


def cancel(sim: Simulation, order: Order) -> None:
    """The customer cancels everything, if nothing was picked yet; what was paid is paid back."""
    if order.cancelled or order.stage >= PICKED:
        return
    order.cancelled = True
    for index, place, quantity in order.rows:
        regain(sim, order.lines[index].sku, place, quantity)
    time = sim.emit(
        order.channel.source, "order.cancelled", order.id, {"order_id": order.id, "reason": "customer"}
    )
    order.mark("cancelled", time)
    if sim.draw() < 0.4:
        sim.at(sim.now + sim.span(10 * MINUTE, 180 * MINUTE), refund, (order, order.amount(), None))


def accept(sim: Simulation, order: Order) -> None:
    """The ERP takes the order."""
    if order.cancelled:
        return
    if order.suffers("rejected", "refused"):
        _reject(sim, order)
        return
    data = {"order_id": order.id, "reference": "SO-" + order.id}
    order.mark("accepted", sim.emit(sim.erp, "order.accepted", order.id, data))
    wait = sim.span(30 * SECOND, 12 * MINUTE)
    proceed(sim, order, "allocated", sim.now + wait, allocate, order)


def _reject(sim: Simulation, order: Order) -> None:
    """The ERP refuses the order; some it takes after all, still in time."""
    time = sim.emit(sim.erp, "order.rejected", order.id, {"order_id": order.id, "reason": "credit limit"})
    again = sim.now + sim.span(MINUTE, 4 * MINUTE)
    trouble = order.trouble
    if trouble is not None and trouble.cured:
        trouble.variant = "accepted after all"
        sim.at(again, accept, order)
        tell_trouble(sim, order, "order_rejected", time, again)
        return
    order.cancelled = True  # no step of it follows
    order.mark("rejected", time)
    for index, place, quantity in order.rows:
        regain(sim, order.lines[index].sku, place, quantity)
    tell_trouble(sim, order, "order_rejected", time)


def allocate(sim: Simulation, order: Order) -> None:
    """The order management says where each unit leaves from, and the warehouses get their parts."""
    if order.cancelled:
        return
    order.stage = ALLOCATED
    if not order.suffers("lost", "allocation"):
        order.mark("allocated", _tell_allocation(sim, order, 1))
    sim.at(sim.now + sim.span(5 * SECOND, 5 * MINUTE), sales_order, order)
    parcels = _parcels(sim, order)
    pace = PACE[order.service]
    for parcel in parcels:
        wait = int(sim.span(2 * MINUTE, 70 * MINUTE) * pace) & ~1
        proceed(sim, order, "released", sim.now + wait, release, parcel)
    if len(order.rows) == 1 and order.trouble is None and sim.draw() < 0.02:
        sim.at(sim.now + sim.span(5 * SECOND, 25 * SECOND), _reallocate, parcels[0])


def _tell_allocation(sim: Simulation, order: Order, version: int) -> int:
    lines = [
        {"line_id": LINE_IDS[index], "location": LOCATIONS[place], "quantity": quantity}
        for index, place, quantity in order.rows
    ]
    data: dict[str, Any] = {"order_id": order.id, "version": version, "lines": lines}
    return sim.emit(sim.oms, "order.allocated", order.id, data)


def _parcels(sim: Simulation, order: Order) -> list[Parcel]:
    """One parcel per place; now and then a place packs two."""
    groups: dict[int, list[tuple[int, int]]] = {}
    for index, place, quantity in order.rows:
        groups.setdefault(place, []).append((index, quantity))
    parts = []
    for place, rows in groups.items():
        if len(rows) > 1 and order.trouble is None and sim.draw() < 0.04:
            parts += [(place, rows[:1]), (place, rows[1:])]
        else:
            parts.append((place, rows))
    order.unshipped = order.undelivered = len(parts)
    return [
        Parcel(order, place, rows, number := sim.next("shipment"), sim.carriers[number % len(sim.carriers)])
        for place, rows in parts
    ]


def _reallocate(sim: Simulation, parcel: Parcel) -> None:
    """Another place of the pool takes the order over before its floor has seen it."""
    order = parcel.order
    index, old, quantity = order.rows[0]
    sku = order.lines[index].sku
    for place in order.channel.places:
        if place != old and not order.cancelled and sim.world.take(sku, place, quantity):
            regain(sim, sku, old, quantity)
            order.rows[0][1] = parcel.place = place
            _tell_allocation(sim, order, 2)
            return
