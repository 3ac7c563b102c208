"""`sellable run` on topics: killed, stopped, rescaled, its broker stopped, and in the end like on files."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from random import Random

import pytest

from canonical.broker import Connection
from tests.kafka.broker import Broker
from tests.kafka.desk import until
from tests.kafka.runs import Day, Run, agree, all_read, by_files, by_topics, committed, put, sellable

KILLS = int(os.environ.get("SELLABLE_KILLS", "6"))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_day_through_topics_ends_like_on_files(
    connection: Connection, day: Day, words: list[object], tmp_path: Path, workers: int
) -> None:
    put(connection, day.parts(1)[0])
    sellable(*words, "--until-end", "--as-of", day.as_of, "--workers", workers)
    agree(by_topics(connection, tmp_path / "state/local"), by_files(day.truth))
    assert set(committed(connection).values()) == {0}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stream_killed_again_and_again_ends_like_an_undisturbed_one(
    connection: Connection, day: Day, words: list[object], tmp_path: Path, workers: int
) -> None:
    """Killed while it starts, resumes, reads, takes a snapshot or has just shown what it read."""
    rng = Random(workers)
    for part in day.parts(max(1, KILLS // 2)):
        put(connection, part)
        with Run(*words, "--workers", workers) as run:
            begun, patience = time.monotonic(), rng.choice([1.0, 6.0])
            while time.monotonic() - begun < patience and not all_read(connection):
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 0.5))
            assert run.process.poll() is None
            run.kill()
    sellable(*words, "--until-end", "--as-of", day.as_of)
    agree(by_topics(connection, tmp_path / "state/local"), by_files(day.truth), late=True)
    assert set(committed(connection).values()) == {0}


def test_processes_may_be_more_or_fewer_after_a_stop(
    connection: Connection, day: Day, words: list[object], tmp_path: Path
) -> None:
    for part, workers in zip(day.parts(3), (1, 2, 1), strict=True):
        put(connection, part)
        with Run(*words, "--workers", workers, "--json") as run:
            until(lambda: all_read(connection), "the part is read")
            assert json.loads(run.stop())["adds_up"]
            assert set(committed(connection).values()) == {0}
    sellable(*words, "--until-end", "--as-of", day.as_of)
    agree(by_topics(connection, tmp_path / "state/local"), by_files(day.truth), late=True)


def test_a_broker_stopped_and_started_is_waited_for(
    broker: Broker, day: Day, words: list[object], tmp_path: Path
) -> None:
    connection = Connection(broker.bootstrap, {"bootstrap.servers": broker.bootstrap})
    first, second = day.parts(2)
    put(connection, first)
    with Run(*words) as run:
        until(lambda: all_read(connection), "the first part is read")
        broker.stop()
        time.sleep(1.0)
        broker.start()
        assert run.process.poll() is None
        put(connection, second)
        until(lambda: all_read(connection), "the second part is read")
        run.stop()
    sellable(*words, "--until-end", "--as-of", day.as_of)
    agree(by_topics(connection, tmp_path / "state/local"), by_files(day.truth), late=True)


def test_files_in_and_topics_out_and_the_reverse(
    connection: Connection, day: Day, words: list[object], tmp_path: Path
) -> None:
    place, as_of = f"kafka://{connection.brokers}", ("--as-of", day.as_of)
    sellable("--input", day.directory, "--output", place, "--local", tmp_path / "local", *as_of)
    agree(by_topics(connection, tmp_path / "local"), by_files(day.truth))
    put(connection, day.parts(1)[0])
    sellable("--input", place, "--output", tmp_path / "out", "--until-end", *as_of)
    agree(by_files(tmp_path / "out"), by_files(day.truth))
