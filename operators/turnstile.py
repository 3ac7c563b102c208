"""A file's stripes, read by several lanes at once, pass into a shard in the order they stand in the file.

So the first of two statements of the same event is the first in its file, whatever lane or process was quicker, and a
shard sees the same order from one process or many. A parcel that comes early waits; the time of its lane waits with it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from msgspec import Struct

from canonical.messages import Parcel, Time


class Entry(Struct, array_like=True):
    """A parcel in its lane's queue; `passed` once its events have gone in and only its time waits for the others."""

    parcel: Parcel
    passed: bool


class Waiting(Struct, array_like=True):
    """What a snapshot holds: per file the byte up to which it has passed, per lane its queue and its time so far."""

    reached: dict[str, int]
    queues: dict[str, list[Entry]]
    times: dict[str, Time]


class Turnstile:
    """Parcels with a `file` pass in the order of their bytes; others at once, with no later time than their lane's."""

    def __init__(self) -> None:
        self._reached: dict[str, int] = {}
        self._queues: dict[str, deque[Entry]] = {}
        self._times: dict[str, Time] = {}
        self._early: dict[tuple[str, int], Entry] = {}

    def admit(self, messages: list[Any]) -> list[Any]:
        """The messages whose turn has come, in order; what is no parcel passes as it is."""
        passing: list[Any] = []
        for message in messages:
            if type(message) is not Parcel:
                passing.append(message)
            elif message.file is None and not self._queues.get(message.time.upstream):
                self._times[message.time.upstream] = message.time
                passing.append(message)
            else:
                self._take(message, passing)
        return passing

    def _take(self, parcel: Parcel, passing: list[Any]) -> None:
        entry = Entry(parcel, passed=False)
        self._queues.setdefault(parcel.time.upstream, deque()).append(entry)
        if parcel.file is None:
            if parcel.events:
                self._pass(entry, passing)
            return
        self._early[parcel.file, parcel.first] = entry
        reached = self._reached.get(parcel.file, 0)
        while (turn := self._early.pop((parcel.file, reached), None)) is not None:
            self._reached[parcel.file] = reached = turn.parcel.last
            self._pass(turn, passing)

    def _pass(self, entry: Entry, passing: list[Any]) -> None:
        """Let the events in; then the times, and heartbeats, that waited for nothing else in the lane's queue."""
        lane = entry.parcel.time.upstream
        entry.passed = True
        queue = self._queues[lane]
        beats = []
        while queue and (queue[0].passed or queue[0].parcel.file is None):
            done = queue.popleft()
            self._times[lane] = done.parcel.time
            if not done.passed:
                beats.append(done.parcel)
        if entry.parcel.events:
            now = entry.parcel.time.now
            time = self._times.get(lane) or Time(lane, None, None, ended=False, now=now)
            passing.append(Parcel(entry.parcel.events, time))
            entry.parcel.events = []
        passing += beats

    def snapshot(self) -> Waiting:
        return Waiting(
            self._reached, {lane: list(queue) for lane, queue in self._queues.items() if queue}, self._times
        )

    def restore(self, waiting: Waiting) -> None:
        self._reached, self._times = dict(waiting.reached), dict(waiting.times)
        self._queues = {lane: deque(queue) for lane, queue in waiting.queues.items()}
        self._early = {
            (entry.parcel.file, entry.parcel.first): entry
            for queue in self._queues.values()
            for entry in queue
            if not entry.passed and entry.parcel.file is not None
        }
