"""Time in whole milliseconds since the Unix epoch, and how it is written.

Physical steps happen at even milliseconds and cuts (counts, balances) at odd ones, so that
no movement ever falls on the very instant of a cut and the book there is never in doubt.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES = tuple(f"{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440))
_SECONDS = tuple(f"{second:02d}." for second in range(60))
_MILLIS = tuple(f"{milli:03d}Z" for milli in range(1000))


def instant(moment: datetime) -> int:
    """A moment with a zone → even milliseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1) & ~1


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%dT")


def stamp(time: int) -> str:
    """Milliseconds → RFC 3339 in UTC with milliseconds: "2026-03-02T08:15:30.250Z"."""
    day, rest = divmod(time, DAY)
    return _date(day) + _MINUTES[rest // MINUTE] + _SECONDS[rest // SECOND % 60] + _MILLIS[rest % SECOND]


def duration(time: int) -> str:
    """Milliseconds → the configuration's notation, in the largest unit that divides: "90s", "15m", "2d"."""
    for letter, unit in (("d", DAY), ("h", HOUR), ("m", MINUTE)):
        if time % unit == 0:
            return f"{time // unit}{letter}"
    return f"{time // SECOND}s"
