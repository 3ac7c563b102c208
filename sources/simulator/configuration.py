"""The configuration that goes with a simulated day."""

from __future__ import annotations

from sources.simulator.clock import duration
from sources.simulator.scenario import (
    ALLOWED_LATENESS,
    EXPECTED_EVERY,
    GRACE,
    LOCATIONS,
    POOLS,
    SAFETY_STOCK,
    SLA,
)
from sources.simulator.simulation import Simulation


def configuration(sim: Simulation) -> str:
    """TOML: the pools, places, sources, channels and deadlines this day was made with."""
    lines = [
        "# Written by the simulator: the retailer whose day this is.",
        "",
        "[time]",
        f'allowed_lateness = "{duration(ALLOWED_LATENESS)}"',
    ]
    lines += [f'{name} = "{duration(time)}"' for name, time in GRACE.items()]
    lines += ["", "[pools]"]
    lines += [f"{pool} = [{', '.join(_quoted(places))}]" for pool, places in POOLS.items()]
    for place in LOCATIONS:
        lines += ["", f"[locations.{place}]", f"safety_stock = {SAFETY_STOCK[place]}", "count_tolerance = 0"]
    for source, place in zip(sim.warehouses, LOCATIONS, strict=True):
        lines += ["", f'[sources."{source.name}"]', f'expected_every = "{duration(EXPECTED_EVERY)}"']
        lines += [f'feeds = ["{place}"]']
    for source in (sim.ledger, *(channel.source for channel in sim.channels)):
        lines += ["", f'[sources."{source.name}"]', f'expected_every = "{duration(EXPECTED_EVERY)}"']
    for channel in sim.channels:
        lines += [
            "",
            f"[channels.{channel.name}]",
            f'source = "{channel.source.name}"',
            f'pool = "{channel.pool}"',
        ]
        lines += ["rate = 2.0", "burst = 60", "batch = 50", "", f"[channels.{channel.name}.sla]"]
        lines += [f'{milestone} = "{duration(time)}"' for milestone, time in SLA.items()]
    return "\n".join([*lines, ""])


def _quoted(names: tuple[str, ...]) -> list[str]:
    return [f'"{name}"' for name in names]
