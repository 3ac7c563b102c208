"""`sequence_gap`: numbers of a source's sequence are missing, and still `allowed_lateness` after a later one came.

Numbers are settled in the order of their times, and only the holes between them are kept: memory grows with what is
missing, and beyond MOST holes the oldest are given up. What comes before the first number is not missed: there the
source was already running.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct, field

from operators.exceptions.episode import Episode
from operators.exceptions.seen import clock

MOST = 1000
Range = tuple[int, int]
Arrival = tuple[datetime, int, str]
"""When a number happened, the number, and the id of its event."""


class Hole(Struct, array_like=True):
    """Numbers that are missing since a later one, of the event `evidence`, came."""

    first: int
    last: int
    since: datetime
    evidence: str


class Gap(Struct, array_like=True):
    """A hole that outlasted its grace; `missing` is what has not come yet, `filled_at` when the last of it did."""

    first: int
    last: int
    opened_at: datetime
    evidence: str
    missing: list[Range]
    filled_at: datetime | None = None


class Sequence(Struct, array_like=True):
    """Of one source: what has come and is not settled, the greatest number, the holes below it, and the gaps."""

    waiting: list[Arrival] = field(default_factory=list)
    top: int | None = None
    holes: list[Hole] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def settle(self, source: str, lateness: timedelta, watermark: datetime) -> datetime | None:
        """Take what the watermark has passed, in the order of time; the next time a hole may become a gap."""
        for at, number, name in sorted(arrival for arrival in self.waiting if arrival[0] <= watermark):
            self._outlast(at - lateness)
            self._take(number, at, f"{source} {name}")
        self.waiting = [arrival for arrival in self.waiting if arrival[0] > watermark]
        self._outlast(watermark - lateness)
        return min((hole.since + lateness for hole in self.holes), default=None)

    def _outlast(self, before: datetime) -> None:
        """Holes from before that instant have outlasted their grace, which ends with the instant itself."""
        for hole in [hole for hole in self.holes if hole.since < before]:
            self.holes.remove(hole)
            self.gaps.append(Gap(hole.first, hole.last, hole.since, hole.evidence, [(hole.first, hole.last)]))

    def _take(self, number: int, at: datetime, evidence: str) -> None:
        if self.top is None or number > self.top:
            if self.top is not None and number > self.top + 1:
                self.holes.append(Hole(self.top + 1, number - 1, at, evidence))
                del self.holes[:-MOST]
            self.top = number
            return
        for hole in self.holes:
            if hole.first <= number <= hole.last:
                self.holes.remove(hole)
                for first, last in without(number, [(hole.first, hole.last)]):
                    self.holes.append(Hole(first, last, hole.since, hole.evidence))
                return
        for gap in self.gaps:
            if gap.first <= number <= gap.last and gap.filled_at is None:
                gap.missing = without(number, gap.missing)
                if not gap.missing:
                    gap.filled_at = at

    def forget(self, horizon: datetime) -> None:
        """Give up what has been missing since then, and let go of what had come by then."""
        self.gaps = [gap for gap in self.gaps if (gap.filled_at or gap.opened_at) >= horizon][-MOST:]


def without(number: int, ranges: list[Range]) -> list[Range]:
    """The ranges less one number."""
    parts = [part for a, b in ranges for part in _parts(number, a, b)]
    return [(first, last) for first, last in parts if first <= last]


def _parts(number: int, first: int, last: int) -> list[Range]:
    return [(first, number - 1), (number + 1, last)] if first <= number <= last else [(first, last)]


def sequence_gap(source: str, sequence: Sequence, lateness: timedelta) -> Iterator[Episode]:
    """One episode per gap; numbers that come after all end it when none is missing any more."""
    for gap in sequence.gaps:
        missing = gap.last - gap.first + 1
        what = f"Number {gap.first}" if missing == 1 else f"Numbers {gap.first} to {gap.last}"
        opened = gap.opened_at + lateness
        yield Episode(
            code="sequence_gap",
            subject=f"{source}|{gap.first}-{gap.last}",
            opened_at=opened,
            cleared_at=None if gap.filled_at is None else max(opened, gap.filled_at),
            deadline=True,
            owner="platform",
            units=missing,
            evidence=(gap.evidence,),
            correlationid=source,
            message=f"{what} of {source} did not come by {clock(opened)}: ask the source to send them again.",
        )
