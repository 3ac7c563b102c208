"""`sequence_gap`: numbers of a source's sequence are missing, and still `allowed_lateness` after a later one came.

Kept are runs of numbers without a hole; memory grows with the holes, and beyond MOST of them the oldest are given up.
What comes before the first number known is not missed: there the source was already running.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct, field

from canonical.messages import Run
from operators.exceptions.episode import Episode
from operators.exceptions.seen import clock

MOST = 1000


class Gap(Struct, array_like=True):
    """Numbers that were missing when the grace was over. `filled_at`: when the last of them came after all."""

    first: int
    last: int
    opened_at: datetime
    evidence: str
    filled_at: datetime | None = None


class Sequence(Struct, array_like=True):
    """Of one source: `runs` in order, with holes between them; `gaps`: the holes that were told."""

    runs: list[Run] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def add(self, run: Run) -> None:
        """Take numbers that came; those that came before change nothing."""
        before = [known for known in self.runs if known.last < run.first - 1]
        after = [known for known in self.runs if known.first > run.last + 1]
        touching = [*self.runs[len(before) : len(self.runs) - len(after)], run]
        first = min(touching, key=lambda known: known.first)
        whole = Run(
            run.source,
            first.first,
            max(known.last for known in touching),
            min(known.at for known in touching),
            first.id,
        )
        self.runs = [*before, whole, *after]
        if len(self.runs) > MOST:
            self.runs[:2] = [Run(run.source, self.runs[0].first, *_rest(self.runs[:2]))]
        for gap in self.gaps:
            if gap.filled_at is None and any(k.first <= gap.first and gap.last <= k.last for k in self.runs):
                gap.filled_at = max(gap.opened_at, run.at)

    def look(self, lateness: timedelta, watermark: datetime) -> datetime | None:
        """Remember the holes whose grace is over; the next time there may be one."""
        soonest: datetime | None = None
        skipped: datetime | None = None
        for place in range(len(self.runs) - 1, 0, -1):
            run = self.runs[place]
            skipped = run.at if skipped is None else min(skipped, run.at)
            hole, due = (self.runs[place - 1].last + 1, run.first - 1), skipped + lateness
            if due >= watermark:
                soonest = due if soonest is None else min(soonest, due)
            elif not any(gap.first <= hole[0] and hole[1] <= gap.last for gap in self.gaps):
                self.gaps.append(Gap(*hole, due, f"{run.source} {run.id}"))
        return soonest

    def forget(self, horizon: datetime) -> None:
        """Give up what has been missing, or was found, before that."""
        gone = [gap for gap in self.gaps if (gap.filled_at or gap.opened_at) < horizon]
        if gone:
            self.gaps = [gap for gap in self.gaps if (gap.filled_at or gap.opened_at) >= horizon]
            for gap in gone:
                self.add(Run(self.runs[0].source, gap.first, gap.last, gap.opened_at, gap.evidence))


def sequence_gap(source: str, sequence: Sequence, watermark: datetime) -> Iterator[Episode]:
    """One episode per gap; a number that comes after all ends it when all of the gap have come."""
    for gap in sequence.gaps:
        missing = gap.last - gap.first + 1
        what = f"number {gap.first}" if missing == 1 else f"numbers {gap.first} to {gap.last}"
        cleared = gap.filled_at
        yield Episode(
            code="sequence_gap",
            subject=f"{source}|{gap.first}-{gap.last}",
            opened_at=gap.opened_at,
            cleared_at=cleared if cleared is not None and cleared <= watermark else None,
            deadline=True,
            owner="platform",
            units=missing,
            evidence=(gap.evidence,),
            correlationid=source,
            message=f"{what[0].upper()}{what[1:]} of {source} did not come by {clock(gap.opened_at)}:"
            " ask the source to send them again.",
        )


def _rest(runs: list[Run]) -> tuple[int, datetime, str]:
    return runs[-1].last, min(run.at for run in runs), runs[0].id
