"""`schema_drift`: a source sends a field the contract does not know.

Found by sampling, so one sample is enough to open; it is over when none has been seen for as long as the retention.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from canonical.messages import Drifted
from operators.exceptions.episode import Episode
from operators.exceptions.seen import clock


class Drifting(Struct, array_like=True):
    """The earliest sample of one field, how many there were, and the time of the latest."""

    first: Drifted
    samples: int
    last_at: datetime

    def add(self, sample: Drifted) -> None:
        """Take another sample of the same field."""
        self.samples += 1
        self.last_at = max(self.last_at, sample.at)
        if (sample.at, sample.id) < (self.first.at, self.first.id):
            self.first = sample


def schema_drift(drifting: Drifting, retention: timedelta, watermark: datetime) -> Iterator[Episode]:
    """One episode per source, type and field."""
    sample = drifting.first
    over = drifting.last_at + retention
    yield Episode(
        code="schema_drift",
        subject=f"{sample.source}|{sample.type}|{sample.field}",
        opened_at=sample.at,
        cleared_at=over if over <= watermark else None,
        owner="platform",
        units=1,
        evidence=(f"{sample.source} {sample.id}",),
        correlationid=sample.source,
        message=f"{sample.source} sends {sample.field} in {sample.type} since {clock(sample.at)}, which the contract"
        f" does not know (beside {sample.sample}): take it into the contract or have it left out.",
    )
