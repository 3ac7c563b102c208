"""Runs a contestant as a process of its own and says what it took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]


class Taken(Struct, frozen=True):
    """Seconds of wall-clock and of processor time, of it and its children; peak memory in MiB of the largest."""

    wall: float
    cpu: float
    peak: float


class Running:
    """A started process, measured when it is waited for. Raises RuntimeError with its words if it fails."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._log = log
        self._arguments = arguments
        self._started = time.monotonic()
        with log.open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, *arguments], stdout=words, stderr=words, cwd=ROOT
            )

    def wait(self) -> Taken:
        _, status, usage = os.wait4(self._process.pid, 0)
        wall = time.monotonic() - self._started
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if self._process.returncode:
            words = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(self._arguments)} ended with {self._process.returncode}:\n{words}")
        return Taken(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measured(arguments: list[str], log: Path) -> Taken:
    """`arguments` of the Python interpreter, from the repository's top."""
    return Running(arguments, log).wait()
