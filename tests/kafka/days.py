"""A simulated day put into topics, and what a run made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

from canonical.broker import Connection
from canonical.topics import BY_NAME, INPUTS
from sinks.kafka import KafkaOutlet
from tests.kafka.desk import fresh

COMPARED = ("availability", "lifecycle")


def last(stem: str, lines: Iterable[bytes]) -> dict[str, Any]:
    """The record of the highest version per key."""
    records = [json.loads(line) for line in lines]
    records.sort(key=lambda record: record.get("version", 0))  # exceptions have none: the last counts
    return {record[BY_NAME[stem].key]: record for record in records}


def disordered(lines: list[bytes], rng: Random) -> list[bytes]:
    """Neighbours in another order, every twentieth again a little later."""
    arrivals = [(place + rng.uniform(0, 30), line) for place, line in enumerate(lines)]
    arrivals += [(at + rng.uniform(1, 200), line) for at, line in rng.sample(arrivals, len(arrivals) // 20)]
    return [line for _, line in sorted(arrivals)]


def fed(connection: Connection, day: Path, arranged: Callable[[list[bytes]], list[bytes]]) -> int:
    """The day's files into topics of uneven numbers of partitions; returns how many messages there are."""
    fresh(connection, partitions=5)
    count = 0
    for topic in INPUTS:
        path = day / f"{topic.name}.ndjson"
        lines = arranged(path.read_bytes().splitlines(keepends=True)) if path.exists() else []
        outlet = KafkaOutlet(connection, topic.name)
        outlet.write([b"".join(lines)])
        outlet.close()
        count += len(lines)
    return count
