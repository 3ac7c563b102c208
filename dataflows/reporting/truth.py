"""What was found against what really was: precision and recall per code, from the simulator's truth.ndjson.

A fault of the truth names the code it must raise, the ids it concerns, and codes it may raise beside that, which count
neither for nor against. An exception is right if a fault of its code agrees with it in every id both have.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from canonical.errors import Terminal
from canonical.outputs import ExceptionRecord
from dataflows.reporting.past_exceptions import Told

Fault = dict[str, Any]
IDS = ("order_id", "sku", "location", "channel", "shipment_id")
IDS_SET = frozenset(IDS)
CODES = frozenset(
    (
        "order_stalled",
        "order_rejected",
        "oversold",
        "shipped_after_cancel",
        "overshipped",
        "wrong_item_shipped",
        "orphan_shipment",
        "issue_not_posted",
        "issue_without_shipment",
        "shipment_exception",
        "negative_on_hand",
        "count_variance",
        "erp_out_of_sync",
        "posting_missing",
        "posting_mismatch",
        "refund_overdue",
        "refund_without_return",
        "listing_out_of_sync",
        "listing_rejected",
        "channel_behind",
        "unknown_sku",
        "source_stale",
        "sequence_gap",
        "schema_drift",
    )
)
"""Faults with another code are dead letters, which are not judged here."""


class Score(Struct):
    """Of one code: exceptions that are right, wrong or excused, and faults not found (`missed`, told by their ids).

    `mistimed`: right, but opened or cleared at another instant than the fault says.
    """

    code: str
    faults: int = 0
    right: int = 0
    wrong: int = 0
    excused: int = 0
    mistimed: int = 0
    missed: list[str] = []
    false: list[str] = []

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return 1 - len(self.missed) / self.faults if self.faults else 1.0


def faults(path: Path) -> list[Fault]:
    """The faults of a truth file. Raises Terminal with words if there is no such file."""
    if not path.is_file():
        raise Terminal(f"--truth {path}: there is no such file; `sellable simulate` writes truth.ndjson")
    with path.open(encoding="utf-8") as lines:
        return [fault for line in lines if (fault := json.loads(line))["kind"] == "fault"]


def scores(exceptions: Iterable[Told], injected: list[Fault]) -> list[Score]:
    """Precision and recall per code, for every code that was injected or told."""
    expected = Index(fault for fault in injected if fault["code"] in CODES)
    allowed = Index({**fault, "code": code} for fault in injected for code in fault.get("may") or ())
    anywhere = {code for fault in injected if not IDS_SET & fault.keys() for code in fault.get("may") or ()}
    found: dict[str, Score] = {}
    seen: set[int] = set()
    for one in exceptions:
        record = one.record
        score = found.setdefault(record.code, Score(record.code))
        mine = expected.matching(record)
        seen.update(map(id, mine))
        if mine:
            score.right += 1
            score.mistimed += not any(_timed(record, fault) for fault in mine)
        elif allowed.matching(record) or (one.taken_back and record.code in anywhere):
            score.excused += 1
        else:
            score.wrong += 1
            score.false.append(record.exception_id)
    for fault in expected.faults:
        score = found.setdefault(fault["code"], Score(fault["code"]))
        score.faults += 1
        if id(fault) not in seen:
            score.missed.append(_name(fault))
    return sorted(found.values(), key=lambda score: score.code)


class Index:
    """Faults by code and by the first id they name, so that each exception meets few of them."""

    def __init__(self, injected: Iterable[Fault]) -> None:
        self.faults = list(injected)
        self._by: dict[tuple[str, str], list[Fault]] = {}
        for fault in self.faults:
            name = next((fault[key] for key in (*IDS, "source") if key in fault), "")
            self._by.setdefault((fault["code"], name), []).append(fault)

    def matching(self, record: ExceptionRecord) -> list[Fault]:
        """The faults that this exception is of."""
        names = {getattr(record, key) for key in IDS} | {_source(record), ""}
        near = [
            fault for name in names if name is not None for fault in self._by.get((record.code, name), ())
        ]
        return [fault for fault in near if agrees(record, fault)]


def agrees(record: ExceptionRecord, fault: Fault) -> bool:
    """Whether an exception and a fault say the same of every id that both name."""
    for key in IDS:
        mine, said = (
            getattr(record, key),
            fault.get("shipped_sku" if key == "sku" and "shipped_sku" in fault else key),
        )
        if mine is not None and said is not None and mine != said:
            return False
    parts = subject(record).split("|")
    if "milestone" in fault and record.code == "order_stalled" and fault["milestone"] not in parts:
        return False
    if "sequence" in fault and not _covers(parts[-1], int(fault["sequence"])):
        return False
    if "field" in fault and fault["field"] != parts[-1].rpartition(".")[2]:
        return False
    return not _is_of_source(record) or parts[0] == fault.get("source", parts[0])


def _timed(record: ExceptionRecord, fault: Fault) -> bool:
    """Whether it opened, and cleared if it did, when the fault began and ended."""
    ended = fault.get("cleared_at")
    cleared = None if ended is None else datetime.fromisoformat(ended)
    return record.opened_at == datetime.fromisoformat(fault["at"]) and record.cleared_at == cleared


def subject(record: ExceptionRecord) -> str:
    """The subject in an exception's id, which is code:subject:ordinal."""
    return record.exception_id.partition(":")[2].rpartition(":")[0]


def _is_of_source(record: ExceptionRecord) -> bool:
    return record.code in {"source_stale", "sequence_gap", "schema_drift"}


def _source(record: ExceptionRecord) -> str | None:
    return subject(record).split("|")[0] if _is_of_source(record) else None


def _covers(numbers: str, number: int) -> bool:
    first, _, last = numbers.partition("-")
    return first.isdigit() and last.isdigit() and int(first) <= number <= int(last)


def _name(fault: Fault) -> str:
    ids = {key: value for key, value in fault.items() if key not in {"kind", "fault", "code", "may"}}
    return " ".join(f"{key}={value}" for key, value in ids.items())


def late(exceptions: Iterable[Told], lateness_seconds: float) -> Counter[str]:
    """Code → exceptions that were told later than the allowed lateness after they became true, in event time."""
    behind: Counter[str] = Counter()
    for one in exceptions:
        opened: datetime = one.record.opened_at
        if (one.told_at - opened).total_seconds() > lateness_seconds:
            behind[one.record.code] += 1
    return behind
