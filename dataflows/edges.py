"""Where a job's inputs come from and its outputs go: directories of files, or topics at brokers, in any mixture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from canonical.policy import Policy
from canonical.topics import INPUTS
from dataflows.brokers import connection
from dataflows.hosting import Lane, Outlet
from dataflows.lanes import Reading, RoutedLane
from dataflows.shards import LANES
from sinks.files import LatestFile, LinesFile
from sources.files import InputFile, find
from sources.lanes import FileLane

LATEST = "meta/"
"""Outlets named so hold one latest value; they are files wherever the records go."""


class Plan(Struct, frozen=True):
    """What a run was asked for. `as_of` is where time stands at the end of a finite input.

    `read_from`, `write_to`: brokers (`host:port,host:port`) in place of files; `output` is then the local
    directory for what has no topic. `until_end`: read topics up to where they ended at the start, not for ever.
    """

    input: Path
    output: Path
    policy: Policy
    as_of: datetime | None = None
    read_from: str | None = None
    write_to: str | None = None
    until_end: bool = False


class Edges:
    """What one process has open of the world outside: the files found, or one client for all topics read."""

    def __init__(self, plan: Plan, watched: Mapping[str, timedelta]) -> None:
        self._plan = plan
        self._watched = watched

    def lane(self, name: str, position: Any) -> Lane:
        """Lane `name`, going on where `position` was taken. Brokers are asked what their time is: it is ours."""
        plan = self._plan
        as_of = plan.as_of if plan.read_from is None else None
        return RoutedLane(name, self._opening(LANES.index(name)), position, as_of, self._watched)

    def outlet(self, name: str, position: int | None) -> Outlet:
        """The outlet `name`; what stood after `position` in its file is cut off."""
        plan = self._plan
        if name.startswith(LATEST):
            return LatestFile(plan.output / name)
        if plan.write_to is None:
            return LinesFile(plan.output / f"{name}.ndjson", position)
        from sinks.kafka import KafkaOutlet  # the client is slow to import, and files do without

        return KafkaOutlet(connection(plan.write_to, plan.policy.kafka), name)

    def _opening(self, number: int) -> Callable[[Any], Reading]:
        plan, time = self._plan, self._plan.policy.time
        if plan.read_from is None:
            return lambda at: FileLane(plan.input, self._files, number, time, at)
        from sources.kafka import KafkaLane  # the client is slow to import, and files do without

        return lambda at: KafkaLane(
            self._cluster, number, time, at, until_end=plan.until_end, as_of=plan.as_of
        )

    @cached_property
    def _files(self) -> list[InputFile]:
        return find(self._plan.input)

    @cached_property
    def _cluster(self) -> Any:
        from sources.kafka_cluster import Cluster

        brokers = self._plan.read_from or ""
        return Cluster(connection(brokers, self._plan.policy.kafka), tuple(topic.name for topic in INPUTS))
