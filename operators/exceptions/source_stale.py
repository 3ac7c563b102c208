"""`source_stale`: a source has been silent for longer than its `expected_every`.

Known are the stretches in which it was never silent so long; between two of them it was. Where all began, by the
first word of any watched source, counts as its first word too: so one that never speaks is missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from operators.exceptions.episode import Episode
from operators.exceptions.seen import clock

Stretch = tuple[datetime, datetime]


def joined(stretches: list[Stretch], pause: timedelta) -> list[Stretch]:
    """The same in order, those that are not further apart than `pause` as one."""
    told: list[Stretch] = []
    for first, last in sorted(stretches):
        if told and first - told[-1][1] <= pause:
            told[-1] = (told[-1][0], max(told[-1][1], last))
        else:
            told.append((first, last))
    return told


def source_stale(
    source: str, stretches: list[Stretch], pause: timedelta, watermark: datetime
) -> Iterator[Episode]:
    """Every silence that lasted too long, the present one too. `stretches`: joined."""
    for place, (_, last) in enumerate(stretches):
        spoke = stretches[place + 1][0] if place + 1 < len(stretches) else None
        yield Episode(
            code="source_stale",
            subject=source,
            opened_at=last + pause,
            cleared_at=spoke if spoke is not None and spoke <= watermark else None,
            deadline=True,
            owner="platform",
            units=0,
            correlationid=source,
            message=f"{source} has said nothing since {clock(last)} and should at least every {pause}:"
            " see whether it or the way from it is down.",
        )
