"""Where an order stands: its milestones, its state, its lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.oracle.facts import Fact, text_of
from tests.oracle.lines import Line
from tests.oracle.orders import Order

CHAIN = ["placed", "accepted", "allocated", "released", "picked", "packed", "shipped", "delivered"]
STATES = ["refunded", "returned", *reversed(CHAIN)]


def lifecycle_record(order: Order) -> dict[str, Any]:
    milestones = {**chain(order), **beside_chain(order)}
    return {
        "order_id": order.order_id,
        "version": len(order.facts),
        "channel": order.channel,
        "state": state(order, milestones),
        "milestones": {name: text_of(time) for name, time in milestones.items()},
        "lines": [line_record(line, rejected=order.rejection is not None) for line in order.lines],
        "exceptions": [],
    }


def line_record(line: Line, *, rejected: bool) -> dict[str, Any]:
    return {
        "line_id": line.line_id,
        "sku": line.sku,
        "ordered": line.ordered,
        "cancelled": min(line.cancelled, line.ordered),
        "shipped": line.whole(line.shipments),
        "issued": line.whole(line.issues),
        "open": 0 if rejected else line.open_lines(),
    }


def state(order: Order, milestones: dict[str, datetime]) -> str:
    if order.rejection is not None:
        return "rejected"
    if (
        order.document
        and all(line.ordered <= line.cancelled for line in order.lines)
        and not gone(order.lines)
    ):
        return "cancelled"
    return next((name for name in STATES if name in milestones), "unknown")


def first(order: Order, *types: str) -> datetime | None:
    return min((fact.time for fact in order.of(*types)), default=None)


def chain(order: Order) -> dict[str, datetime]:
    """Milestones that imply the earlier ones at their own time; `placed` keeps its own."""
    own = {name: first(order, f"order.{name}") for name in CHAIN}
    own["placed"] = own["placed"] or first(order, "order.changed")
    own["shipped"] = shipped_at(order)
    own["delivered"] = delivered_at(order) if own["shipped"] else None
    told: dict[str, datetime] = {}
    for position, name in enumerate(CHAIN):
        times = [time for later in CHAIN[position:] if (time := own[later]) is not None]
        if name == "placed" and own["placed"] is not None:
            times = [own["placed"]]
        if times:
            told[name] = min(times)
    return told


def beside_chain(order: Order) -> dict[str, datetime]:
    """Milestones that imply nothing."""
    rejection = order.rejection
    invoices = [fact.time for fact in order.of("posting.recorded") if fact.data["kind"] == "invoice"]
    times = {
        "posted": min(invoices, default=None),
        "cancelled": cancelled_at(order),
        "rejected": rejection.time if rejection else None,
        "returned": first(order, "return.received"),
        "refunded": first(order, "refund.issued"),
    }
    return {name: time for name, time in times.items() if time is not None}


def cancelled_at(order: Order) -> datetime | None:
    """When the whole order was cancelled; or, when the lines were one by one, when it was last done."""
    if order.whole_cancellations:
        return order.whole_cancellations[0].time
    cancellations = order.of("order.cancelled")
    known = [line for line in order.lines if not line.stray]
    if cancellations and known and all(line.ordered <= line.cancelled for line in known):
        return cancellations[-1].time
    return None


def gone(lines: list[Line]) -> bool:
    """Whether anything has physically left."""
    return any(units > 0 for line in lines for part in line.parts for units in line.gone(part).values())


def nothing_open(order: Order, shipments: list[Fact], issues: list[Fact]) -> bool:
    """Whether something left and nothing ordered is open any more, had only these shipments and issues been.

    A rejection closes nothing here: what the ERP refused has not been shipped by that.
    """
    lines = order.lines_given(shipments, issues)
    return gone(lines) and all(line.open_lines() == 0 for line in lines)


def shipped_at(order: Order) -> datetime | None:
    """The earliest time by which shipments left nothing open; if they never do, issues count as well."""
    if order.document is None or not nothing_open(order, order.shipments, order.issues):
        return None
    issues = [] if nothing_open(order, order.shipments, []) else order.issues
    for time in sorted(fact.time for fact in [*order.shipments, *issues]):
        sent = [fact for fact in order.shipments if fact.time <= time]
        if nothing_open(order, sent, [fact for fact in issues if fact.time <= time]):
            return time
    return None


def delivered_at(order: Order) -> datetime | None:
    """When the last of its shipments, also of those only heard of, was delivered; None while one is not."""
    heard_of = {fact.data["shipment_id"] for fact in order.facts if fact.stem == "shipments"}
    first_told: dict[str, datetime] = {}
    for fact in order.of("shipment.delivered"):
        first_told.setdefault(fact.data["shipment_id"], fact.time)
    return max(first_told.values(), default=None) if heard_of == first_told.keys() else None
