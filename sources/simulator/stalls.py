"""Steps that come too late or not at all."""

from __future__ import annotations

from typing import Any

from sources.simulator.clock import MINUTE
from sources.simulator.orders import Order
from sources.simulator.scenario import SLA
from sources.simulator.simulation import Simulation, Step


def due(order: Order, milestone: str) -> int:
    """The deadline of a milestone counted from `placed`, in ms."""
    deadline = order.placed + SLA[milestone]
    return min(deadline, order.due_ship) if milestone == "shipped" and order.due_ship else deadline


def overdue(sim: Simulation, order: Order, milestone: str, deadline: int, when: int) -> int | None:
    """When a step really happens: `when`, or long after its deadline, or (None) never."""
    trouble = order.trouble
    if trouble is None or trouble.stall != milestone:
        return when
    if not trouble.cured:
        return None
    return max(when, deadline + sim.span(20 * MINUTE, 120 * MINUTE))


def proceed(sim: Simulation, order: Order, milestone: str, when: int, step: Step, payload: Any) -> None:
    """Plan the step that reaches a milestone, in time unless that is the order's trouble."""
    if order.trouble is not None:
        late = overdue(sim, order, milestone, due(order, milestone), when)
        if late is None:
            return
        when = late
    sim.at(when, step, payload)
