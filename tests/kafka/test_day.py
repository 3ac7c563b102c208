"""The same simulated day through files and through topics: the same last record of every key, the same counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from canonical.broker import Connection
from canonical.policy import Policy
from canonical.topics import BY_NAME, INPUTS
from dataflows.availability import COUNTS, Plan, availability_job
from dataflows.plain import Plain
from sinks.kafka import KafkaOutlet
from sources.simulator import Scenario, simulate
from tests.kafka.desk import fresh, taken

POLICY = Policy()
COMPARED = ("availability", "lifecycle")


def last(stem: str, lines: Iterable[bytes]) -> dict[str, Any]:
    """The record of the highest version per key."""
    records = [json.loads(line) for line in lines]
    records.sort(key=lambda record: record["version"])
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


@pytest.mark.parametrize("order", ["as it happened", "disordered and repeated"])
def test_a_day_through_topics_ends_like_a_day_through_files(
    connection: Connection, tmp_path: Path, order: str
) -> None:
    day, by_files, by_topics = tmp_path / "day", tmp_path / "files", tmp_path / "topics"
    simulate(Scenario(orders=400, skus=40, seed=8), day)
    rng = Random(8)
    repeated = order != "as it happened"
    sent = fed(connection, day, lambda lines: disordered(lines, rng) if repeated else lines)
    Plain(availability_job(Plan(day, by_files, POLICY))).run(lambda: datetime.now(UTC))
    brokers = connection.brokers
    through = Plan(Path(), by_topics, POLICY, read_from=brokers, write_to=brokers, until_end=True)
    Plain(availability_job(through)).run(lambda: datetime.now(UTC))
    counts = json.loads((by_topics / COUNTS).read_bytes())
    assert sum(count["read"] for count in counts.values()) == sent
    assert sum(count["dead_letter"] for count in counts.values()) == 0
    applied = {stem: count["applied"] for stem, count in counts.items()}
    expected = json.loads((by_files / COUNTS).read_bytes())
    assert applied == {stem: count["applied"] for stem, count in expected.items()}
    for stem in COMPARED:
        wanted = last(stem, (by_files / f"{stem}.ndjson").read_bytes().splitlines())
        found = last(stem, [message.value() or b"" for message in taken(connection, stem)])
        assert found == wanted
