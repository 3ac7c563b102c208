"""Inputs on disk, and readers of them with stripes and limits small enough to try every case."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import zstandard
from hypothesis import strategies as st

from sources import compressed, decode, files, lanes, letters, refusal, stripes
from sources.block import Block
from sources.compressed import CompressedFile
from sources.files import InputFile, described
from sources.stripes import StripedFile

LINE = st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"x").replace(b"\xef\xbb\xbf", b""))
"""Any bytes a line may hold; byte order marks have a test of their own."""
MODULES = (compressed, decode, files, lanes, letters, refusal, stripes)


@contextmanager
def sizes(**constants: int) -> Iterator[None]:
    """The reading modules with other constants, such as STRIPE=16."""
    with ExitStack() as stack:
        files.line_index.cache_clear()  # it counted in other stripes, maybe of another file at the same place
        stack.callback(files.line_index.cache_clear)
        for module in MODULES:
            for name, value in constants.items():
                if hasattr(module, name):
                    stack.enter_context(patch.object(module, name, value))
        yield


def stored(folder: Path, name: str, data: bytes) -> InputFile:
    """A file with the data, packed as its name says."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(name, data))
    return described(path, folder)


def rewritten(file: InputFile, data: bytes) -> InputFile:
    """The same file holding just these bytes, found anew."""
    file.path.write_bytes(data)
    return described(file.path, Path(str(file.path).removesuffix(file.name)))


def packed(name: str, data: bytes) -> bytes:
    if name.endswith(".gz"):
        return gzip.compress(data, mtime=0)
    return zstandard.compress(data) if name.endswith(".zst") else data


def restarted(reader: StripedFile | CompressedFile, lane: int, lanes: int) -> StripedFile | CompressedFile:
    """A new reader of the same file from the saved position, which has been through JSON."""
    position: dict[str, Any] = json.loads(json.dumps(reader.position()))
    file = described(reader.file.path, Path(str(reader.file.path).removesuffix(reader.file.name)))
    if isinstance(reader, CompressedFile):
        return CompressedFile(file, position)
    return StripedFile(file, lane, lanes, position)


def lines_of(blocks: list[Block], limit: int = 1 << 20) -> list[tuple[int, bytes]]:
    """(byte offset, line) of every line and fault in the blocks in the file's order; what decoding refuses, by size."""
    found: list[tuple[int, bytes]] = []
    for block in blocks:
        at = block.offset
        for line in block.data.removesuffix(b"\n").split(b"\n") if block.data else ():
            found.append((at, line if len(line) <= limit else b"too_large:%d" % len(line)))
            at += len(line) + 1
        if block.fault is not None:
            found.append((block.fault.offset, b"%s:%d" % (block.fault.code.encode(), block.fault.size)))
    return sorted(found)


def lines_in(data: bytes, limit: int = 1 << 20, start: int = 0) -> list[tuple[int, bytes]]:
    """The same for the data of a whole file, read in the plainest way."""
    found, at = [], start
    for line in data.removesuffix(b"\n").split(b"\n") if data else ():
        found.append((at, line if len(line) <= limit else b"too_large:%d" % len(line)))
        at += len(line) + 1
    return found
