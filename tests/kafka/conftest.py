"""The broker of this test session, and what tests ask of it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from canonical.broker import Connection
from tests.kafka.broker import Broker


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
