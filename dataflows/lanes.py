"""A lane as the runners see it: blocks read and decoded by a source leave as mail, time and counts go with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from canonical import topics
from canonical.messages import Parcel, Tally, Time
from dataflows.hearing import Hearing
from dataflows.hosting import Mail
from dataflows.routing import Buckets
from dataflows.shards import ORDER_SHARDS, SKU_SHARDS

BEAT = 16
"""Reads between two heartbeats that carry a lane's time to every shard, also the idle ones."""

_lines = msgspec.json.Encoder().encode_lines


class Reading(Protocol):
    """What a source's lane must offer: decoded blocks, its time, and a position of builtins to resume from."""

    @property
    def ended(self) -> bool: ...
    @property
    def watermark(self) -> datetime | None: ...
    @property
    def greatest(self) -> datetime | None: ...
    def read(self, now: datetime) -> list[Any]: ...
    def position(self) -> Any: ...


class RoutedLane:
    """A source's lane whose events leave for their shards. Its position is the source's and its own counts.

    `as_of` stands in for the wall-clock where given: events too far ahead of it are from the future. `watched`:
    source → how long it may be silent.
    """

    def __init__(
        self,
        name: str,
        open_at: Callable[[Any], Reading],
        position: Any,
        as_of: datetime | None,
        watched: Mapping[str, timedelta] | None = None,
    ) -> None:
        saved = position or {"reading": None, "counts": {}, "told_end": False, "catalogue": None}
        self.name = name
        self.reading = open_at(saved["reading"])
        self.ended = False
        self._counts: dict[str, dict[str, int]] = saved["counts"]
        self._told_end: bool = saved["told_end"]
        self._as_of = as_of
        self._watched = watched or {}
        self._catalogue = saved["catalogue"] and datetime.fromisoformat(saved["catalogue"])
        self._reads = 0

    def read(self, now: datetime) -> list[Mail]:
        """Mail of the next block; nothing more once `ended`."""
        if self.ended:
            return []
        buckets, hearing = Buckets(), Hearing(self._watched)
        mails: list[Mail] = []
        for decoded in self.reading.read(self._as_of or now):
            count = self._counts.setdefault(decoded.stem, {"read": 0, "dead_letter": 0})
            count["read"] += decoded.read
            if decoded.letters:
                count["dead_letter"] += len(decoded.letters)
                mails.append(Mail(topics.DEAD_LETTERS.name, 0, _lines(decoded.letters)))
            buckets.add(decoded.stem, decoded.events)
            hearing.hear(decoded.events, decoded.drift)
            if decoded.stem == topics.PRODUCTS.name and decoded.events:
                first = min(event.time for event in decoded.events)
                self._catalogue = min(first, self._catalogue or first)
        reading = self.reading
        time = Time(self.name, reading.watermark, reading.greatest, reading.ended, now, self._catalogue)
        mails += buckets.mails(time)
        mails.append(Mail("sources", 0, hearing.told(time)))
        self._reads += 1
        if self.reading.ended or self._reads % BEAT == 0:
            mails += self._beat(time)
        return mails

    def _beat(self, time: Time) -> list[Mail]:
        if self._told_end:
            self.ended = True
            return []
        self.ended = self._told_end = time.ended
        beat = Parcel([], time)
        mails = [Mail("orders", shard, beat) for shard in range(ORDER_SHARDS)]
        mails += [Mail("skus", shard, beat) for shard in range(SKU_SHARDS)]
        return [*mails, Mail("tally", 0, Tally(self.name, self._counts))]

    def position(self) -> Any:
        """Builtins to resume from, standing after everything read."""
        return {
            "reading": self.reading.position(),
            "counts": self._counts,
            "told_end": self._told_end,
            "catalogue": self._catalogue and self._catalogue.isoformat(),
        }
