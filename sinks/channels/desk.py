"""The channels of one configuration, each told by a worker of its own, so that none waits for another."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from canonical.outputs import ChannelUpdate
from canonical.policy import Policy
from sinks.channels.answers import Told, event
from sinks.channels.driver import Setup, Submission, find
from sinks.channels.worker import Worker

CLOSE_SECONDS = 90.0
"""Longer than any one call may take, with its retries, under the default timeout."""


class Unfinished(Struct, frozen=True):
    """What is to be taken up again after a restart; submissions by channel."""

    updates: list[ChannelUpdate] = []
    submissions: dict[str, list[Submission]] = {}


class Desk:
    """Starts a worker for every channel that has a driver. Raises Terminal when the configuration cannot work.

    `directory`: where relative paths of credential files begin (the configuration's own). `first_wait`: the shortest
    pause (seconds) before a call is made a second time.
    """

    def __init__(
        self,
        policy: Policy,
        unfinished: Unfinished | None = None,
        *,
        directory: Path = Path(),
        first_wait: float = 0.5,
    ) -> None:
        unfinished = unfinished or Unfinished()
        found = {
            name: (find(name, channel), channel)
            for name, channel in policy.channels.items()
            if channel.driver
        }
        self._workers = {}
        for name, (start, channel) in found.items():
            setup = Setup(name, channel, directory=directory, first_wait=first_wait)
            self._workers[name] = Worker(setup, start(setup), unfinished.submissions.get(name, ()))
        self.submit(unfinished.updates)

    def submit(self, updates: Iterable[ChannelUpdate]) -> None:
        """Have these told, each to its channel; those of channels without a driver are nobody's here. Never blocks."""
        groups: dict[str, list[ChannelUpdate]] = {}
        for update in updates:
            groups.setdefault(update.channel, []).append(update)
        for channel, group in groups.items():
            if (worker := self._workers.get(channel)) is not None:
                worker.submit(group)

    def poll(self, now: datetime) -> list[Told]:
        """What channels have answered since the last time, as events of `now`. Never blocks."""
        return [event(answer, now) for worker in self._workers.values() for answer in worker.answers()]

    def unfinished(self) -> Unfinished:
        """What is not answered yet. Asked before `poll`, it leaves out nothing that is not in what `poll` gives."""
        updates: list[ChannelUpdate] = []
        submissions: dict[str, list[Submission]] = {}
        for name, worker in self._workers.items():
            rest, asked = worker.unfinished()
            updates += rest
            if asked:
                submissions[name] = asked
        return Unfinished(updates, submissions)

    def close(self, timeout: float = CLOSE_SECONDS) -> None:
        """Stop every worker after the call it is making; `poll` and `unfinished` still answer afterwards."""
        for worker in self._workers.values():
            worker.stop()
        for worker in self._workers.values():
            worker.join(timeout)
