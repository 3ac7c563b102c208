"""On a day without faults everyone is on time, and the ERP's amounts are the order's."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from canonical.policy import Policy, Sla
from tests.sources.simulator.reading import Day, Record, at

Times = dict[str, list[datetime]]


def histories(day: Day) -> dict[str, list[Record]]:
    """order_id -> every event that names it, in time order, of orders that are not cancelled as a whole."""
    found: dict[str, list[Record]] = defaultdict(list)
    for event in sorted(day.events(), key=lambda event: str(event["time"])):
        if "order_id" in event["data"]:
            found[event["data"]["order_id"]].append(event)
    return {
        order_id: events
        for order_id, events in found.items()
        if not any(e["type"] == "order.cancelled" and "lines" not in e["data"] for e in events)
    }


def times(events: list[Record]) -> Times:
    found: Times = defaultdict(list)
    for event in events:
        found[event["data"]["kind"] if event["type"] == "posting.recorded" else event["type"]].append(
            at(event["time"])
        )
    return found


def units(events: list[Record], kind: str) -> int:
    return sum(line["quantity"] for e in events if e["type"] == kind for line in e["data"]["lines"])


def late(day: Day, sla: Sla, events: list[Record]) -> list[str]:
    """The milestones of one order that missed their deadline, and how many were due is `late.due`."""
    told, end = times(events), at(day.summary.as_of)
    document = next(e for e in events if e["type"] == "order.placed")
    start, shipped = at(document["time"]), told["shipment.shipped"]
    allocated = [e for e in events if e["type"] == "order.allocated"]
    whole = bool(allocated) and units(allocated[-1:], "order.allocated") == units(events, "shipment.shipped")
    promised = document["data"].get("promised_delivery_at")
    checks = [
        ("order.accepted", start, sla.accepted),
        ("order.allocated", start, sla.allocated),
        ("order.released", start, sla.released),
        ("order.picked", start, sla.picked),
        ("order.packed", start, sla.packed),
        ("shipment.shipped", start, sla.shipped),
        ("shipment.acknowledged", shipped[0] if shipped else None, sla.acknowledged),
        ("inventory.moved", shipped[0] if shipped else None, sla.goods_issue),
        (
            "shipment.shipped",
            told["inventory.moved"][0] if told["inventory.moved"] else None,
            sla.shipment_confirmed,
        ),
        ("invoice", shipped[-1] if whole else None, sla.posted),
        ("refund.issued", told["return.received"][0] if told["return.received"] else None, sla.refunded),
    ]
    due = [(kind, after + limit) for kind, after, limit in checks if after is not None and limit is not None]
    if promised:
        due.append(("shipment.delivered", at(promised)))
    return [
        kind for kind, deadline in due if deadline < end and not (told[kind] and told[kind][0] <= deadline)
    ]


def test_every_deadline_is_kept_under_both_tables(clean: Day) -> None:
    policy = Policy.model_validate(tomllib.loads((clean.folder / "sellable.toml").read_text()))
    assert policy.channels["walmart"].sla != Sla()
    for order_id, events in histories(clean).items():
        channel = next(e["data"]["channel"] for e in events if e["type"] == "order.placed")
        for sla in (policy.channels[channel].sla, Sla()):
            assert late(clean, sla, events) == [], order_id


def test_the_day_is_long_enough_to_see_every_kind_of_step(clean: Day) -> None:
    kinds = {kind for events in histories(clean).values() for kind in times(events)}
    assert {
        "invoice",
        "payment",
        "credit_memo",
        "refund.issued",
        "shipment.delivered",
        "order.changed",
    } <= kinds


def test_sales_order_and_invoice_state_what_is_left_of_the_order(clean: Day) -> None:
    compared = 0
    for events in histories(clean).values():
        documents = [e["data"] for e in events if e["type"] in {"order.placed", "order.changed"}]
        lines = {
            line["line_id"]: dict(line)
            for line in max(documents, key=lambda d: int(d.get("version", 1)))["lines"]
        }
        gone: dict[str, int] = defaultdict(int)
        for event in events:
            for line in event["data"].get("lines", ()) if event["type"] == "order.cancelled" else ():
                gone[line["line_id"]] = max(gone[line["line_id"]], line["quantity"])
        amount = sum(Decimal(line["unit_price"]) * (line["quantity"] - gone[n]) for n, line in lines.items())
        for event in events:
            if event["data"].get("kind") in {"sales_order", "invoice"}:
                assert Decimal(event["data"]["amount"]) == amount
                assert sum(line["quantity"] for line in event["data"]["lines"]) == sum(
                    line["quantity"] - gone[n] for n, line in lines.items()
                )
                compared += 1
    assert compared > 2000
