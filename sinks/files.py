"""NDJSON files a reader can follow while they grow and that a crash leaves whole.

Lines are appended whole, by one write each batch; a reader takes what stands before the last newline. With a saved
position a file is first cut back to it, so that
what a crashed run wrote after its last durable moment is written once, not twice.
"""

from __future__ import annotations

import os
from pathlib import Path

from canonical.errors import Terminal


class LinesFile:
    """`<stem>.ndjson`, append only. `position` None starts the file anew."""

    def __init__(self, path: Path, position: int | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        size = os.fstat(self._file).st_size
        if position is not None and size < position:
            os.close(self._file)
            raise Terminal(
                f"{path}: has {size} bytes, but the saved state was taken when it had {position}:"
                " the output was cut or replaced; restore it, or start with an empty --state and output"
            )
        os.ftruncate(self._file, position or 0)
        self._position = position or 0

    def write(self, blocks: list[bytes]) -> None:
        """Append blocks of whole lines; raises OSError when the disk refuses, having written nothing or a prefix."""
        data = memoryview(b"".join(blocks))
        while data:
            written = os.write(self._file, data)
            self._position += written
            data = data[written:]

    def flush(self) -> int:
        """Make everything written durable; returns the position to resume from."""
        os.fsync(self._file)
        return self._position

    def close(self) -> None:
        os.close(self._file)


class LatestFile:
    """A small file that always holds the latest whole value, by atomic replace."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._value: bytes | None = None

    def write(self, values: list[bytes]) -> None:
        self._value = values[-1]

    def flush(self) -> int:
        """Put the latest value in place; its position means nothing and is 0."""
        if self._value is not None:
            staged = self._path.with_suffix(".tmp")
            staged.write_bytes(self._value)
            staged.replace(self._path)
            self._value = None
        return 0

    def close(self) -> None:
        self.flush()
