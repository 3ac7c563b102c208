"""How long a snapshot of 1,000,000 SKUs at 3 locations takes, how large it is, and whether the projection notices.

    python -m tests.bench.parquet [SKUS]

Limits (issue 6): written in 10 s, 25 MB per million rows, a look-up in 50 ms, no stall above a second.
"""

from __future__ import annotations

import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import duckdb
import msgspec
import polars

from canonical.outputs import Availability, LocationAvailability, PoolAvailability
from canonical.policy import Policy
from sinks.parquet.catalog import published
from sinks.parquet.snapshots import Snapshots
from sinks.parquet.store import store_of

PLACES = ("dc-east", "dc-west", "store-1")
BLOCK = 2_000
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_lines = msgspec.json.Encoder().encode_lines


class Figure(NamedTuple):
    """What was measured; `limit` is the most that is right."""

    value: float
    limit: float | None
    text: str


def told(skus: list[int], version: int, rng: random.Random) -> Iterator[bytes]:
    """Blocks of availability records, in the order given."""
    for begin in range(0, len(skus), BLOCK):
        yield _lines([record(sku, version, rng) for sku in skus[begin : begin + BLOCK]])


def record(sku: int, version: int, rng: random.Random) -> Availability:
    draw = rng.random
    places = []
    for place in PLACES:
        on_hand, committed, owed = int(draw() * 400), int(draw() * 9), int(draw() * 3)
        places.append(LocationAvailability(place, on_hand, 0, committed, owed, 5, on_hand - committed - owed))
    return Availability(
        sku=f"sku-{sku:07d}",
        version=version + int(draw() * 50),
        as_of=START + timedelta(microseconds=int(draw() * 3.6e9)),
        pools=[PoolAvailability("all", sum(max(0, place.free - 5) for place in places), 0)],
        shortage=0,
        locations=places,
        correlationid=f"o-{int(draw() * 1e7):07d}",
    )


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def stall(over: Callable[[], bool]) -> float:
    """The longest pause of a busy interpreter until it is over, in seconds."""
    worst, last = 0.0, time.perf_counter()
    while not over():
        sum(range(500))
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
    return worst


def look_ups(path: Path, skus: int, rng: random.Random) -> dict[str, float]:
    """Median seconds of finding one SKU's rows, by reader."""
    wanted = [f"sku-{rng.randrange(skus):07d}" for _ in range(20)]
    lazily = polars.scan_parquet(path)
    query = "SELECT location, free FROM read_parquet(?) WHERE sku = ?"
    with duckdb.connect() as connection:
        connection.execute(query, [str(path), wanted[0]]).fetchall()
        return {
            "polars": median(timed(lazily.filter(polars.col("sku") == sku).collect) for sku in wanted),
            "duckdb": median(timed(connection.execute(query, [str(path), sku]).fetchall) for sku in wanted),
        }


def report(figures: list[Figure]) -> int:
    """Print them; 1 if any is beyond its limit."""
    for value, limit, text in figures:
        held = "" if limit is None else f"limit {limit:g}" + (" EXCEEDED" if value > limit else "")
        print(f"{value:10.3f}  {text:70}{held}")
    return int(any(limit is not None and value > limit for value, limit, _ in figures))


def main() -> int:
    skus = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rng = random.Random(6)
    print(f"{skus:,} SKUs at {len(PLACES)} locations, {os.cpu_count()} cores")
    with TemporaryDirectory() as folder:
        sink = Snapshots(folder, Policy())
        sink.tick(START, START, {})
        figures = [*first(sink, skus, rng), *second(sink, skus, rng)]
        sink.close()
        manifest = published(store_of(folder))[-1]
        for reader, seconds in look_ups(Path(folder) / manifest.tables["locations"].path, skus, rng).items():
            figures.append(Figure(seconds * 1e3, 50, f"ms to look one SKU up with {reader}"))
    for name in ("availability", "locations"):
        file = manifest.tables[name]
        figures.append(Figure(file.bytes / file.rows, 25, f"MB per million rows of {name}"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return report([*figures, Figure(peak, None, "GB of memory at the peak")])


def first(sink: Snapshots, skus: int, rng: random.Random) -> list[Figure]:
    """Every SKU told once, in any order."""
    began = time.perf_counter()
    for block in told(rng.sample(range(skus), skus), 1, rng):
        sink.write("availability", [block])
    sink.take_in()
    taken_in = time.perf_counter()
    sink.tick(START + timedelta(minutes=5), START + timedelta(minutes=5), {})
    sink.settle()
    return [
        Figure(taken_in - began, None, "s to make and take in the records"),
        Figure(time.perf_counter() - taken_in, 10, "s to write the first snapshot and its history"),
    ]


def second(sink: Snapshots, skus: int, rng: random.Random) -> list[Figure]:
    """A fiftieth of the SKUs changed, while the interpreter is busy."""
    for block in told(rng.sample(range(skus), skus // 50), 100, rng):
        sink.write("availability", [block])
    began = time.perf_counter()
    sink.tick(START + timedelta(minutes=10), START + timedelta(minutes=10), {})
    worst = stall(lambda: not sink.busy)
    return [
        Figure(time.perf_counter() - began, 10, "s to write the next, 2 % changed, beside a busy projection"),
        Figure(worst, 1, "s the longest stall of that projection"),
    ]


if __name__ == "__main__":
    sys.exit(main())
