"""A believable retailer's days, with seeded faults and known truth, for tests, demos and measurements.

It shares no code with the operators that are judged by it, nor with the types that decode its events.

    simulate(Scenario(orders=20_000, faults="all"), Path("day"))
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sources.simulator.configuration import configuration
from sources.simulator.demand import arrivals
from sources.simulator.faults import arm
from sources.simulator.lifecycle import place
from sources.simulator.opening import open_day
from sources.simulator.rounds import start_rounds
from sources.simulator.scenario import FAULTS, Scenario, Summary
from sources.simulator.simulation import Simulation
from sources.simulator.truth import tell_run, tell_stock
from sources.simulator.warehouse import stir
from sources.simulator.writer import Writer

__all__ = ["FAULTS", "Scenario", "Summary", "simulate"]


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing a day is made of refers back to itself, so looking for cycles only costs: a quarter of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def simulate(scenario: Scenario, output: Path, progress: Callable[[int, int], None] | None = None) -> Summary:
    """Write a scenario's days to a folder: `<stem>.ndjson`, `truth.ndjson` and `sellable.toml`.

    `progress` is told (orders placed, orders in all) every thousand orders and at the end.
    The same scenario gives the same bytes on every machine. Memory grows with open orders, not with all.
    """
    with Writer(output) as writer, _uncollected():
        sim = Simulation(scenario, writer)
        (output / "sellable.toml").write_text(configuration(sim), encoding="utf-8")
        open_day(sim)
        start_rounds(sim)
        sim.at(sim.now, stir, None)
        settle = arm(sim)
        sim.run(arrivals(scenario), place, progress)
        settle()
        tell_stock(sim)
        return tell_run(sim)
