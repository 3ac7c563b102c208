"""Leaves a channel alone that keeps failing, and asks it with one call at a time whether it is back."""

from __future__ import annotations

from typing import NamedTuple

from operators.throttle.instants import SECOND

FAILURES = 5
"""Failed calls in a row, none acknowledged between them, that open the breaker."""
FIRST_WAIT = 30 * SECOND
LONGEST_WAIT = 15 * 60 * SECOND


class BreakerState(NamedTuple):
    """What a snapshot holds; times in microseconds."""

    failures: int = 0
    failed_at: int = 0
    wait: int = 0
    open_until: int = 0
    probing: bool = False


class Breaker:
    """Closed (`wait` = 0): calls pass. Open: none until `open_until`, then one probe; its answer decides."""

    def __init__(self) -> None:
        self._failures = self._failed_at = self._wait = self._open_until = 0
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._wait > 0

    @property
    def ready(self) -> int | None:
        """The earliest time of a call; None while a probe is out and unanswered."""
        return None if self._probing else self._open_until

    def called(self) -> None:
        """A call was made; while open it is the probe."""
        self._probing = self.is_open

    def succeeded(self) -> None:
        self.restore(BreakerState())

    def failed(self, at: int, forget: int | None) -> None:
        """A call failed at `at`. Where successes are not told, failures more than `forget` apart are not in a row."""
        if not self.is_open and forget is not None and at - self._failed_at > forget:
            self._failures = 0
        self._failures += 1
        self._failed_at = at
        if self._probing or (not self.is_open and self._failures >= FAILURES):
            self._wait = min(LONGEST_WAIT, 2 * self._wait or FIRST_WAIT)
            self._open_until = at + self._wait
            self._probing = False

    def snapshot(self) -> BreakerState:
        return BreakerState(self._failures, self._failed_at, self._wait, self._open_until, self._probing)

    def restore(self, state: BreakerState) -> None:
        self._failures, self._failed_at, self._wait, self._open_until, self._probing = state
