"""What time it is, from what every upstream believes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from canonical.messages import Time
from operators.clock import Clock

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: int | None) -> datetime | None:
    return None if minute is None else DAY + timedelta(minutes=minute)


def heard(upstream: str, watermark: int | None, greatest: int | None = None, *, ended: bool = False) -> Time:
    return Time(upstream, at(watermark), at(greatest if greatest is not None else watermark), ended, DAY)


# what was heard, in order → the watermark, in minutes
WATERMARKS = {
    "nothing yet": ([], None),
    "time stands still until every upstream has spoken": ([heard("a", 5)], None),
    "the least of them": ([heard("a", 5), heard("b", 3)], 3),
    "an upstream that knows nothing holds time": ([heard("a", 5), heard("b", None)], None),
    "one that has ended does not": ([heard("a", 5), heard("b", 3, ended=True)], 5),
    "a watermark never goes back": ([heard("a", 5), heard("b", 9), heard("a", 2)], 5),
    "all ended: the greatest time read": ([heard("a", 5, 8, ended=True), heard("b", 3, 4, ended=True)], 8),
}


@pytest.mark.parametrize(("times", "minute"), WATERMARKS.values(), ids=WATERMARKS.keys())
def test_watermark(times: list[Time], minute: int | None) -> None:
    clock = Clock(("a", "b"))
    for time in times:
        clock.hear(time)
    assert clock.watermark == at(minute)


def test_at_the_end_time_stands_at_as_of() -> None:
    clock = Clock(("a",), as_of=at(60))
    clock.hear(heard("a", 5, 8, ended=True))
    assert clock.watermark == at(60)


def test_a_restored_clock_tells_the_same_time() -> None:
    clock, again = Clock(("a", "b")), Clock(("a", "b"))
    for time in (heard("a", 5, 8), heard("b", 3, ended=True)):
        clock.hear(time)
    again.restore(clock.snapshot())
    assert again.told("me", DAY) == clock.told("me", DAY)
