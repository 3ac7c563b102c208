"""The broker of this test session, and what tests ask of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from canonical.broker import Connection
from sources.simulator import Scenario, simulate
from tests.kafka.broker import Broker
from tests.kafka.desk import fresh
from tests.kafka.runs import PARTS, Day, sellable


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker of our own, running; a test that stops it must start it again."""
    one = Broker(tmp_path_factory.mktemp("broker"))
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="session")
def bootstrap(request: pytest.FixtureRequest) -> str:
    """Where a broker answers: `KAFKA_BOOTSTRAP`, else our own."""
    given = os.environ.get("KAFKA_BOOTSTRAP")
    return given or str(request.getfixturevalue("broker").bootstrap)


@pytest.fixture
def connection(bootstrap: str) -> Connection:
    return Connection(bootstrap, {"bootstrap.servers": bootstrap})


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    folder = tmp_path_factory.mktemp("day")
    as_of = datetime.now(UTC)
    start = (as_of - timedelta(days=12)).replace(hour=0, minute=0, second=0, microsecond=0)
    simulate(Scenario(orders=500, skus=40, seed=9, start=start), folder / "in")
    sellable("--input", folder / "in", "--output", folder / "out", "--as-of", as_of.isoformat())
    return Day(folder / "in", folder / "out", as_of.isoformat())


@pytest.fixture
def words(connection: Connection, tmp_path: Path) -> list[object]:
    """A run from topics to topics, with state."""
    fresh(connection, PARTS)
    place = f"kafka://{connection.brokers}"
    return ["--input", place, "--output", place, "--state", tmp_path / "state", "--epoch", "1s"]
