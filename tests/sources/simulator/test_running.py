"""The same scenario gives the same bytes anywhere; memory holds open business only; progress is told."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

from sources.simulator import Scenario, simulate
from tests.sources.simulator.reading import STEMS, make

DIGESTS = {
    "none": "106d6a40dfc9d7f531a125c52830943e1d379425ece7ed524a558026f60f3637",
    "all": "d0fb4ee6baa7d6150989410a5dd318099c4ccbf8b41fe071743e801ca0e037d9",
}
"""Of every file of a tiny day, in order of name. They change only when the simulator is meant to change."""

SCRIPT = """
import sys
from pathlib import Path
from sources.simulator import Scenario, simulate
simulate(Scenario(orders=300, skus=60, seed=1, faults=sys.argv[2]), Path(sys.argv[1]))
"""


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        whole.update(path.name.encode() + b"\\0" + path.read_bytes())
    return whole.hexdigest()


def test_a_tiny_day_is_the_same_on_every_machine(tmp_path: Path) -> None:
    """In another process with other hash seeds, too: nothing may hang on the order of a set."""
    for faults, expected in DIGESTS.items():
        make(tmp_path / faults, orders=300, skus=60, seed=1, faults=faults)
        assert digest(tmp_path / faults) == expected
        for seed in ("1", "2"):
            folder = tmp_path / f"{faults}-{seed}"
            subprocess.run(
                [sys.executable, "-c", SCRIPT, folder, faults],
                check=True,
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
            assert digest(folder) == expected


def test_another_seed_is_another_day(tmp_path: Path) -> None:
    first, second = (make(tmp_path / str(seed), orders=50, skus=30, seed=seed) for seed in (1, 2))
    assert all(first.lines(stem) != second.lines(stem) for stem in STEMS if stem != "returns")


def peak(folder: Path, days: int) -> int:
    """Peak bytes of Python memory while four hundred orders a day are simulated."""
    tracemalloc.start()
    try:
        simulate(Scenario(orders=400 * days, skus=100, days=days, seed=2, faults="all"), folder)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_follows_the_open_orders_not_all_of_them(tmp_path: Path) -> None:
    """After five days as many orders close as are placed; three times the days are no more memory."""
    assert peak(tmp_path / "long", 18) < 1.25 * peak(tmp_path / "short", 6)


def test_progress_is_told_every_thousand_orders_and_at_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    simulate(Scenario(orders=2500, skus=100), tmp_path, lambda done, total: told.append((done, total)))
    assert told == [(1000, 2500), (2000, 2500), (2500, 2500)]
