"""Faults of whole systems: clocks that are off, fields nobody knows, a feed that falls silent."""

from __future__ import annotations

from sources.simulator.clock import DAY, HOUR, MINUTE, SECOND, stamp
from sources.simulator.rounds import tell_balance
from sources.simulator.scenario import EXPECTED_EVERY
from sources.simulator.simulation import Event, Simulation, Source
from sources.simulator.truth import tell_fault
from sources.simulator.warehouse import some_cell
from sources.simulator.writer import encode

_FAR = 27_000 * DAY  # late in 2043: ahead of anyone's clock


def skew_clocks(sim: Simulation) -> None:
    """A carrier's clock is fast, the order management's slow; both within what lateness allows."""
    for source, error in ((sim.carriers[1], 90 * SECOND), (sim.oms, -60 * SECOND)):
        source.skew = error
        tell_fault(sim, "clock_skew", None, sim.now, source=source.name, skew_seconds=error // 1000)


def leap_ahead(sim: Simulation, n: int) -> None:
    """One message bears a date years ahead: it must not move time for all."""
    name = f"FUTURE-{n:04d}"
    event: Event = {"specversion": "1.0", "id": f"leap-{n}", "source": sim.erp.name, "type": "order.accepted"}
    event |= {"subject": name, "time": stamp(_FAR + n * MINUTE), "data": {"order_id": name}}
    number = sim.writer.write("orders", encode(event))
    sim.writer.malformed["orders"]["future_event"] += 1
    tell_fault(sim, "clock_skew", "future_event", sim.now, stem="orders", line=number)


def add_fields(sim: Simulation) -> None:
    """One carrier adds a field to its data, the order management an attribute to its envelope, from the start.

    Every event of the two types bears it, so sampling finds it whichever event it takes.
    """
    for source, kind, extra in (
        (sim.carriers[0], "shipment.in_transit", (True, "service_level", "ground")),
        (sim.oms, "order.allocated", (False, "partitionkey", "7")),
    ):
        source.extra[kind] = extra


def tell_fields(sim: Simulation) -> None:
    """At the end: which fields were added, from the first event that bore them."""
    for source in (sim.carriers[0], sim.oms):
        for kind, first in source.first.items():
            ids: Event = {"source": source.name, "type": kind, "field": source.extra[kind][1]}
            tell_fault(sim, "schema_drift", "schema_drift", first, **ids)


def fall_silent(sim: Simulation) -> None:
    """The ERP's hourly balances stop for three hours."""
    opens = sim.start + (sim.end - sim.start) * 11 // 20 & ~1
    sim.muted = (opens, opens + 3 * HOUR)
    sim.at(sim.muted[1], _speak_again, sim.ledger)


def _speak_again(sim: Simulation, source: Source) -> None:
    at = source.last + EXPECTED_EVERY
    cell = some_cell(sim) or 0
    tell_balance(sim, (cell, sim.world.evident(cell), sim.now - 1))
    tell_fault(sim, "source_silent", "source_stale", at, sim.now, source=source.name)
