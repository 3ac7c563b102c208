"""What became of an order with a trouble: which deadlines it missed, from when to when."""

from __future__ import annotations

from sources.simulator.orders import Order
from sources.simulator.scenario import SLA
from sources.simulator.simulation import Simulation
from sources.simulator.stalls import due
from sources.simulator.truth import tell_fault, tell_trouble

_CHAIN = ("accepted", "allocated", "released", "picked", "packed", "shipped", "delivered")


def judge(sim: Simulation, order: Order) -> None:
    """Tell every deadline the order missed before the end; if its trouble did no harm at all, tell that."""
    trouble, marks = order.trouble, order.marks
    if trouble is None:
        return
    if "excepted" in marks:
        cured = marks.get("delivered")
        tell_trouble(sim, order, "shipment_exception", marks["excepted"], cured, shipment_id=trouble.variant)
    if trouble.name != "orphan_shipment":
        _judge_deadlines(sim, order, _effective(marks))
    if not trouble.told:
        tell_fault(sim, trouble.name, None, sim.end, order_id=order.id, channel=order.channel.name)


def _effective(marks: dict[str, int]) -> dict[str, int]:
    """A later milestone implies the earlier ones at its own time."""
    effective: dict[str, int] = {}
    least: int | None = None
    for milestone in reversed(_CHAIN):
        own = marks.get(milestone)
        if own is not None and (least is None or own < least):
            least = own
        if least is not None:
            effective[milestone] = least
    return effective


def _judge_deadlines(sim: Simulation, order: Order, reached: dict[str, int]) -> None:
    for milestone in _CHAIN[:-1]:
        _judge(sim, order, milestone, due(order, milestone), reached.get(milestone))
    shipped = reached.get("shipped")
    if shipped is None:
        return
    promised = order.due_delivery or shipped + SLA["delivered"]
    _judge(sim, order, "delivered", min(promised, shipped + SLA["delivered"]), reached.get("delivered"))
    for milestone in ("acknowledged", "posted"):
        _judge(sim, order, milestone, shipped + SLA[milestone], order.marks.get(milestone))


def _judge(sim: Simulation, order: Order, milestone: str, deadline: int, reached: int | None) -> None:
    """Missed, unless it was reached in time or the order was cancelled or rejected before it was due."""
    stopped = order.marks.get("cancelled", order.marks.get("rejected"))
    ends = [time for time in (reached, stopped) if time is not None]
    if deadline >= sim.end or any(time <= deadline for time in ends):
        return
    code = "posting_missing" if milestone == "posted" else "order_stalled"
    tell_trouble(sim, order, code, deadline, min(ends, default=None), milestone=milestone)
