"""What a run does around the engine: closes what it opened, notes what is durable, rations what is read."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from canonical.errors import Transient
from dataflows import engine
from dataflows.hosting import Job, Lane, Mail, Outlet
from dataflows.session import RATION, Session


class Numbers:
    """A lane of `last` reads, each of `size` inputs."""

    def __init__(self, last: int, size: int = 1, position: Any = None) -> None:
        self.at, self._last, self._size = position or 0, last, size
        self.ended = self.closed = False

    @property
    def inputs(self) -> int:
        return self.at * self._size

    def read(self, now: datetime) -> list[Mail]:
        self.at += 1
        self.ended = self.at == self._last
        return [Mail("told", 0, b"%d\n" % self.at)]

    def pause(self, now: datetime) -> list[Mail]:
        return []

    def position(self) -> int:
        return self.at

    def close(self) -> None:
        self.closed = True


class Slow:
    """An outlet that has not delivered what was written until it is flushed or closed, and then may fail."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.waiting: list[bytes] = []
        self.delivered: list[bytes] = []
        self._failure = failure

    def write(self, blocks: list[bytes]) -> None:
        self.waiting += blocks

    def flush(self) -> int:
        if self._failure is not None:
            raise self._failure
        self.delivered += self.waiting
        self.waiting = []
        return len(self.delivered)

    def close(self) -> None:
        self.flush()


def job(lane: Lane, outlet: Outlet) -> Job:
    return Job("numbers", ("only",), lambda *_: lane, (), ("told",), lambda *_: outlet)


def ran(lane: Lane, outlet: Outlet, state: Path | None = None) -> bool:
    return engine.run(job(lane, outlet), engine.Cluster(), state=state, epoch=timedelta(0))


def test_without_state_the_end_delivers_what_was_written_and_leaves_the_sources() -> None:
    lane, outlet = Numbers(3), Slow()
    assert ran(lane, outlet)
    assert outlet.delivered == [b"1\n", b"2\n", b"3\n"]
    assert lane.closed


def test_what_cannot_be_delivered_at_the_end_is_a_fault_of_the_run() -> None:
    with pytest.raises(Transient, match="nobody there"):
        ran(Numbers(3), Slow(Transient("nobody there")))


def test_every_epoch_that_proves_durable_is_noted(tmp_path: Path) -> None:
    lane, outlet = Numbers(5), Slow()
    state = engine.state_of(tmp_path, job(lane, outlet), "files to files")
    assert state.is_new
    assert ran(lane, outlet, tmp_path)
    state.close()
    mark = json.loads((tmp_path / "mark.json").read_bytes())
    assert mark["durable"] in (4, 5), "an epoch for each read; nobody polls after the last"
    assert mark["closed"]
    again = engine.state_of(tmp_path, job(lane, outlet), "files to files")
    assert not again.is_new
    again.close()


def test_no_more_than_a_ration_is_read_in_an_epoch_of_a_cluster() -> None:
    numbers = Numbers(100, size=RATION // 2)
    session = Session(job(numbers, Slow()), None, None, clustered=True)
    lane, now = session.lane("only", None), datetime.now().astimezone()
    assert [bool(lane.poll(now)) for _ in range(4)] == [True, True, False, False]
    assert lane.idle
    lane.position()
    assert lane.poll(now)
