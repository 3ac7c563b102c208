"""The exceptions of a finished run, each as it was told last."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec import Struct

from canonical import topics
from canonical.outputs import ExceptionRecord

_decode = msgspec.json.Decoder(ExceptionRecord).decode


class Told(Struct):
    """One exception: its last record, and when it was first told."""

    record: ExceptionRecord
    told_at: datetime

    @property
    def open(self) -> bool:
        return self.record.cleared_at is None

    @property
    def taken_back(self) -> bool:
        """Cleared at the instant it opened: a late event showed that it never was."""
        return self.record.cleared_at == self.record.opened_at

    @property
    def value(self) -> Decimal:
        return Decimal(self.record.value)

    def age(self, now: datetime) -> float:
        """Seconds it was or has been open, at `now`."""
        return ((self.record.cleared_at or now) - self.record.opened_at).total_seconds()


def told(output: Path) -> dict[str, Told]:
    """exception_id → what became of it. A run without exceptions has none."""
    found: dict[str, Told] = {}
    for record in records(output):
        known = found.get(record.exception_id)
        if known is None:
            found[record.exception_id] = Told(record, record.detected_at)
        else:
            known.record = record
    return found


def records(output: Path) -> Iterator[ExceptionRecord]:
    """Every change told, in the order told."""
    path = output / f"{topics.EXCEPTIONS.name}.ndjson"
    if path.is_file():
        with path.open("rb") as lines:
            for line in lines:
                yield _decode(line)
