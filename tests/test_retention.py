"""What is older than the retention leaves the state, and no number changes by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from canonical.policy import Policy
from dataflows.availability import Plan, availability_job
from dataflows.hosting import Job
from dataflows.plain import Plain
from sources.simulator import Scenario, simulate
from tests.driving import Ear, Outcome


def kept_for(retention: timedelta) -> Policy:
    return Policy.model_validate({"time": {"retention": retention}})


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven days, so that the first leave a state that keeps two."""
    folder = tmp_path_factory.mktemp("days")
    simulate(Scenario(orders=1_400, skus=60, days=7, seed=9), folder)
    return folder


def run(days: Path, retention: timedelta) -> tuple[Outcome, Plain]:
    outcome = Outcome()
    job: Job = availability_job(Plan(days, Path(), kept_for(retention)))._replace(
        outlet=lambda name, _: Ear(outcome, name)
    )
    runner = Plain(job)
    runner.run(lambda: datetime.now(UTC))
    runner.check()
    return outcome, runner


@pytest.fixture(scope="module")
def forgetful(days: Path) -> tuple[Outcome, Plain]:
    return run(days, timedelta(days=2))


@pytest.fixture(scope="module")
def thorough(days: Path) -> tuple[Outcome, Plain]:
    return run(days, timedelta(days=365))


def size(runner: Plain, stage: str) -> int:
    return sum(len(runner.host(stage, shard).snapshot()) for shard in range(16))


def test_the_last_record_of_every_key_is_the_same(forgetful: Any, thorough: Any) -> None:
    for stem in ("availability", "lifecycle"):
        assert forgetful[0].last(stem) == thorough[0].last(stem)


def test_nothing_in_time_is_late(forgetful: Any, thorough: Any) -> None:
    assert forgetful[0].counts == thorough[0].counts


def test_closed_orders_leave_the_state(forgetful: Any, thorough: Any) -> None:
    assert size(forgetful[1], "orders") < 0.9 * size(thorough[1], "orders")


def test_old_movements_are_folded(forgetful: Any, thorough: Any) -> None:
    assert size(forgetful[1], "skus") < 0.8 * size(thorough[1], "skus")
