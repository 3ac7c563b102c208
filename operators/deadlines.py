"""When each key wants to be looked at again: one heap per shard, that knows its soonest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush


class Deadlines:
    """A heap of (time, key). Nothing is ever taken out early: whoever is woken checks whether there is cause."""

    def __init__(self, entries: list[tuple[datetime, str]] | None = None) -> None:
        self._heap = entries or []
        heapify(self._heap)

    def arm(self, at: datetime, key: str) -> None:
        heappush(self._heap, (at, key))

    @property
    def soonest(self) -> datetime | None:
        return self._heap[0][0] if self._heap else None

    def due(self, time: datetime) -> Iterator[str]:
        """Keys whose time has come (at ≤ `time`), soonest first, each taken out as it is given."""
        while self._heap and self._heap[0][0] <= time:
            yield heappop(self._heap)[1]

    def snapshot(self) -> list[tuple[datetime, str]]:
        return self._heap
