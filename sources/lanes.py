"""Lanes: the fixed number of partitions in which all files of a directory are read.

Files may come and go; lanes stay, so saved positions and the engine's partitions do too. Lane
(s + crc32(name)) modulo LANES reads stripe s of a plain file; lane crc32(name) modulo LANES reads all of a
compressed one.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec

from canonical.envelope import Moment
from canonical.errors import Terminal
from canonical.policy import Time
from sources.compressed import CompressedFile
from sources.decode import Decoded, Decoder
from sources.files import STRIPE, InputFile, line_index
from sources.judge import EARLIEST, shifted
from sources.stripes import StripedFile

LANES = 8
IDLE_BLOCKS = 16
"""Stripes without a line (inside a huge one) passed over in one call."""

_TIME = re.compile(rb'"time"\s*:\s*("[^"\\]{1,64}")')
_MOMENT: msgspec.json.Decoder[datetime] = msgspec.json.Decoder(Moment)

Reader = StripedFile | CompressedFile


class FileLane:
    """One lane of a directory, reading its files so that the furthest behind in event time comes first.

    Each file is an input partition with a `Decoder` of its own. `resume` is what `position` gave; a file it
    does not know is read from its start, one that has shrunk, or vanished before its end, raises Terminal.
    """

    def __init__(
        self, directory: Path, files: Iterable[InputFile], lane: int, time: Time, resume: Any = None
    ) -> None:
        saved: dict[str, Any] = {} if resume is None else _checked(resume, lane)
        self._time = time
        self._watermark: datetime | None = None
        self._readers: dict[str, Reader] = {}
        self._decoders: dict[str, Decoder] = {}
        self._behind: list[tuple[datetime, str]] | None = None
        for file in files:
            at = saved.get("files", {}).get(file.name)
            if (reader := _reader(file, lane, at and at["at"])) is not None:
                self._readers[file.name] = reader
                if at and at["decoder"] is not None:
                    self._decoder(file).restore(at["decoder"])
        self._gone = {name: at for name, at in saved.get("files", {}).items() if name not in self._readers}
        missing = sorted(name for name, at in self._gone.items() if not at["ended"])
        if missing:
            words = "put it back, or start with a new state directory"
            raise Terminal(f"{directory / missing[0]} was not read to its end and has vanished; {words}")
        if saved.get("watermark"):
            self._watermark = datetime.fromisoformat(saved["watermark"])

    @property
    def ended(self) -> bool:
        """Whether every file has been read to its end."""
        return all(reader.ended for reader in self._readers.values())

    @property
    def watermark(self) -> datetime | None:
        """The least time among unfinished files less allowed lateness; never falls. None while unknown."""
        return self._watermark

    @property
    def greatest(self) -> datetime | None:
        """The greatest event time accepted in this lane."""
        times = [decoder.greatest for decoder in self._decoders.values() if decoder.greatest is not None]
        return max(times, default=None)

    @property
    def bytes_read(self) -> int:
        return sum(reader.bytes_read for reader in self._readers.values())

    @property
    def bytes_total(self) -> int:
        """Bytes as stored of what this lane reads, compressed where the file is."""
        return sum(reader.bytes_total for reader in self._readers.values())

    def read(self, now: datetime) -> list[Decoded]:
        """The next block, decoded, maybe without a line. [] when every file has been read to its end."""
        if self._behind is None:
            self._behind = self._line_up(now)
        read: list[Decoded] = []
        while self._behind and len(read) < IDLE_BLOCKS:
            name = self._behind[0][1]
            reader = self._readers[name]
            span = reader.span if isinstance(reader, StripedFile) else None
            decoded = self._decoder(reader.file).decode(reader.next_block(), now)
            if span is not None:
                decoded.file, (decoded.first, decoded.last) = name, span
            read.append(decoded)
            if reader.ended:
                heapq.heappop(self._behind)
            else:
                heapq.heapreplace(self._behind, (decoded.greatest or EARLIEST, name))
            self._advance()
            if decoded.read or span is None:
                break
        return read

    def position(self) -> dict[str, Any]:
        """Where to go on from, and all that decoding remembers, as plain builtins."""
        files = dict(self._gone)
        for name, reader in self._readers.items():
            decoder = self._decoders.get(name)
            state = None if decoder is None else decoder.snapshot()
            files[name] = {"at": reader.position(), "ended": reader.ended, "decoder": state}
        watermark = None if self._watermark is None else self._watermark.isoformat()
        return {"stripe": STRIPE, "lanes": LANES, "watermark": watermark, "files": files}

    def _decoder(self, file: InputFile) -> Decoder:
        decoder = self._decoders.get(file.name)
        if decoder is None:
            line_at = line_index(file).number_at if file.packing == "plain" else None
            decoder = self._decoders[file.name] = Decoder(self._time, line_at)
        return decoder

    def _line_up(self, now: datetime) -> list[tuple[datetime, str]]:
        """The unfinished files as a heap, by the time each stands at: accepted, else its first line's."""
        latest = shifted(now, self._time.max_future)
        behind = []
        for name, reader in self._readers.items():
            if not reader.ended:
                decoder = self._decoders.get(name)
                accepted = None if decoder is None else decoder.greatest
                behind.append((accepted or _peeked(reader, latest), name))
        heapq.heapify(behind)
        return behind

    def _advance(self) -> None:
        """Moves the watermark to the file furthest behind, unless nothing is known of that one."""
        if self._behind and self._behind[0][0] > EARLIEST:
            reached = shifted(self._behind[0][0], -self._time.allowed_lateness)
            self._watermark = reached if self._watermark is None else max(self._watermark, reached)


def _reader(file: InputFile, lane: int, position: dict[str, Any] | None) -> Reader | None:
    """The lane's reader of a file, or None if no part of it is this lane's."""
    if file.packing == "plain":
        striped = StripedFile(file, lane, LANES, position)
        return striped if striped.bytes_total or position else None
    return CompressedFile(file, position) if crc32(file.name.encode()) % LANES == lane else None


def _peeked(reader: Reader, latest: datetime) -> datetime:
    """The time of the next line, EARLIEST if it cannot be made out or believed: such a file is read first."""
    found = _TIME.search(reader.peek())
    if found is None:
        return EARLIEST
    try:
        moment = _MOMENT.decode(found[1]).astimezone(UTC)
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return EARLIEST
    return moment if moment <= latest else EARLIEST


def _checked(resume: Any, lane: int) -> dict[str, Any]:
    if resume.get("stripe") != STRIPE or resume.get("lanes") != LANES:
        words = "its files were cut differently by another release; start with a new state directory"
        raise Terminal(f"the saved position of lane {lane} cannot be used: {words}")
    return dict(resume)
