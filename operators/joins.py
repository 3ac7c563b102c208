"""How each type of event joins its order: commutative, and over distinct events idempotent (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from canonical import events as e
from canonical.lifecycle import MILESTONE_OF
from operators.order import Document, Issued, Order, Posting, Refund, Shipped


def document_of(order: Order) -> Document:
    """The document in force, of an order that has one."""
    assert order.document is not None
    return Document(
        order.document,
        order.channel or "",
        order.currency or "",
        order.promised_ship_at,
        order.promised_delivery_at,
        order.lines,
        order.case,
    )


def put(order: Order, document: Document) -> None:
    """Let this document be the one in force."""
    order.document = document.rank
    order.channel = document.channel
    order.currency = document.currency
    order.promised_ship_at = document.promised_ship_at
    order.promised_delivery_at = document.promised_delivery_at
    order.lines = document.lines
    order.case = document.case


def _earliest(times: dict[str, datetime], name: str, at: datetime) -> None:
    known = times.get(name)
    if known is None or at < known:
        times[name] = at


def _document(order: Order, event: Any, rank: str) -> None:
    stated: e.OrderDocument = event.data
    if type(event) is e.OrderPlaced:
        if order.placed_at is None or event.time < order.placed_at:
            order.placed_at = event.time
    elif order.changed_at is None or event.time < order.changed_at:
        order.changed_at = event.time
    for line in stated.lines:
        order.name(line.sku, event.time, rank)
    lines = [(x.line_id, x.sku, x.quantity, x.unit_price, x.location) for x in stated.lines]
    mine = Document(
        (stated.version, event.time, rank),
        stated.channel,
        stated.currency,
        stated.promised_ship_at,
        stated.promised_delivery_at,
        lines,
        event.correlationid,
    )
    if order.document is not None:
        before = document_of(order)
        order.superseded.append(min(mine, before, key=lambda document: document.rank))
        mine = max(mine, before, key=lambda document: document.rank)
    put(order, mine)


def _cancelled(order: Order, event: e.OrderCancelled, rank: str) -> None:
    if order.cancelled_last_at is None or event.time > order.cancelled_last_at:
        order.cancelled_last_at = event.time
    lines = {line.line_id: line.quantity for line in sorted(event.data.lines or (), key=lambda x: x.quantity)}
    order.cancellations.append((event.time, rank, lines or None))
    if not lines:
        if order.cancelled_whole_at is None or event.time < order.cancelled_whole_at:
            order.cancelled_whole_at = event.time
        return
    for line_id, quantity in lines.items():
        if quantity > order.cancelled.get(line_id, -1):
            order.cancelled[line_id] = quantity


def _verdict(order: Order, event: Any, rank: str) -> None:
    accepted = type(event) is e.OrderAccepted
    mine = (event.time, rank, accepted, "" if accepted else event.data.reason)
    if order.verdict is not None:
        order.overruled.append(min(mine, order.verdict))
        mine = max(mine, order.verdict)
    order.verdict = mine
    if accepted:
        _earliest(order.own, "accepted", event.time)


def _allocated(order: Order, event: e.OrderAllocated, rank: str) -> None:
    _earliest(order.own, "allocated", event.time)
    mine = (event.data.version, event.time, rank)
    stated = [(x.line_id, x.location, x.quantity) for x in event.data.lines]
    if order.allocation is None:
        order.allocation, order.allocated = mine, stated
        return
    known = (order.allocation, order.allocated)
    order.reallocated.append(min(known, (mine, stated)))
    order.allocation, order.allocated = max(known, (mine, stated))


def _milestone(order: Order, event: Any, rank: str) -> None:
    _earliest(order.own, MILESTONE_OF[type(event)], event.time)


def _shipped(order: Order, event: e.ShipmentShipped, rank: str) -> None:
    stated = event.data
    for line in stated.lines:
        order.name(line.sku, event.time, rank)
    known = order.shipments.get(stated.shipment_id)
    if known is None or (event.time, rank) < (known.at, known.rank):
        lines = [(x.line_id, x.sku, x.quantity) for x in stated.lines]
        order.shipments[stated.shipment_id] = Shipped(event.time, rank, stated.location, lines)


def _news(order: Order, event: Any, rank: str) -> None:
    kind = NEWS[type(event)]
    _earliest(order.news.setdefault(event.data.shipment_id, {}), kind, event.time)
    if kind == "exception":
        mine = (event.time, rank, event.data.reason or "")
        known = order.troubles.get(event.data.shipment_id)
        order.troubles[event.data.shipment_id] = mine if known is None else min(mine, known)


def _issued(order: Order, event: e.InventoryMoved, rank: str) -> None:
    move = event.data
    order.name(move.sku, event.time, rank)
    order.issues.append(
        Issued(
            order.seen[-1],
            event.time,
            move.location,
            move.status,
            move.sku,
            move.line_id,
            -move.quantity,
            event.source,
            -1 if event.sequence is None else int(event.sequence),
            event.id,
        )
    )


def _requested(order: Order, event: e.ReturnRequested, rank: str) -> None:
    order.returns.setdefault(event.data.return_id, [])


def _received(order: Order, event: e.ReturnReceived, rank: str) -> None:
    _earliest(order.own, "returned", event.time)
    known = order.returns.get(event.data.return_id)
    if not known or (event.time, rank) < known[0][:2]:
        lines = [(event.time, rank, x.line_id, x.quantity) for x in event.data.lines]
        order.returns[event.data.return_id] = lines


def _refunded(order: Order, event: e.RefundIssued, rank: str) -> None:
    _earliest(order.own, "refunded", event.time)
    known = order.refunds.get(event.data.refund_id)
    if known is None or (event.time, rank) < (known.at, known.rank):
        stated = event.data
        mine = Refund(event.time, rank, stated.amount, stated.currency, stated.return_id)
        order.refunds[stated.refund_id] = mine


def _posted(order: Order, event: e.PostingRecorded, rank: str) -> None:
    stated = event.data
    if stated.kind == "invoice":
        _earliest(order.own, "posted", event.time)
    known = order.postings.get(stated.posting_id)
    if known is None or (event.time, rank) < (known.at, known.rank):
        units = None if stated.lines is None else sum(line.quantity for line in stated.lines)
        order.postings[stated.posting_id] = Posting(
            event.time, rank, stated.kind, stated.amount, stated.currency, units
        )


NEWS: dict[type, str] = {
    e.ShipmentInTransit: "in_transit",
    e.ShipmentOutForDelivery: "out_for_delivery",
    e.ShipmentDelivered: "delivered",
    e.ShipmentException: "exception",
    e.ShipmentReturnedToSender: "returned_to_sender",
    e.ShipmentAcknowledged: "acknowledged",
}

JOINS: dict[type, Callable[[Order, Any, str], None]] = {
    e.OrderPlaced: _document,
    e.OrderChanged: _document,
    e.OrderCancelled: _cancelled,
    e.OrderAccepted: _verdict,
    e.OrderRejected: _verdict,
    e.OrderAllocated: _allocated,
    e.OrderReleased: _milestone,
    e.OrderPicked: _milestone,
    e.OrderPacked: _milestone,
    e.ShipmentShipped: _shipped,
    **dict.fromkeys(NEWS, _news),
    e.InventoryMoved: _issued,
    e.ReturnRequested: _requested,
    e.ReturnReceived: _received,
    e.RefundIssued: _refunded,
    e.PostingRecorded: _posted,
}
"""Event type → how it joins the order. Every join is commutative and idempotent over distinct events."""
