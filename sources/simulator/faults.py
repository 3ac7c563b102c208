"""Switches the faults of a scenario on: one table, name by name."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from sources.simulator import incidents, listing_faults, malformed, systems
from sources.simulator.clock import HOUR, MINUTE
from sources.simulator.simulation import Simulation, Step
from sources.simulator.transit import Transit
from sources.simulator.troubles import Troubles

_FIRST = 45 * MINUTE

INCIDENTS: tuple[tuple[str, Step, int, int], ...] = (
    ("miscounts", incidents.miscount, 2 * HOUR, 2),
    ("erp_drift", incidents.drift_apart, 11 * HOUR, 3),
    ("oversell", incidents.oversell, 4 * HOUR, 2),
    ("unknown_sku", incidents.book_ghost, 3 * HOUR, 2),
    ("unknown_sku", listing_faults.list_ghost, 2 * HOUR, 1),
    ("sequence_gap", incidents.lose_number, 4 * HOUR, 2),
    ("listing_drift", listing_faults.show_wrongly, 4 * HOUR, 2),
    ("listing_rejected", listing_faults.refuse, 4 * HOUR, 2),
    ("clock_skew", systems.leap_ahead, HOUR, 3),
    ("malformed", malformed.spoil, HOUR, 2 * len(malformed.KINDS)),
)
"""Fault, its step, the time its story needs before the end, and how often it happens at least."""

SYSTEMS: dict[str, Callable[[Simulation], None]] = {
    "clock_skew": systems.skew_clocks,
    "schema_drift": systems.add_fields,
    "source_silent": systems.fall_silent,
}
"""What is wrong from the start."""

_IN_TRANSIT = {"duplicates", "altered_duplicates", "reordering", "late", "delayed_system"}


def arm(sim: Simulation) -> Callable[[], None]:
    """Plan every enabled fault → what is to be called at the end, when the truth of all is known."""
    enabled = sim.scenario.enabled
    if enabled & _IN_TRANSIT:
        sim.send = Transit(sim).send
    for name, start in SYSTEMS.items():
        if name in enabled:
            start(sim)
    troubles = Troubles(sim)
    sim.assign, sim.follow = troubles.assign, troubles.follow
    rng = Random(f"{sim.scenario.seed}:incidents")
    for name, step, tail, least in INCIDENTS:
        if name in enabled:
            times = max(least, int(sim.scenario.orders * sim.scenario.fault_rate))
            room = (sim.end - tail - sim.start - _FIRST) // times
            for n in range(times):
                sim.at(sim.start + _FIRST + n * room + int(room * rng.random()), step, n)

    def settle() -> None:
        troubles.settle_all()
        systems.tell_fields(sim)

    return settle
