"""The same simulated day through files and through topics: the same last record of every key, the same counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from canonical.broker import Connection
from canonical.policy import Policy
from dataflows.availability import COUNTS, Plan, availability_job
from dataflows.plain import Plain
from sources.simulator import Scenario, simulate
from tests.kafka.days import COMPARED, disordered, fed, last
from tests.kafka.desk import taken

POLICY = Policy()


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
