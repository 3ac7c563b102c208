"""The plain-loop runner: the same job without an engine. A reference for tests, and the way out if ever needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from dataflows.hosting import Host, Job, Mail, Outlet


class Plain:
    """Drives a job in one process: mail is delivered stage by stage, all of a shard's at once."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._order = {stage.name: place for place, stage in enumerate(job.stages)}
        self._hosts: dict[tuple[str, int], Host] = {}
        self._outlets: dict[str, Outlet] = {name: job.outlet(name, None) for name in job.outlets}

    def run(self, clock: Callable[[], datetime]) -> None:
        """Read every lane to its end, one read each in turn."""
        lanes = [self._job.lane(name, None) for name in self._job.lanes]
        while lanes:
            self.deliver(mail for lane in lanes for mail in lane.read(clock()))
            lanes = [lane for lane in lanes if not lane.ended]
        self.close()

    def deliver(self, mails: Iterable[Mail]) -> None:
        """Bring mail to its shards and what they answer to the stages after them, until it has reached the outlets."""
        waiting: dict[str, dict[int, list[Any]]] = {}
        _sort(mails, waiting)
        for stage in self._job.stages:
            for shard, messages in waiting.pop(stage.name, {}).items():
                _sort(self.host(stage.name, shard).apply(messages), waiting)
        for name, shards in waiting.items():
            self._outlets[name].write(shards[0])

    def host(self, stage: str, shard: int) -> Host:
        """The shard of a stage; an empty one if nothing has reached it yet."""
        host = self._hosts.get((stage, shard))
        if host is None:
            host = self._hosts[stage, shard] = self._job.stages[self._order[stage]].host(shard)
        return host

    def crash(self) -> None:
        """Lose every shard and restore it from its snapshot, as a kill and a resume at an epoch's end would."""
        for (stage, shard), host in list(self._hosts.items()):
            sealed = host.snapshot()
            del self._hosts[stage, shard]
            self.host(stage, shard).restore(sealed)

    def check(self) -> None:
        """Let every shard check its own invariants; raises AssertionError."""
        for host in self._hosts.values():
            host.check()

    def close(self) -> None:
        for outlet in self._outlets.values():
            outlet.close()


def _sort(mails: Iterable[Mail], waiting: dict[str, dict[int, list[Any]]]) -> None:
    for mail in mails:
        waiting.setdefault(mail.stage, {}).setdefault(mail.shard, []).append(mail.message)
