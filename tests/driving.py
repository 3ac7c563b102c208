"""Drives the real job with events made by hand: any batches, crashes between them, every record told kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from canonical.messages import AnyEvent
from canonical.policy import Policy
from canonical.topics import STEM_OF
from dataflows.availability import COUNTS, Plan, availability_job
from dataflows.lanes import RoutedLane
from dataflows.plain import Plain

NOW = datetime(2030, 1, 1, tzinfo=UTC)
KEYS = {"availability": "sku", "lifecycle": "order_id", "exceptions": "exception_id"}
_records = msgspec.json.Decoder()
_event = msgspec.json.Decoder(AnyEvent)


def _decode(event: dict[str, Any]) -> Any:
    decoded = _event.decode(msgspec.json.encode(event))
    decoded.time = decoded.time.astimezone(UTC)
    if hasattr(decoded.data, "as_of"):
        decoded.data.as_of = decoded.data.as_of.astimezone(UTC)
    return decoded


@dataclass
class Outcome:
    """`told`: every record in the order told, per stem. `last`: the last per key. `counts`: the tally."""

    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def last(self, stem: str) -> dict[str, dict[str, Any]]:
        return {record[KEYS[stem]]: record for record in self.told.get(stem, [])}


class Ear:
    """An outlet that listens."""

    def __init__(self, outcome: Outcome, name: str) -> None:
        self._outcome, self._name = outcome, name

    def write(self, blocks: list[bytes]) -> None:
        for block in blocks:
            if self._name == COUNTS:
                self._outcome.counts = msgspec.json.decode(block)
            else:
                self._outcome.told.setdefault(self._name, []).extend(_records.decode_lines(block))

    def flush(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing is held back."""


@dataclass
class Block:
    """What a decoded block is to a lane."""

    stem: str
    events: list[Any]
    read: int
    letters: list[Any] = field(default_factory=list)
    file: str | None = None
    drift: list[Any] = field(default_factory=list)


class Batches:
    """A source's lane that reads one batch of events at a time."""

    def __init__(self, batches: list[list[dict[str, Any]]], policy: Policy) -> None:
        self._batches = [[_decode(event) for event in batch] for batch in batches]
        self._lateness = policy.time.allowed_lateness
        self._place = 0
        self.greatest: datetime | None = None

    @property
    def ended(self) -> bool:
        return self._place >= len(self._batches)

    @property
    def watermark(self) -> datetime | None:
        return None if self.greatest is None else self.greatest - self._lateness

    def read(self, now: datetime) -> list[Block]:
        if self.ended:
            return []
        blocks = []
        for event in self._batches[self._place]:
            blocks.append(Block(STEM_OF[type(event)], [event], 1))
            if self.greatest is None or event.time > self.greatest:
                self.greatest = event.time
        self._place += 1
        return blocks

    def position(self) -> int:
        return self._place


def drive(
    batches: list[list[dict[str, Any]]],
    policy: Policy | None = None,
    *,
    crashes: frozenset[int] = frozenset(),
    check: bool = True,
) -> Outcome:
    """Run the job over the batches, crashing and restoring every shard after those numbered in `crashes`."""
    policy = policy or Policy()
    outcome = Outcome()
    job = availability_job(Plan(Path(), Path(), policy))._replace(outlet=lambda name, _: Ear(outcome, name))
    runner = Plain(job)
    watched = {name: x.expected_every for name, x in policy.sources.items() if x.expected_every is not None}
    for name in reversed(
        job.lanes
    ):  # those that have nothing to read first, so that time passes with the batches
        mine = batches if name == job.lanes[0] else []
        lane = RoutedLane(name, lambda _, mine=mine: Batches(mine, policy), None, None, watched)  # type: ignore[misc]  # a default binds the loop's value
        step = 0
        while not lane.ended:
            runner.deliver(lane.read(NOW))
            if step in crashes:
                runner.crash()
            step += 1
    if check:
        runner.check()
    runner.close()
    return outcome
