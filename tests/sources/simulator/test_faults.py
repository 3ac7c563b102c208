"""Each fault happens when it is asked for and only then, and the truth tells it."""

from __future__ import annotations

from pathlib import Path

import pytest

from canonical.errors import REFUSALS
from sources.simulator import FAULTS, Scenario
from tests.sources.simulator.reading import STEMS, Day, make

EXCEPTIONS = {
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
    "count_variance",
    "erp_out_of_sync",
    "posting_missing",
    "posting_mismatch",
    "refund_overdue",
    "refund_without_return",
    "listing_out_of_sync",
    "listing_rejected",
    "unknown_sku",
    "source_stale",
    "sequence_gap",
    "schema_drift",
}
"""Every exception but two: no fault brings a book below zero, and only our own feed can fall behind."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_alone_happens_alone(fault: str, tmp_path: Path) -> None:
    day = make(tmp_path, orders=900, skus=200, seed=3, faults=fault)
    assert {record["fault"] for record in day.truth("fault")} == {fault}
    assert day.summary.faults == {fault: len(day.truth("fault"))}


def test_a_clean_day_tells_of_no_fault(clean: Day) -> None:
    assert clean.truth("fault") == []


def test_every_fault_of_orders_is_there_cured_and_uncured(faulty: Day) -> None:
    found = {(r["fault"], "cleared_at" in r) for r in faulty.truth("fault") if r["code"] is not None}
    both = {"rejected", "listing_drift", "listing_rejected", "unknown_sku", "oversell", "erp_drift"}
    both |= {name for name in FAULTS if name.startswith("stall_")} - {
        "stall_delivered",
        "stall_refunded",
        "stall_shipment_confirmed",
    }
    assert {(name, cured) for name in both for cured in (True, False)} <= found


def test_every_exception_and_every_refusal_of_an_event_is_brought_about(faulty: Day) -> None:
    codes = {record["code"] for record in faulty.truth("fault")} - {None}
    assert codes == EXCEPTIONS | REFUSALS.keys() - {"late_event", "corrupt_file"}


def test_the_counts_of_the_truth_are_those_of_the_files(faulty: Day) -> None:
    run = faulty.truth("run")[0]
    for stem in STEMS:
        counts = run["counts"][stem]
        assert counts["lines"] == len(faulty.lines(stem)) == faulty.summary.lines[stem]
        told = [record for record in faulty.truth("fault") if record.get("stem") == stem]
        assert counts["duplicates"] == sum(record["fault"].endswith("duplicates") for record in told)
        assert sum(counts["malformed"].values()) == sum(record["code"] in REFUSALS for record in told)


def test_no_line_is_blank(faulty: Day) -> None:
    assert not [stem for stem in STEMS if any(not line.strip() for line in faulty.lines(stem))]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"faults": "typo"}, "unknown fault 'typo'"),
        ({"orders": 0}, "orders must be at least 1"),
        ({"skus": 3}, "skus must be at least 20"),
        ({"channels": ("a", "a")}, "different names"),
        ({"fault_rate": 0.5}, "fault_rate must be"),
    ],
)
def test_an_impossible_scenario_is_refused_with_words(parameters: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Scenario(**parameters)  # type: ignore[arg-type]  # wrong on purpose
