"""Which news of an order call for a look at it, and when. Called for every event, so nothing here may be dear.

Each function is told an order that the event has just joined, and gives the event time from which something may be
wrong by it, or None. What cannot be ruled out yet is a doubt: it is settled when time has reached the event and all
that happened before is known (`order_doubt.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from canonical import events as e
from canonical.policy import Policy, Sla
from operators.exceptions.order_doubt import beyond, right_item, rightly_billed, rightly_refunded
from operators.exceptions.order_stalled import FROM_PLACED, FROM_SHIPPED
from operators.exceptions.order_view import sla_of
from operators.joins import NEWS
from operators.kits import Kits
from operators.order import Order
from operators.story import Upshot

AFTER_SHIPPED = (*FROM_SHIPPED, "goods_issue", "posted")
Allowed = tuple[timedelta | None, timedelta | None, timedelta | None]


class Heed:
    """Knows the policy and the kits; changes nothing of an order but its `doubt`, and `odd` where that is certain."""

    def __init__(self, policy: Policy, kits: Kits) -> None:
        self._policy, self._kits = policy, kits
        self._soonest: dict[str | None, Allowed] = {}
        self.of: dict[type, Callable[[Order, Any], datetime | None]] = {
            e.OrderPlaced: self._document,
            e.OrderChanged: self._document,
            e.OrderCancelled: _doubt,
            e.OrderRejected: _doubt,
            e.ShipmentShipped: self._shipped,
            **dict.fromkeys(NEWS, _news),
            e.ShipmentException: _doubt,
            e.InventoryMoved: self._issued,
            e.PostingRecorded: _posted,
            e.ReturnReceived: self._received,
            e.RefundIssued: _refunded,
        }

    def standing(self, order: Order, so_far: Upshot) -> datetime | None:
        """From when on what the order stands at may show that too much has left, or that an issue stands alone."""
        if order.odd or order.document is None or not so_far.left:
            return None
        if beyond(so_far):
            order.odd = True
            times = [shipment.at for shipment in order.shipments.values()]
            return min(times + [issue.at for issue in order.issues])
        allowed = self._allowed(order.channel)[2]
        if allowed is None or not order.issues or not _alone(so_far):
            return None
        return min(issue.at for issue in order.issues) + allowed

    def _allowed(self, channel: str | None) -> Allowed:
        """The channel's shortest deadlines from placed, from shipped, and from an issue."""
        known = self._soonest.get(channel)
        if known is None:
            sla = sla_of(self._policy, channel)
            placed, shipped = _least(sla, FROM_PLACED), _least(sla, AFTER_SHIPPED)
            known = self._soonest[channel] = (placed, shipped, sla.shipment_confirmed)
        return known

    def _document(self, order: Order, event: Any) -> datetime | None:
        if order.odd or order.superseded or order.looked is not None:
            # What was looked at without the document has to be judged with it.
            return _doubt(order, event)
        placed, allowed = order.placed_at or event.time, self._allowed(order.channel)[0]
        times = [] if allowed is None else [placed + allowed]
        if order.promised_ship_at is not None:
            times.append(order.promised_ship_at)
        return min(times, default=None)

    def _shipped(self, order: Order, event: e.ShipmentShipped) -> datetime | None:
        early = order.document is None or event.time < order.document[1]
        if order.odd or early or len(order.shipments) > 1:
            return _doubt(order, event)
        if not right_item(order, order.shipments[event.data.shipment_id], self._kits):
            return _doubt(order, event)
        allowed = self._allowed(order.channel)[1]
        times = [] if allowed is None else [event.time + allowed]
        if order.promised_delivery_at is not None:
            times.append(max(event.time, order.promised_delivery_at))
        return min(times, default=None)

    def _issued(self, order: Order, event: e.InventoryMoved) -> datetime | None:
        move = event.data
        early = order.document is None or event.time < order.document[1]
        if order.odd or early or move.quantity > 0:
            return _doubt(order, event)
        for shipment in order.shipments.values():
            before = shipment.at <= event.time and shipment.location == move.location
            if before and any(line_id == move.line_id for line_id, _, _ in shipment.lines):
                return None
        allowed = self._allowed(order.channel)[2]
        return None if allowed is None else event.time + allowed

    def _received(self, order: Order, event: e.ReturnReceived) -> datetime | None:
        if order.odd or order.refunds:
            return _doubt(order, event)
        allowed = sla_of(self._policy, order.channel).refunded
        return None if allowed is None else event.time + allowed


def _doubt(order: Order, event: Any) -> datetime:
    at: datetime = event.time
    if order.doubt is None or at > order.doubt:
        order.doubt = at
    return at


def _news(order: Order, event: Any) -> datetime | None:
    """Only news of a parcel nobody has shipped, when all others have arrived: it takes the order's arrival back."""
    if event.data.shipment_id in order.shipments:
        return None
    arrived = any("delivered" in news for news in order.news.values())
    return _doubt(order, event) if arrived else None


def _posted(order: Order, event: e.PostingRecorded) -> datetime | None:
    if event.data.kind in {"goods_issue", "payment", "credit_memo"}:
        return None
    if order.odd or order.document is None or event.time < order.document[1] or not rightly_billed(order):
        return _doubt(order, event)
    return None


def _refunded(order: Order, event: e.RefundIssued) -> datetime | None:
    if order.odd or order.document is None or not rightly_refunded(order):
        return _doubt(order, event)
    return None


def _alone(so_far: Upshot) -> bool:
    """Whether units are issued somewhere that no shipment from there confirms."""
    return any(
        units > part.shipped.get(place, 0)
        for line in so_far.standing
        for part in line.parts
        if part.issued != part.shipped
        for place, units in part.issued.items()
    )


def _least(sla: Sla, names: tuple[str, ...]) -> timedelta | None:
    return min((allowed for name in names if (allowed := getattr(sla, name)) is not None), default=None)
