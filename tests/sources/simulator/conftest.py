from __future__ import annotations

import pytest

from tests.sources.simulator.reading import Day, make


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return make(tmp_path_factory.mktemp("clean"), orders=1500, skus=300, days=2, seed=5)


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return make(tmp_path_factory.mktemp("faulty"), orders=4000, skus=500, seed=11, faults="all")
