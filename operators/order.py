"""One order: the set of everything said about it, joined so that order of arrival and repeats do not matter.

Documents and allocations: highest version. Cancellations: highest cumulative quantity. Shipments, issues, returns,
refunds and postings: a set by id. What the order amounts to is derived from this in `standing.py` and `story.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from canonical import events as e
from canonical.lifecycle import MILESTONE_OF

Rank = tuple[int, datetime, str]
"""What decides between two statements of the same thing: version, then time, then source and id."""


class Shipped(Struct, array_like=True, gc=False):
    """One shipment; `lines` are (line_id, sku, units)."""

    at: datetime
    rank: str
    location: str
    lines: list[tuple[str, str, int]]


class Issued(Struct, array_like=True, gc=False):
    """One goods issue for the order. `units` gone from the book are positive, a reversal is negative."""

    ref: int
    at: datetime
    location: str
    status: str
    sku: str
    line_id: str | None
    units: int
    source: str
    sequence: int


class Order(Struct, array_like=True, gc=False):
    """All that is known of one order. Everything is keyed or ranked, nothing is added up blindly."""

    seen: list[int] = field(default_factory=list)
    changes: int = 0
    at: datetime | None = None
    rank: str = ""
    correlationid: str = ""
    last_at: datetime | None = None
    document: Rank | None = None
    channel: str | None = None
    currency: str | None = None
    promised_ship_at: datetime | None = None
    promised_delivery_at: datetime | None = None
    lines: list[tuple[str, str, int, str, str | None]] = field(default_factory=list)
    placed_at: datetime | None = None
    changed_at: datetime | None = None
    allocation: Rank | None = None
    allocated: list[tuple[str, str, int]] = field(default_factory=list)
    cancelled: dict[str, int] = field(default_factory=dict)
    cancelled_whole_at: datetime | None = None
    cancelled_last_at: datetime | None = None
    verdict: tuple[datetime, str, bool] | None = None
    own: dict[str, datetime] = field(default_factory=dict)
    shipments: dict[str, Shipped] = field(default_factory=dict)
    news: dict[str, dict[str, datetime]] = field(default_factory=dict)
    issues: list[Issued] = field(default_factory=list)
    returns: dict[str, list[tuple[datetime, str, str, int]]] = field(default_factory=dict)
    refunds: dict[str, tuple[datetime, str, str]] = field(default_factory=dict)
    postings: dict[str, tuple[datetime, str, str, str | None]] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)

    @property
    def rejected(self) -> bool:
        """The latest word of the ERP is a refusal: the order commits nothing."""
        return self.verdict is not None and not self.verdict[2]

    def name(self, sku: str) -> None:
        """Remember that the order ever spoke of this SKU."""
        if sku not in self.named:
            self.named.append(sku)


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
        order.name(line.sku)
    mine = (stated.version, event.time, rank)
    if order.document is None or mine > order.document:
        order.document = mine
        order.channel = stated.channel
        order.currency = stated.currency
        order.promised_ship_at = stated.promised_ship_at
        order.promised_delivery_at = stated.promised_delivery_at
        order.lines = [(x.line_id, x.sku, x.quantity, x.unit_price, x.location) for x in stated.lines]


def _cancelled(order: Order, event: e.OrderCancelled, rank: str) -> None:
    if order.cancelled_last_at is None or event.time > order.cancelled_last_at:
        order.cancelled_last_at = event.time
    if not event.data.lines:
        if order.cancelled_whole_at is None or event.time < order.cancelled_whole_at:
            order.cancelled_whole_at = event.time
        return
    for line in event.data.lines:
        if line.quantity > order.cancelled.get(line.line_id, -1):
            order.cancelled[line.line_id] = line.quantity


def _verdict(order: Order, event: Any, rank: str) -> None:
    mine = (event.time, rank, type(event) is e.OrderAccepted)
    if order.verdict is None or mine[:2] > order.verdict[:2]:
        order.verdict = mine
    if mine[2]:
        _earliest(order.own, "accepted", event.time)


def _allocated(order: Order, event: e.OrderAllocated, rank: str) -> None:
    _earliest(order.own, "allocated", event.time)
    mine = (event.data.version, event.time, rank)
    if order.allocation is None or mine > order.allocation:
        order.allocation = mine
        order.allocated = [(x.line_id, x.location, x.quantity) for x in event.data.lines]


def _milestone(order: Order, event: Any, rank: str) -> None:
    _earliest(order.own, MILESTONE_OF[type(event)], event.time)


def _shipped(order: Order, event: e.ShipmentShipped, rank: str) -> None:
    stated = event.data
    for line in stated.lines:
        order.name(line.sku)
    known = order.shipments.get(stated.shipment_id)
    if known is None or (event.time, rank) < (known.at, known.rank):
        lines = [(x.line_id, x.sku, x.quantity) for x in stated.lines]
        order.shipments[stated.shipment_id] = Shipped(event.time, rank, stated.location, lines)


def _news(order: Order, event: Any, rank: str) -> None:
    kind = NEWS[type(event)]
    _earliest(order.news.setdefault(event.data.shipment_id, {}), kind, event.time)


def _issued(order: Order, event: e.InventoryMoved, rank: str) -> None:
    move = event.data
    order.name(move.sku)
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
    mine = (event.time, rank, event.data.amount)
    if known is None or mine < known:
        order.refunds[event.data.refund_id] = mine


def _posted(order: Order, event: e.PostingRecorded, rank: str) -> None:
    stated = event.data
    if stated.kind == "invoice":
        _earliest(order.own, "posted", event.time)
    known = order.postings.get(stated.posting_id)
    if known is None or (event.time, rank) < known[:2]:
        order.postings[stated.posting_id] = (event.time, rank, stated.kind, stated.amount)


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
