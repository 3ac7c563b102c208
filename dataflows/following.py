"""Output files followed while they grow, from where the latest snapshot stands.

A run that resumes after a crash cuts its files back to its last durable moment and tells again what came after; a run
without state starts them anew. Fingerprints of what was read tell the two from plain growth.
"""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any

from xxhash import xxh3_64_hexdigest

READ = 4 << 20
"""Bytes read at a time."""
FINGERPRINT = 64 << 10
"""Bytes at the start of a file, and before the position, that must still be what they were."""


class Standing(Enum):
    """What became of a file since a position was taken in it."""

    GROWN = "it has grown, or not"
    CUT_BACK = "its end was told again"
    REPLACED = "it is another run's"


class GrowingFile:
    """One NDJSON file. `position` is plain JSON: offset and fingerprints; None stands at the start."""

    def __init__(self, path: Path, position: dict[str, Any] | None) -> None:
        self._path = path
        self._saved = position or {"offset": 0}
        self.offset: int = self._saved["offset"]
        self.at_end = False

    def standing(self) -> Standing:
        """Whether what stood before the position still does. A file that is gone is no news: it may come back."""
        offset = self._saved["offset"]
        if offset == 0:
            return Standing.GROWN
        try:
            head, tail = self._prints(offset)
        except FileNotFoundError:
            return Standing.GROWN
        if head != self._saved["head"]:
            return Standing.REPLACED
        return Standing.GROWN if tail == self._saved["tail"] else Standing.CUT_BACK

    def rewind(self) -> None:
        """Read again from the start: whoever reads drops what it knows already."""
        self.offset = 0
        self._saved = {"offset": 0}

    def read(self) -> bytes:
        """The next whole lines, b"" if there are none; `at_end` then says whether that was all."""
        try:
            with self._path.open("rb") as file:
                size = READ
                while True:
                    file.seek(self.offset)
                    data = file.read(size)
                    self.at_end = len(data) < size
                    whole = data.rfind(b"\n") + 1
                    if whole or self.at_end:
                        break
                    size *= 2  # one line is longer than all that was read
        except FileNotFoundError:
            self.at_end = True
            return b""
        self.offset += whole
        return data[:whole]

    def position(self) -> dict[str, Any]:
        """Where it stands after what was read; where the file has gone meanwhile, as far as could be told."""
        if self._saved["offset"] != self.offset:
            with suppress(FileNotFoundError):
                head, tail = self._prints(self.offset)
                self._saved = {"offset": self.offset, "head": head, "tail": tail}
        return self._saved

    def _prints(self, offset: int) -> tuple[str, str]:
        """Of the bytes at the start, and of those before `offset`; as many as there are."""
        size = min(offset, FINGERPRINT)
        file = os.open(self._path, os.O_RDONLY)
        try:
            head, tail = os.pread(file, size, 0), os.pread(file, size, offset - size)
        finally:
            os.close(file)
        return xxh3_64_hexdigest(head), xxh3_64_hexdigest(tail)
