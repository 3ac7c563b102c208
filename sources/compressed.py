"""Compressed files, read from start to end by one lane, a piece at a time, whatever breaks inside them.

All offsets are of the bytes inside. Several members or frames may follow one another.
"""

from __future__ import annotations

import zlib
from typing import Any, Protocol

import zstandard

from canonical.envelope import MAX_LINE_BYTES
from canonical.errors import Terminal
from sources.block import Block, Fault
from sources.files import STRIPE, InputFile
from sources.letters import HEAD_BYTES
from sources.stripes import BOM, PIECE, SHRUNK, overlong

STORED_PIECE = 1024
"""Compressed bytes taken at a time. As 4 bytes of zstd can hold 128 KiB, at most 32 MiB come out at once."""
SKIPPED = 4 << 20
"""Bytes inside skipped per call on resuming, so that no call takes long."""


DAMAGE = (zlib.error, zstandard.ZstdError)


class _Stream(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Unpacked:
    """The bytes inside a compressed file, in order. Between calls no file is open.

    `ended` becomes true when all has been read that can be; `broken` then says why that is not the whole, or
    is empty. `stored_read` counts compressed bytes.
    """

    def __init__(self, file: InputFile) -> None:
        self.stored_read = 0
        self.ended = False
        self.broken = ""
        self._file = file
        self._stream: _Stream | None = None
        self._member = 0
        self._waiting = b""

    def read(self, wanted: int) -> bytes:
        """About `wanted` bytes or more, fewer only at the end."""
        pieces = []
        size = 0
        with self._file.path.open("rb") as stored:
            stored.seek(self.stored_read)
            while size < wanted and not self.ended:
                if not self._waiting:
                    self._waiting = stored.read(STORED_PIECE)
                    self.stored_read += len(self._waiting)
                    self._stop_at_end()
                pieces.append(self._piece())
                size += len(pieces[-1])
        return b"".join(pieces)

    def _stop_at_end(self) -> None:
        if not self._waiting:
            self.ended = True
            if self._stream is not None:
                self.broken = f"the {self._file.packing} data ends in the middle"

    def _piece(self) -> bytes:
        """What the waiting bytes hold."""
        if self._stream is None and self._file.packing == "gz":
            self._waiting = self._waiting.lstrip(b"\0")  # padding after a member
        if not self._waiting:
            return b""
        if self._stream is None:
            self._stream = _opened(self._file)
            self._member = self.stored_read - len(self._waiting)
        stream = self._stream
        try:
            piece = stream.decompress(self._waiting)
        except DAMAGE as error:
            self.ended = True
            self.broken = f"the {self._file.packing} data is damaged: {error}"
            return self._before_damage()
        self._stream, self._waiting = (None, stream.unused_data) if stream.eof else (stream, b"")
        return piece

    def _before_damage(self) -> bytes:
        """What the waiting bytes hold before the damage: a decompressor that fails keeps that to itself.

        So this member is unpacked once more, and the last bytes one by one.
        """
        stream = _opened(self._file)
        sound = self.stored_read - len(self._waiting)
        with self._file.path.open("rb") as stored:
            stored.seek(self._member)
            while (left := sound - stored.tell()) > 0:
                stream.decompress(stored.read(min(STORED_PIECE, left)))
        pieces: list[bytes] = []
        try:
            pieces.extend(stream.decompress(bytes((byte,))) for byte in self._waiting)
        except DAMAGE:
            return b"".join(pieces)
        return b"".join(pieces)


def _opened(file: InputFile) -> _Stream:
    if file.packing == "gz":
        return zlib.decompressobj(wbits=31)
    return zstandard.ZstdDecompressor().decompressobj()


class CompressedFile:
    """A compressed file as blocks of whole lines. Where it breaks, one fault holds what is left, and it ends.

    Resuming unpacks again from the start and skips, some milliseconds' worth per call.
    """

    def __init__(self, file: InputFile, position: dict[str, Any] | None = None) -> None:
        self.file = file
        self.ended = file.size == 0
        self.bytes_total = file.size
        self._unpacked = Unpacked(file)
        self._buffer = b""
        self._offset = 0
        self._line = 1
        self._skip = 0
        if position is not None:
            self._take_up(position)

    @property
    def bytes_read(self) -> int:
        return self.bytes_total if self.ended else min(self._unpacked.stored_read, self.bytes_total)

    def position(self) -> dict[str, Any]:
        """Where to go on from, as plain builtins: an offset inside, its line number, the size as stored."""
        offset = max(self._offset, self._skip)  # while skipping, where it will go on
        return {"offset": offset, "line": self._line, "size": self.file.size, "ended": self.ended}

    def next_block(self) -> Block:
        """The next lines, about a stripe of them; none while skipping to where an earlier run stopped."""
        if self._offset < self._skip:
            self._skip_some()
        if self._offset < self._skip:
            return self._block(b"")
        self._fill(STRIPE)
        while b"\n" not in self._buffer and not self._unpacked.ended:
            if len(self._buffer) > MAX_LINE_BYTES:
                return self._huge()
            self._fill(len(self._buffer) + STRIPE)
        whole = self._buffer.rfind(b"\n") + 1
        if self._unpacked.ended:
            self.ended = True
            if self._unpacked.broken:
                return self._last(whole)
            whole = len(self._buffer)
        return self._block(self._taken(whole))

    def peek(self) -> bytes:
        """The first bytes of the next line, enough to see its time; b"" while skipping."""
        if self._offset < self._skip:
            return b""
        self._fill(PIECE)
        return self._buffer[:PIECE]

    def _take_up(self, position: dict[str, Any]) -> None:
        if (before := position["size"]) > self.file.size:
            raise Terminal(f"{self.file.path} had {before} bytes and has {self.file.size}: {SHRUNK}")
        self._line = position["line"]
        self._skip = position["offset"]
        if position["ended"] and self.file.size == position["size"]:
            self._offset = self._skip
            self.ended = True

    def _skip_some(self) -> None:
        data = self._unpacked.read(min(SKIPPED, self._skip - self._offset))
        self._offset += len(data)
        if self._offset >= self._skip:
            self._buffer = data[len(data) - (self._offset - self._skip) :]
            self._offset = self._skip
        elif self._unpacked.ended:
            raise Terminal(f"{self.file.path} held {self._skip} bytes and holds {self._offset}: {SHRUNK}")

    def _fill(self, wanted: int) -> None:
        if len(self._buffer) < wanted and not self._unpacked.ended:
            self._buffer += self._unpacked.read(wanted - len(self._buffer))

    def _taken(self, size: int) -> bytes:
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _block(self, data: bytes, fault: Fault | None = None) -> Block:
        offset, line = self._offset, self._line
        self._offset += len(data)
        self._line += data.count(b"\n")
        if offset == 0 and data.startswith(BOM):
            offset, data = len(BOM), data[len(BOM) :]
        return Block(self.file.stem, data, file=self.file.name, offset=offset, line=line, fault=fault)

    def _last(self, whole: int) -> Block:
        """What could be read before the break, and the break."""
        lines = self._taken(whole)
        left = self._buffer
        fault = Fault("corrupt_file", self._unpacked.broken, left, len(left), self._offset + whole)
        return self._block(lines, fault)

    def _huge(self) -> Block:
        """A line over the limit, read to its end without being kept."""
        head, size = self._buffer[:HEAD_BYTES], len(self._buffer)
        newline = -1
        while newline < 0 and not self._unpacked.ended:
            self._buffer = self._unpacked.read(STRIPE)
            newline = self._buffer.find(b"\n")
            size += len(self._buffer) if newline < 0 else newline
        self._buffer = b"" if newline < 0 else self._buffer[newline + 1 :]
        self.ended = newline < 0
        fault = overlong(head, size, self._offset)
        if self.ended and self._unpacked.broken:
            fault = Fault("corrupt_file", self._unpacked.broken, head, size, self._offset)
        block = self._block(b"", fault)
        if fault.code == "too_large":
            self._offset += size + (newline >= 0)
            self._line += 1
        return block
