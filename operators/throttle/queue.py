"""The updates that may ride in the next call: most harmful first, with a share for the oldest.

Two heaps with lazy deletion: an entry counts only while it is the one `_entries` holds for its SKU. Taking or looking
costs O(log waiting) amortised: every stale entry is thrown away once, and paid for by the change that made it stale.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from operators.throttle.risk import REFRESH

FULL = 1_000_000
"""Credit (millionths of an update) at which the next one is the oldest."""
SLACK = 1024

Entry = tuple[float, int, str]
"""(−score, place in time, sku): the least is the most harmful, of equals the one that waited longest."""


class Queue:
    """`fair_share` of the updates taken are the oldest; refreshes, which change nothing shown, have no age."""

    def __init__(self, fair_share: float) -> None:
        self._fair = round(fair_share * FULL)
        self.credit = 0
        self.fill(())

    def __len__(self) -> int:
        return len(self._entries)

    def fill(self, waiting: Iterable[Entry]) -> None:
        """Hold exactly these."""
        self._entries = {entry[2]: entry for entry in waiting}
        self._rebuild()

    def put(self, sku: str, score: float, place: int) -> None:
        """Queue an update, or give it a new score (`place`: its place in time, unique)."""
        entry = (-score, place, sku)
        known = self._entries.get(sku)
        if known == entry:
            return
        self._entries[sku] = entry
        heappush(self._worst, entry)
        if score != REFRESH and (known is None or known[1] != place or known[0] == -REFRESH):
            heappush(self._oldest, (place, sku))
        if len(self._worst) + len(self._oldest) > 4 * len(self._entries) + SLACK:
            self._rebuild()

    def drop(self, sku: str) -> None:
        self._entries.pop(sku, None)

    def top(self) -> float | None:
        """The score of the most harmful update."""
        heap, entries = self._worst, self._entries
        while heap:
            entry = heap[0]
            if entries.get(entry[2]) is entry:
                return -entry[0]
            heappop(heap)
        return None

    def oldest(self) -> str | None:
        """The SKU that has waited longest of those that are no mere refreshes."""
        heap, entries = self._oldest, self._entries
        while heap:
            place, sku = heap[0]
            entry = entries.get(sku)
            if entry is not None and entry[1] == place and entry[0] != -REFRESH:
                return sku
            heappop(heap)
        return None

    def take(self) -> str | None:
        """The SKU to tell next, taken out of the queue; None when nothing waits."""
        if self.top() is None:
            return None
        sku = None
        self.credit += self._fair
        if self.credit >= FULL:
            self.credit = FULL
            sku = self.oldest()
            if sku is not None:
                self.credit = 0
        if sku is None:
            sku = self._worst[0][2]
        del self._entries[sku]
        return sku

    def _rebuild(self) -> None:
        self._worst: list[Entry] = list(self._entries.values())
        self._oldest = [(place, sku) for score, place, sku in self._worst if score != -REFRESH]
        heapify(self._worst)
        heapify(self._oldest)
