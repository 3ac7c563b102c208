"""Which milestones of which orders were missed, found from the events alone, is what the truth tells."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from canonical.lifecycle import CHAIN, imply
from tests.sources.simulator.reading import Day, Record, at
from tests.sources.simulator.test_faulty_lines import unique

LIMITS = {"accepted": 15, "allocated": 30, "released": 120, "picked": 480, "packed": 600, "shipped": 1440}
"""Minutes from placing."""
TYPES = {f"order.{name}": name for name in ("accepted", "allocated", "released", "picked", "packed")}
Missed = set[tuple[str, str, datetime]]


def histories(day: Day) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for stem in ("orders", "shipments", "inventory", "postings"):
        for event in unique(day, stem):
            if "order_id" in event["data"]:
                found[event["data"]["order_id"]].append(event)
    return {key: sorted(events, key=lambda e: str(e["time"])) for key, events in found.items()}


def units_shipped(events: list[Record]) -> datetime | None:
    """When the last unit still wanted had left: by shipments, or else by goods issues where there was none."""
    document = [e["data"] for e in events if e["type"] in {"order.placed", "order.changed"}][-1]
    wanted = sum(line["quantity"] for line in document["lines"])
    cuts: dict[str, int] = {}
    for event in events:
        if event["type"] == "order.cancelled":
            cuts |= {line["line_id"]: line["quantity"] for line in event["data"].get("lines", ())}
    wanted -= sum(cuts.values())
    for kind in ("shipment.shipped", "inventory.moved"):
        gone = 0
        for event in events:
            data = event["data"]
            if event["type"] == kind and (kind == "shipment.shipped" or data["reason"] == "issue"):
                gone += sum(line["quantity"] for line in data.get("lines", ())) or -data.get("quantity", 0)
                if gone >= wanted:
                    return at(event["time"])
        if gone:
            return None
    return None


def missed(events: list[Record], end: datetime, posted_within: timedelta) -> Missed:
    """(order_id, milestone, deadline) of everything overdue in one order's history."""
    document = next(e for e in events if e["type"] == "order.placed")
    start, data = at(document["time"]), document["data"]
    own: dict[str, datetime] = {}
    for event in events:
        if event["type"] in TYPES:
            own.setdefault(TYPES[event["type"]], at(event["time"]))
    shipped = units_shipped(events)
    if shipped is not None:
        own["shipped"] = shipped
    delivered = [at(e["time"]) for e in events if e["type"] == "shipment.delivered"]
    if delivered and len(delivered) == len(
        {e["data"]["shipment_id"] for e in events if "shipment_id" in e["data"]}
    ):
        own["delivered"] = max(delivered)
    reached = imply(own)
    due = {name: start + timedelta(minutes=LIMITS[name]) for name in CHAIN[1:-1]}
    if "promised_ship_at" in data:
        due["shipped"] = min(due["shipped"], at(data["promised_ship_at"]))
    if shipped is not None:
        due["acknowledged"], due["posted"] = shipped + timedelta(hours=2), shipped + posted_within
        due["delivered"] = min(
            shipped + timedelta(days=7), at(data.get("promised_delivery_at", "9999-01-01T00:00Z"))
        )
        first = {e["data"].get("kind", e["type"]): at(e["time"]) for e in reversed(events)}
        names = {"shipment.acknowledged": "acknowledged", "invoice": "posted"}
        reached |= {name: first[kind] for kind, name in names.items() if kind in first}
    stops = [at(e["time"]) for e in events if ends(e, events)]
    return {
        (data["order_id"], name, deadline)
        for name, deadline in due.items()
        if deadline < end and not any(t is not None and t <= deadline for t in (reached.get(name), *stops))
    }


def ends(event: Record, events: list[Record]) -> bool:
    """Whether nothing more is due after this: a cancellation of everything, or a rejection that was the last word."""
    if event["type"] == "order.cancelled":
        return "lines" not in event["data"]
    return event["type"] == "order.rejected" and not any(e["type"] == "order.accepted" for e in events)


def test_the_truth_tells_exactly_the_missed_deadlines(faulty: Day) -> None:
    end = at(faulty.summary.as_of)
    within = timedelta(seconds=faulty.truth("run")[0]["parameters"]["sla_seconds"]["posted"])
    # Altered repeats come after their original in the file, so that first arrivals are the true events here.
    told = {
        (r["order_id"], r.get("milestone"), at(r["at"]))
        for r in faulty.truth("fault")
        if r["code"] in {"order_stalled", "posting_missing"}
    }
    found: Missed = set()
    for events in histories(faulty).values():
        if any(event["type"] == "order.placed" for event in events):
            found |= missed(events, end, within)
    assert found == told
    assert {milestone for _, milestone, _ in found} == {*CHAIN[1:], "acknowledged", "posted"}
