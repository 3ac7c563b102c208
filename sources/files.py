"""Files of events: which ones a directory holds, and where the lines of a plain one stand."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

from canonical.errors import Terminal
from canonical.topics import STEMS

STRIPE = 256 << 10
"""Bytes read at a time, about a thousand events. Saved positions depend on it."""

Packing = Literal["plain", "gz", "zst"]
ENDINGS: dict[str, Packing] = {".ndjson": "plain", ".ndjson.gz": "gz", ".ndjson.zst": "zst"}


class InputFile(Struct, frozen=True):
    """`name` is the path below the input directory, with slashes; `size` is as stored, taken when found."""

    name: str
    path: Path
    stem: str
    packing: Packing
    size: int


def packing_of(path: Path) -> Packing | None:
    """How a file of that name is stored; None where the name is not one of events."""
    return next((packing for ending, packing in ENDINGS.items() if path.name.endswith(ending)), None)


def find(directory: Path) -> list[InputFile]:
    """Every input in the directory, by name: `<stem>.ndjson` and `<stem>/*.ndjson`, also with .gz or .zst.

    Any stem may be missing and other files are not looked at. Raises Terminal where there is nothing to read.
    """
    if not directory.is_dir():
        raise Terminal(f"{directory} is not a directory; --input wants one that holds {_looked_for()}")
    paths = [directory / f"{stem}{ending}" for stem in STEMS for ending in ENDINGS]
    for stem in STEMS:
        if (directory / stem).is_dir():
            paths += [path for path in (directory / stem).iterdir() if not path.name.startswith(".")]
    files = [described(path, directory) for path in paths if packing_of(path) and path.is_file()]
    if not files:
        raise Terminal(f"{directory} holds no events; looked for {_looked_for()}")
    return sorted(files, key=lambda file: file.name)


def described(path: Path, directory: Path, stem: str | None = None) -> InputFile:
    """One file as an input. Without `stem` it is the first part of the path below the directory."""
    name = path.relative_to(directory).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise Terminal(f"the file name {name!r} is not UTF-8; rename it") from None
    stem = name.partition("/")[0].partition(".")[0] if stem is None else stem
    return InputFile(name, path, stem, packing_of(path) or "plain", path.stat().st_size)


def _looked_for() -> str:
    return f"<stem>.ndjson or <stem>/*.ndjson (also .gz, .zst), with <stem> one of {', '.join(STEMS)}"


class LineIndex:
    """Line numbers of a plain file, counted only when somebody asks, and each stripe once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = [0]  # newlines before the start of each stripe

    def number_at(self, offset: int) -> int:
        """The number (from 1) of the line that the byte at `offset` belongs to."""
        with self._path.open("rb") as stored:
            stripe = offset // STRIPE
            stored.seek(STRIPE * (len(self._before) - 1))
            while len(self._before) <= stripe:
                self._before.append(self._before[-1] + stored.read(STRIPE).count(b"\n"))
            stored.seek(STRIPE * stripe)
            return self._before[stripe] + stored.read(offset - STRIPE * stripe).count(b"\n") + 1


@lru_cache(maxsize=1024)
def line_index(file: InputFile) -> LineIndex:
    """The index of a file, shared by all lanes of a process so that each stripe is counted once."""
    return LineIndex(file.path)
