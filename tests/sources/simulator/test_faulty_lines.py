"""The lines of a faulty day are what its truth says: refusals, repeats, disorder, and the stock they imply."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

from canonical.policy import Time
from sources.decode import Block, Decoder
from tests.sources.simulator.reading import STEMS, Day, Record, at

Cell = tuple[str, str, str]


def broken(day: Day) -> dict[tuple[str, int], str]:
    """(stem, number of the line) -> the code it must be refused with."""
    return {(r["stem"], r["line"]): r["code"] for r in day.truth("fault") if r["code"] and "line" in r}


def good(day: Day, stem: str) -> list[Record]:
    """Every line that is an event, in the order of arrival."""
    bad = broken(day)
    return [json.loads(line) for n, line in enumerate(day.lines(stem), 1) if (stem, n) not in bad]


def unique(day: Day, stem: str) -> list[Record]:
    """The first arrival of every event."""
    found: dict[tuple[str, str], Record] = {}
    for event in good(day, stem):
        found.setdefault((event["source"], event["id"]), event)
    return list(found.values())


def test_exactly_the_broken_lines_are_refused_each_with_its_code(faulty: Day) -> None:
    now, bad = at(faulty.summary.as_of), broken(faulty)
    refused: dict[tuple[str, int], str] = {}
    for stem in STEMS:
        decoder = Decoder(Time())
        for number, line in enumerate(faulty.lines(stem), 1):
            for letter in decoder.decode(Block(stem, line, line=number), now).letters:
                refused[stem, number] = letter.code
    assert refused == bad
    assert len(set(bad.values())) == 13


def test_repeats_follow_their_original_and_only_altered_ones_differ(faulty: Day) -> None:
    told = [record for record in faulty.truth("fault") if record["fault"].endswith("duplicates")]
    altered = 0
    for stem in STEMS:
        lines = faulty.lines(stem)
        first = {(event["source"], event["id"]): event for event in unique(faulty, stem)}
        for record in [record for record in told if record["stem"] == stem]:
            repeat = json.loads(lines[record["line"] - 1])
            same = repeat == first[record["source"], record["event_id"]]
            assert same == (record["fault"] == "duplicates")
            altered += not same
        assert len(good(faulty, stem)) - len(first) == len([r for r in told if r["stem"] == stem])
    assert altered > 50


def test_all_but_late_and_held_back_events_come_within_the_allowed_lateness(faulty: Day) -> None:
    told = faulty.truth("fault")
    tardy = {(record["source"], record["event_id"]) for record in told if record["fault"] == "late"}
    found = {record.get("sequence") for record in told if record["fault"] == "sequence_gap"}
    disorder = timedelta(0)
    for stem in STEMS:
        greatest = datetime.min.replace(tzinfo=at(faulty.summary.as_of).tzinfo)
        for event in unique(faulty, stem):
            late = (event["source"], event["id"]) in tardy or event.get("sequence") in found
            if not late and event["source"] != "/erp/main":
                disorder = max(disorder, greatest - at(event["time"]))
            greatest = max(greatest, at(event["time"]))
    assert timedelta(minutes=4) < disorder <= timedelta(minutes=10)


def implied(day: Day) -> Counter[Cell]:
    """The stock as the events imply it: the newest count by its cut, and the movements after it."""
    kits = day.kits()
    counts: dict[Cell, tuple[str, int, int]] = {}
    steps: list[tuple[Cell, str, int, int]] = []
    for event in unique(day, "inventory"):
        data, number = event["data"], int(event.get("sequence", -1))
        place, status = data["location"], data.get("status", "sellable")
        if event["type"] == "inventory.counted":
            cell = (data["sku"], place, status)
            counts[cell] = max(
                counts.get(cell, ("", 0, 0)), (data["as_of"], data["through_sequence"], data["quantity"])
            )
        elif event["type"] == "inventory.moved":
            for sku, each in kits.get(data["sku"], [(data["sku"], 1)]):
                steps.append(((sku, place, status), event["time"], number, each * data["quantity"]))
        elif event["type"] == "inventory.status_changed":
            steps.append(
                ((data["sku"], place, data["from_status"]), event["time"], number, -data["quantity"])
            )
            steps.append(((data["sku"], place, data["to_status"]), event["time"], number, data["quantity"]))
    book = Counter({cell: quantity for cell, (_, _, quantity) in counts.items()})
    for cell, _, number, units in steps:
        if number > counts.get(cell, ("", -1, 0))[1]:
            book[cell] += units
    return book


def test_the_final_stock_is_what_the_events_imply(faulty: Day) -> None:
    stated = {(r["sku"], r["location"], r["status"]): r["on_hand"] for r in faulty.truth("stock")}
    assert {cell: units for cell, units in implied(faulty).items() if units} == {
        cell: units for cell, units in stated.items() if units
    }


def test_where_the_evidence_is_wrong_the_truth_says_so(faulty: Day) -> None:
    wrong = {(r["sku"], r["location"]) for r in faulty.truth("stock") if "true_on_hand" in r}
    codes = {"count_variance", "issue_not_posted"}
    causes = [
        r for r in faulty.truth("fault") if r["code"] in codes or r["fault"] in {"lost", "stall_goods_issue"}
    ]
    assert wrong
    assert wrong <= {(r.get("sku"), r.get("location")) for r in causes}
