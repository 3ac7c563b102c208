"""How often a channel may be called, by the real clock: the throttle plans calls, this keeps them apart on the wire.

A call is charged when its answer is there, which is after the channel has counted it. So the channel's own bucket
always holds at least as many tokens as ours, whatever the network does to the time between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from canonical.api import Limit
from canonical.errors import Transient

LONGEST_PAUSE = 60.0


class Stopped(Transient):
    """The driver was told to stop while it waited: nothing was sent."""


class Pause:
    """Nobody calls the channel before `until` (monotonic seconds): it said so, or it seems to need it.

    `first`: the shortest pause (seconds) where it did not say how long.
    """

    def __init__(
        self, stop: threading.Event, clock: Callable[[], float] = time.monotonic, *, first: float = 1.0
    ) -> None:
        self.stop, self.clock = stop, clock
        self.until = 0.0
        self._first = self._doubling = first

    @property
    def seconds(self) -> float:
        return max(0.0, self.until - self.clock())

    def block(self, seconds: float) -> None:
        """No call for so many seconds from now. A shorter word never lifts a longer one."""
        self.until = max(self.until, self.clock() + seconds)

    def back_off(self) -> float:
        """Refused without a word of how long: pause twice as long each time; returns the seconds."""
        seconds = self._doubling
        self._doubling = min(LONGEST_PAUSE, 2 * seconds)
        self.block(seconds)
        return seconds

    def ease(self) -> None:
        """A call went well."""
        self._doubling = self._first


class Gate:
    """A token bucket for one operation of a channel; used by one thread, one call at a time."""

    def __init__(self, limit: Limit, pause: Pause) -> None:
        self.pause = pause
        self.rate, self._burst = limit.rate, float(limit.burst)
        self._tokens, self._at = self._burst, pause.clock()

    @property
    def seconds(self) -> float:
        """How long until the next call may be made."""
        self._refill()
        return max(self.pause.seconds, (1 - self._tokens) / self.rate if self._tokens < 1 else 0.0)

    def enter(self) -> None:
        """Wait until a call may be made. Raises Stopped when told to stop meanwhile."""
        while (seconds := self.seconds) > 0 or self.pause.stop.is_set():
            if self.pause.stop.wait(seconds):
                raise Stopped("stopped while waiting for the channel's limit")

    def leave(self) -> None:
        """The call is answered, or given up: it counts from now."""
        self._refill()
        self._tokens -= 1

    def learn(self, rate: float) -> None:
        """The channel told its rate (calls a second): a lower one is obeyed."""
        if 0 < rate < self.rate:
            self._refill()
            self.rate = rate

    def _refill(self) -> None:
        now = self.pause.clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
