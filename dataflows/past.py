"""What a finished run left behind in its output directory, and the plan to look at it again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from canonical.errors import Terminal
from dataflows.availability import Plan
from dataflows.settings import load


def plan_of(output: Path, moved: Path | None = None) -> Plan:
    """The plan of the run that wrote `output`; `moved`: where its input is now. Raises Terminal with words."""
    note = output / "meta" / "run.json"
    if not note.is_file():
        raise Terminal(
            f"{output}: no run was written here (no {note}); name the --output of a `sellable run`"
        )
    said = json.loads(note.read_text(encoding="utf-8"))
    source = moved or Path(said["input"])
    if not source.is_dir():
        raise Terminal(f"{source}: the input of this run is gone; say where it is with --input DIR")
    config = said["config"] and Path(said["config"])
    as_of = said["as_of"] and datetime.fromisoformat(said["as_of"])
    return Plan(source, output, load(config or None), as_of or None)


def records(output: Path, stem: str, key: str, value: str) -> Iterator[dict[str, Any]]:
    """The records of one key in the order they were told. Lines without the value are not even parsed."""
    path = output / f"{stem}.ndjson"
    if not path.is_file():
        return
    needle = json.dumps(value, ensure_ascii=False).encode()
    with path.open("rb") as lines:
        for line in lines:
            if needle in line:
                record = json.loads(line)
                if record.get(key) == value:
                    yield record


def exceptions(output: Path, field: str, value: str) -> list[dict[str, Any]]:
    """The latest record of every exception whose `field` is `value`, oldest first."""
    latest = {record["exception_id"]: record for record in records(output, "exceptions", field, value)}
    return sorted(latest.values(), key=lambda record: (record["opened_at"], record["exception_id"]))


def last(output: Path, stem: str, key: str, value: str) -> dict[str, Any] | None:
    """The latest record of the highest version of one key."""
    best: dict[str, Any] | None = None
    for record in records(output, stem, key, value):
        if best is None or record["version"] >= best["version"]:
            best = record
    return best
