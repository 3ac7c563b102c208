"""The simulated days that are measured; made once, kept in a folder git does not know."""

from __future__ import annotations

from pathlib import Path

from sources.simulator import Scenario, simulate
from tests.bench.measure import ROOT

CACHE = ROOT / ".benchmarks"
EVENTS_PER_ORDER = 13.2
FAULTS = "reordering"
"""Nothing that makes the end depend on which of two altered repeats came first: that is for tests, not for races."""


def day_of(events: int) -> tuple[Path, int]:
    """A folder with about so many events, one SKU for every ten orders, and how many there really are."""
    orders = max(20, round(events / EVENTS_PER_ORDER))
    folder = CACHE / f"day-{orders}-{FAULTS}"
    made = folder / "events.txt"
    if not made.exists():
        print(f"making a day of {orders:,} orders …", flush=True)
        scenario = Scenario(orders=orders, skus=max(100, orders // 10), faults=FAULTS)
        made.write_text(str(simulate(scenario, folder).events), encoding="utf-8")
    return folder, int(made.read_text(encoding="utf-8"))
