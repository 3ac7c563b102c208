"""A publisher that is killed again and again: `python -m tests.sinks.parquet.lives ROOT`.

Each line read from stdin starts a life: a fork that resumes from the latest snapshot and publishes as fast as it can
until it is killed. Forking spares the half second of imports that a whole start would take.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

import pandas  # noqa: F401  pyarrow would import it, and the next, in every fork
import pyarrow.compute  # noqa: F401  as the line before

from sinks.parquet.snapshots import Snapshots
from tests.sinks.parquet.telling import START, lines, order, policy, stock

SKUS = [f"s{number:02d}" for number in range(20)]
HOURS = 5
"""Between watermarks: so days end, and histories are compacted, every few snapshots."""


def live(root: Path) -> None:
    """Version v of every SKU, and of as many orders, is snapshot v; killed before it ends."""
    sink = Snapshots(root, policy(keep=4, keep_daily="3d"))
    version = int(sink.positions.get("version", 0))
    sink.tick(START, START, {})
    while True:
        version += 1
        sink.write("availability", lines(*(stock(sku, version, ats=version) for sku in SKUS)))
        sink.write("lifecycle", lines(*(order(f"o-{sku}", version) for sku in SKUS)))
        time = START + timedelta(hours=HOURS * version)
        sink.tick(time, time, {"version": version})
        sink.settle()


def main() -> None:
    """Begin a life per line of stdin, and tell its process id."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                live(Path(sys.argv[1]))
            finally:
                os._exit(70)
        print(child, flush=True)
        os.waitpid(child, 0)
        print("gone", flush=True)


if __name__ == "__main__":
    main()
