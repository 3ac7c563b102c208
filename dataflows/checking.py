"""What `sellable check` finds: every fault of a file with its line, every unknown field once, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct, field

from canonical.errors import REFUSALS, Terminal
from canonical.policy import Time
from canonical.topics import STEMS
from sources.compressed import CompressedFile
from sources.decode import Decoded, Decoder
from sources.files import InputFile, Packing, find
from sources.stripes import StripedFile

DRIFT = "schema_drift"
PACKINGS: dict[str, Packing] = {".gz": "gz", ".zst": "zst"}

# Whether an event is late depends on what was read before it in a run, not on the event: never so here.
PATIENT = Time(retention=timedelta(days=10**8))


class Finding(Struct, frozen=True):
    """A fault or a warning at a line (from 1) of a file; `field` is empty where the whole line is meant."""

    file: str
    line: int
    severity: str
    code: str
    field: str
    sentence: str


class Totals(Struct):
    """What all files came to. `faults` and `warnings` count by code; warnings once per line and field."""

    files: int = 0
    lines: int = 0
    events: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)


def inputs(paths: list[Path], stem: str | None) -> list[InputFile]:
    """The files to check; a directory stands for what `run` would read in it. Terminal if nothing is."""
    files: list[InputFile] = []
    for path in paths:
        if path.is_dir():
            files += [file_of(found.path, stem or found.stem) for found in find(path)]
        elif path.is_file():
            files.append(file_of(path, stem or stem_of(path)))
        else:
            raise Terminal(f"{path} is not there")
    return files


def file_of(path: Path, stem: str) -> InputFile:
    """One file as an input, named as the caller named it."""
    name = str(path).encode(errors="backslashreplace").decode()
    return InputFile(name, path, stem, PACKINGS.get(path.suffix, "plain"), path.stat().st_size)


def stem_of(path: Path) -> str:
    """The topic a file's name or its folder's names; "" where neither does, and any type may be in it."""
    names = (path.name.partition(".")[0], path.absolute().parent.name)
    return next((name for name in names if name in STEMS), "")


def check(file: InputFile, now: datetime, totals: Totals) -> Iterator[Finding]:
    """Every finding of one file in the order of its lines, counted into `totals`."""
    totals.files += 1
    seen: set[tuple[str, str, str]] = set()
    for decoded in _decoded(file, now):
        totals.lines += decoded.read
        totals.events += len(decoded.events)
        found = []
        for letter in decoded.letters:
            totals.faults[letter.code] += 1
            sentence = letter.reason or REFUSALS[letter.code]
            found.append(
                Finding(file.name, letter.origin.line or 0, "fault", letter.code, letter.field, sentence)
            )
        for drift in decoded.drift:
            totals.warnings[DRIFT] += 1
            where = (drift.source, drift.type, drift.field)
            if where not in seen:
                seen.add(where)
                sentence = (
                    f"{drift.source} sends it, {drift.type} does not have it; beside it: {drift.sample}"
                )
                found.append(
                    Finding(file.name, drift.origin.line or 0, "warning", DRIFT, drift.field, sentence)
                )
        yield from sorted(found, key=lambda finding: finding.line)


def _decoded(file: InputFile, now: datetime) -> Iterator[Decoded]:
    """The whole file, block by block, each block told its first line."""
    reader = StripedFile(file, 0, 1) if file.packing == "plain" else CompressedFile(file)
    decoder = Decoder(PATIENT, sample_every=1)
    line = 1
    while not reader.ended:
        block = reader.next_block()
        block.line = line
        line += block.data.count(b"\n") + (block.fault is not None)
        yield decoder.decode(block, now)
