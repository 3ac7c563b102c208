"""Progress people can read: a line that moves on a terminal, a quiet line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TextIO

QUIET_SECONDS = 10.0
MEBI = 1 << 20


class Progress:
    """Told per process how many bytes are read, of how many."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moving = stream.isatty()
        self._started = self._last = time.monotonic()
        self._shown = False

    def show(self, readings: Mapping[int, tuple[int, int]]) -> None:
        now = time.monotonic()
        if not self._moving and now - self._last < QUIET_SECONDS:
            return
        done = sum(reading[0] for reading in readings.values())
        total = sum(reading[1] for reading in readings.values())
        self._last = now
        text = line(done, total, now - self._started)
        self._stream.write(f"\r\x1b[2K{text}" if self._moving else f"{text}\n")
        self._stream.flush()
        self._shown = True

    def close(self) -> None:
        if self._shown and self._moving:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


def line(done: int, total: int, seconds: float) -> str:
    """`reading 120 of 300 MiB (40 %), 25.0 MiB/s, 7 s to go`."""
    rate = done / seconds if seconds > 0 else 0.0
    share = f" ({100 * done // total} %)" if total else ""
    left = f", {(total - done) / rate:.0f} s to go" if rate > 0 and total > done else ""
    return f"reading {done / MEBI:.0f} of {total / MEBI:.0f} MiB{share}, {rate / MEBI:.1f} MiB/s{left}"
