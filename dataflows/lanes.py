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
BEAT_EVERY = timedelta(seconds=1)
"""The same where little is read, and only if the lane's time has moved: each wakes every shard."""

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
        self._beaten_at: datetime | None = None
        self._beaten: datetime | None = None
        self._unbeaten = False

    @property
    def inputs(self) -> int:
        """How many inputs have been read, whatever became of them."""
        return sum(count["read"] for count in self._counts.values())

    def read(self, now: datetime) -> list[Mail]:
        """Mail of the next block, none if there is none; nothing more once `ended`."""
        if self.ended:
            return []
        hearing = Hearing(self._watched)
        mails: list[Mail] = []
        blocks = self.reading.read(self._as_of or now)
        for decoded in blocks:
            count = self._counts.setdefault(decoded.stem, {"read": 0, "dead_letter": 0})
            count["read"] += decoded.read
            if decoded.letters:
                count["dead_letter"] += len(decoded.letters)
                mails.append(Mail(topics.DEAD_LETTERS.name, 0, _lines(decoded.letters)))
            hearing.hear(decoded.events, decoded.drift)
            if decoded.stem == topics.PRODUCTS.name and decoded.events:
                first = min(event.time for event in decoded.events)
                self._catalogue = min(first, self._catalogue or first)
        time = self._time(now)
        if blocks:
            self._reads += 1
            self._unbeaten, self._told_end = True, False
            for decoded in blocks:
                mails += _routed(decoded, time)
        beat = self._beat(time) if self._is_due(time, read=bool(blocks)) else []
        if blocks or beat:
            mails.append(Mail("sources", 0, hearing.told(time)))
        return mails + beat

    def pause(self, now: datetime) -> list[Mail]:
        """The last mail before nothing more is read: a heartbeat, so that all counts end together."""
        return self._beat(self._time(now)) if self._unbeaten else []

    def _time(self, now: datetime) -> Time:
        reading = self.reading
        return Time(self.name, reading.watermark, reading.greatest, reading.ended, now, self._catalogue)

    def _is_due(self, time: Time, *, read: bool) -> bool:
        """Whether it is time for a heartbeat."""
        if time.ended or (read and self._reads % BEAT == 0):
            return True
        self._beaten_at = self._beaten_at or time.now
        news = self._unbeaten or time.watermark != self._beaten
        return news and abs(time.now - self._beaten_at) >= BEAT_EVERY  # also if the clock was set back

    def _beat(self, time: Time) -> list[Mail]:
        if time.ended and self._told_end:
            self.ended = True
            return []
        self.ended = self._told_end = time.ended
        self._beaten_at, self._beaten, self._unbeaten = time.now, time.watermark, False
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

    def close(self) -> None:
        """Let go of what the source holds open; nothing may be read afterwards."""
        close = getattr(self.reading, "close", None)
        if close is not None:
            close()


def _routed(decoded: Any, time: Time) -> list[Mail]:
    """The block's events on their way; where lanes share its file, with the place they have in it."""
    buckets = Buckets()
    buckets.add(decoded.stem, decoded.events)
    if decoded.file is None:
        return buckets.mails(time)
    return buckets.placed(decoded.stem, time, decoded.file, decoded.first, decoded.last)
