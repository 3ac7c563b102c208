"""Time as the throttle counts it: whole microseconds since 1970, so that limits are exact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(time: datetime | timedelta) -> int:
    """A moment (with zone) as microseconds since 1970, or a duration in microseconds."""
    return (time if isinstance(time, timedelta) else time - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """Microseconds since 1970 → a moment in UTC."""
    return _EPOCH + timedelta(microseconds=at)
