"""Plain files, read in stripes that several lanes share.

A file is cut into stripes of STRIPE bytes. Whoever reads a stripe gets the lines that *begin* in it, so that
every line has exactly one reader, wherever it ends.
"""

from __future__ import annotations

from typing import Any, BinaryIO
from zlib import crc32

from msgspec import Struct

from canonical.envelope import MAX_LINE_BYTES
from canonical.errors import Terminal
from sources.block import Block, Fault
from sources.files import STRIPE, InputFile
from sources.letters import HEAD_BYTES
from sources.refusal import too_large

BOM = b"\xef\xbb\xbf"
PIECE = 64 << 10


class StripedFile:
    """One lane's part of a plain file.

    The size is taken once. A file that has grown since its position was saved is read on from where it ended,
    even if that was in the middle of a line: nothing is read twice, nothing is left out.
    """

    def __init__(
        self, file: InputFile, lane: int, lanes: int, position: dict[str, Any] | None = None
    ) -> None:
        self.file = file
        self._lane = (lane - crc32(file.name.encode())) % lanes
        self._lanes = lanes
        self._ends: list[int] = [] if position is None else list(position["ends"])
        if self._ends and file.size < self._ends[-1]:
            raise Terminal(f"{file.path} had {self._ends[-1]} bytes and has {file.size}: {SHRUNK}")
        if file.size not in self._ends:
            self._ends.append(file.size)
        self._next = self._owned(0 if position is None else position["next"])
        self.bytes_total = self._bytes_from(0)
        self.bytes_read = self.bytes_total - self._bytes_from(self._next)

    @property
    def ended(self) -> bool:
        return self._next >= self.file.size

    def position(self) -> dict[str, Any]:
        """Where to go on from, as plain builtins: our next byte, and where the file ended when opened."""
        return {"ends": self._ends, "next": self._next}

    @property
    def span(self) -> tuple[int, int]:
        """Where the next block's lines begin: first byte, and the byte after the last one."""
        cut = self._cut()
        return cut.first, cut.last

    def next_block(self) -> Block:
        """The lines of the next stripe, none if none begins there."""
        cut = self._cut()
        self._next = self._owned(cut.last)
        self.bytes_read += cut.last - cut.first
        return read_cut(self.file, cut)

    def peek(self) -> bytes:
        """The first bytes of the next line, enough to see its time; b"" if none is near."""
        cut = self._cut()
        with self.file.path.open("rb") as stored:
            stored.seek(max(cut.first - 1, 0))
            data = stored.read(PIECE)
        return data if cut.first == cut.start else data[data.find(b"\n") + 1 :]

    def _owned(self, at: int) -> int:
        """The first byte of ours at or after `at`; the file's size if there is none."""
        ahead = (self._lane - at // STRIPE) % self._lanes
        return min(at if not ahead else (at // STRIPE + ahead) * STRIPE, self.file.size)

    def _bytes_from(self, at: int) -> int:
        total = 0
        while (at := self._owned(at)) < self.file.size:
            last = min((at // STRIPE + 1) * STRIPE, self.file.size)
            total += last - at
            at = last
        return total

    def _cut(self) -> Cut:
        at = self._next
        end = next(end for end in self._ends if end > at)
        start = max((before for before in self._ends if before <= at), default=0)
        return Cut(at, min((at // STRIPE + 1) * STRIPE, end), start, end)


SHRUNK = "it was cut or replaced since the state was saved; put it back, or start with a new state directory"


class Cut(Struct, frozen=True):
    """The lines that begin at `first` ≤ byte < `last`, in the part of a file from `start` to `end`.

    A line begins at `start`, and after each newline; no line reaches beyond `end`.
    """

    first: int
    last: int
    start: int
    end: int


def read_cut(file: InputFile, cut: Cut) -> Block:
    """The cut's lines as one block, empty if none begins there. A line over 1 MiB becomes its fault."""
    with file.path.open("rb") as stored:
        begins = cut.first > cut.start
        at = cut.first - 1 if begins else cut.first
        stored.seek(at)
        data = stored.read(min(cut.last, cut.end) - at)
        if begins:  # the byte before tells whether a line begins here
            newline = data.find(b"\n") + 1
            at, data = (at + newline, data[newline:]) if newline else (cut.last, b"")
        block = Block(file.stem, data, file=file.name, offset=at)
        if data and not data.endswith(b"\n"):
            _finish_last_line(block, stored, cut.end - at - len(data))
    if at == 0 and block.data.startswith(BOM):
        block.data, block.offset = block.data[len(BOM) :], len(BOM)
    return block


def _finish_last_line(block: Block, stored: BinaryIO, left: int) -> None:
    """Reads on to the end of the block's last line, `left` bytes at most; a huge line is not kept."""
    begun = block.data.rfind(b"\n") + 1
    pieces = [block.data[begun:]]
    size = len(pieces[0])
    over = b""
    while left > 0:
        piece = stored.read(min(PIECE, left))
        if not piece:
            break
        left -= len(piece)
        newline = piece.find(b"\n")
        part = piece if newline < 0 else piece[:newline]
        size += len(part)
        if size > MAX_LINE_BYTES and not over:
            over = b"".join(pieces)[:HEAD_BYTES]
            pieces = []
        if not over:
            pieces.append(part)
        if newline >= 0:
            pieces.append(b"\n")
            break
    if over or size > MAX_LINE_BYTES:
        block.fault = overlong(over or pieces[0][:HEAD_BYTES], size, block.offset + begun)
        pieces = []
    block.data = block.data[:begun] + b"".join(pieces)


def overlong(head: bytes, size: int, offset: int) -> Fault:
    """The fault of a line of `size` bytes, over the limit, that begins at `offset` with `head`."""
    return Fault("too_large", too_large(size).reason, head, size, offset)
