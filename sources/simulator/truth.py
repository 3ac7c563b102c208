"""What really was: the final stock of every cell and the run itself."""

from __future__ import annotations

from typing import Any

from sources.simulator.clock import stamp
from sources.simulator.orders import Order
from sources.simulator.scenario import LOCATIONS, SLA, Scenario, Summary
from sources.simulator.simulation import Simulation
from sources.simulator.world import PLACES


def tell_fault(
    sim: Simulation, fault: str, code: str | None, at: int, cleared: int | None = None, **more: Any
) -> None:
    """One injected fault: the exception it must raise, when that becomes true and when it is cured.

    `at` and `cleared` in ms; what lies beyond the end has not happened: then there is no code. `more` are the
    ids it concerns, `may`: codes that may or may not be raised beside it, and whatever else describes it.
    """
    record: dict[str, Any] = {"kind": "fault", "fault": fault, "code": code if at < sim.end else None}
    record.update(more)
    record["at"] = stamp(at)
    if cleared is not None and cleared <= sim.end:
        record["cleared_at"] = stamp(cleared)
    sim.writer.tell(record)


def tell_trouble(
    sim: Simulation, order: Order, code: str, at: int, cleared: int | None = None, **more: Any
) -> None:
    """The fault of an order."""
    if order.trouble is not None:
        order.trouble.told = True
        tell_fault(
            sim, order.trouble.name, code, at, cleared, order_id=order.id, channel=order.channel.name, **more
        )


def tell_stock(sim: Simulation) -> None:
    """One record per stocked cell and status: what the evidence implies, and the truth where it differs."""
    world = sim.world
    for cell in range(world.size * PLACES):
        if not world.stocked[cell]:
            continue
        sku, place = divmod(cell, PLACES)
        for status, book in (
            ("sellable", world.sellable),
            ("damaged", world.damaged),
            ("quality_control", world.checking),
        ):
            drift = world.drift.get(cell, 0) if status == "sellable" else 0
            if not (book[cell] or drift or status == "sellable"):
                continue
            record: dict[str, Any] = {
                "kind": "stock",
                "sku": world.names[sku],
                "location": LOCATIONS[place],
                "status": status,
                "on_hand": book[cell] + drift,
            }
            if drift:
                record["true_on_hand"] = book[cell]
            sim.writer.tell(record)
    for (name, place), units in world.ghosts.items():
        ids = {"sku": name, "location": LOCATIONS[place], "status": "sellable", "on_hand": units}
        sim.writer.tell({"kind": "stock", **ids})


def tell_run(sim: Simulation) -> Summary:
    """The last record: how the day was made, when it ends, and what each file holds."""
    scenario: Scenario = sim.scenario
    writer = sim.writer
    counts = {
        stem: {
            "lines": writer.lines[stem],
            "duplicates": writer.duplicates[stem],
            "malformed": dict(sorted(writer.malformed[stem].items())),
        }
        for stem in writer.lines
    }
    parameters = {
        "orders": scenario.orders,
        "skus": scenario.skus,
        "channels": list(scenario.channels),
        "days": scenario.days,
        "faults": sorted(scenario.enabled),
        "fault_rate": scenario.fault_rate,
        "start": stamp(sim.start),
        "sla_seconds": {milestone: time // 1000 for milestone, time in SLA.items()},
    }
    as_of = stamp(sim.end)
    writer.tell(
        {"kind": "run", "seed": scenario.seed, "parameters": parameters, "as_of": as_of, "counts": counts}
    )
    return Summary(
        orders=sim.serial["order"],
        events=sum(writer.lines.values()),
        lines=dict(writer.lines),
        duplicates=dict(writer.duplicates),
        malformed={stem: dict(codes) for stem, codes in writer.malformed.items()},
        faults=dict(sorted(writer.faults.items())),
        as_of=as_of,
    )
