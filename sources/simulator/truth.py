"""What really was: the final stock of every cell and the run itself."""

from __future__ import annotations

from sources.simulator.clock import stamp
from sources.simulator.scenario import LOCATIONS, SLA, Scenario, Summary
from sources.simulator.simulation import Simulation
from sources.simulator.world import PLACES


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
            record = {
                "kind": "stock",
                "sku": world.names[sku],
                "location": LOCATIONS[place],
                "status": status,
                "on_hand": book[cell] + drift,
            }
            if drift:
                record["true_on_hand"] = book[cell]
            sim.writer.tell(record)


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
