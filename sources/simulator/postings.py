"""What the ERP books of an order: sales order, goods issue, invoice, payment, credit memo, refund."""

from __future__ import annotations

from sources.simulator.clock import HOUR, MINUTE
from sources.simulator.orders import LINE_IDS, Order, Parcel, money
from sources.simulator.simulation import Event, Simulation
from sources.simulator.truth import tell_trouble


def _post(sim: Simulation, order: Order, kind: str, cents: int | None, lines: list[Event] | None) -> int:
    data: Event = {"posting_id": f"PST-{sim.next('posting'):09d}", "order_id": order.id, "kind": kind}
    if cents is not None:
        data["amount"] = money(cents)
        data["currency"] = "USD"
    if lines is not None:
        data["lines"] = lines
    return sim.emit(sim.erp, "posting.recorded", order.id, data)


def _lines(sim: Simulation, order: Order) -> list[Event]:
    names = sim.world.names
    return [
        {"line_id": LINE_IDS[n], "sku": names[line.sku], "quantity": line.quantity - line.cancelled}
        for n, line in enumerate(order.lines)
        if line.quantity > line.cancelled
    ]


def sales_order(sim: Simulation, order: Order) -> None:
    """The order as the ERP has it, once amendments are over."""
    if not order.cancelled:
        _post(sim, order, "sales_order", order.amount(), _lines(sim, order))


def goods_issue(sim: Simulation, parcel: Parcel) -> None:
    """The ERP's own booking of what left; it moves no stock here."""
    order, names = parcel.order, sim.world.names
    lines = [
        {"line_id": LINE_IDS[index], "sku": names[order.lines[index].sku], "quantity": quantity}
        for index, quantity in parcel.rows
    ]
    _post(sim, order, "goods_issue", None, lines)


def invoice(sim: Simulation, order: Order) -> None:
    """The whole order is billed once all of it has left; the money comes later."""
    wrong = 100 + int(sim.draw() * 900) if order.suffers("posting_mismatch") else 0
    time = _post(sim, order, "invoice", order.amount() + wrong, _lines(sim, order))
    if wrong:
        tell_trouble(sim, order, "posting_mismatch", time)
    order.mark("posted", time)
    sim.at(sim.now + sim.span(HOUR, 6 * HOUR), _payment, order)


def _payment(sim: Simulation, order: Order) -> None:
    _post(sim, order, "payment", order.amount(), None)


def refund(sim: Simulation, what: tuple[Order, int, str | None]) -> None:
    """Money goes back: (order, cents, id of the return it is for)."""
    order, cents, return_id = what
    data = {
        "refund_id": f"RFD-{sim.next('refund'):07d}",
        "order_id": order.id,
        "amount": money(cents),
        "currency": "USD",
    }
    if return_id is not None:
        data["return_id"] = return_id
        sim.at(sim.now + sim.span(MINUTE, 20 * MINUTE), _credit, (order, cents))
    order.mark("refunded", sim.emit(sim.erp, "refund.issued", order.id, data))


def _credit(sim: Simulation, what: tuple[Order, int]) -> None:
    _post(sim, what[0], "credit_memo", what[1], None)
