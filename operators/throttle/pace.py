"""When the next call may be made: a token bucket that obeys the channel's answers (DESIGN section 7).

The bucket is one number, `_empty_until`: how far ahead of time the calls made so far reach, each taking one interval. A
call is allowed while that is at most burst − 1 intervals ahead. Since no call ever takes less than 1/rate, a window of
length w holds at most rate·w + burst calls, whatever the answers were.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from canonical.policy import Channel
from operators.throttle.instants import SECOND

SLOWEST = 1 / 32
"""However many calls are refused, at least this share of the granted rate is used."""
RECOVERY = 1 / 64
"""Share of the granted rate that one acknowledged call brings back: from the slowest, after about 60."""
REFUSED = 0.5
"""What is left of the pace after a refused call: additive up, multiplicative down."""


class PaceState(NamedTuple):
    """What a snapshot holds; times in microseconds."""

    empty_until: int = 0
    blocked_until: int = 0
    share: float = 1.0
    started: int | None = None
    calls: int = 0


class Pace:
    """The budget of one channel. Times in microseconds since 1970."""

    def __init__(self, policy: Channel) -> None:
        self._interval = ceil(SECOND / policy.rate)
        self._burst = policy.burst
        self._empty_until = self._blocked_until = 0
        self._share = 1.0
        self._started: int | None = None
        self._calls = 0

    @property
    def ready(self) -> int:
        """The earliest time at which a call is allowed."""
        return max(self._empty_until - (self._burst - 1) * self._interval, self._blocked_until)

    @property
    def full(self) -> int:
        """From when on the bucket is full: a call not made by then is a call lost."""
        return max(self._empty_until, self._blocked_until)

    @property
    def share(self) -> float:
        """The share of the granted rate in use, in (0, 1]."""
        return self._share

    @property
    def calls(self) -> int:
        """Calls made so far; the next one carries this number plus one."""
        return self._calls

    def start(self, at: int) -> None:
        """Count allowed calls from here on, if nothing was counted yet."""
        if self._started is None:
            self._started = at

    def allowed(self, at: int) -> int:
        """Calls the channel granted until `at`: the burst, and one per interval since the start."""
        return self._burst + max(0, at - self._started) // self._interval if self._started is not None else 0

    def call(self, at: int) -> int:
        """Make a call at `at` (≥ `ready`); returns its number, from 1."""
        assert at >= self.ready, "a call before its time"
        self._empty_until = max(self._empty_until, at) + ceil(self._interval / self._share)
        self._calls += 1
        return self._calls

    def refused(self) -> None:
        """A call was refused: slow down."""
        self._share = max(SLOWEST, self._share * REFUSED)

    def block(self, at: int, retry_after: int) -> None:
        """No call before `at` + `retry_after` (microseconds), and only one at once then. Zero changes nothing."""
        if retry_after > 0:
            self._blocked_until = max(self._blocked_until, at + retry_after)
            self._empty_until = max(
                self._empty_until, self._blocked_until + (self._burst - 1) * self._interval
            )

    def accepted(self) -> None:
        self._share = min(1.0, self._share + RECOVERY)

    def snapshot(self) -> PaceState:
        return PaceState(self._empty_until, self._blocked_until, self._share, self._started, self._calls)

    def restore(self, state: PaceState) -> None:
        self._empty_until, self._blocked_until, self._share, self._started, self._calls = state
