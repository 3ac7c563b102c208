"""An order's life as tables; code only reads them (DESIGN sections 2, 5 and 6).

>>> CHAIN[0], CHAIN[-1]
('placed', 'delivered')
"""

from __future__ import annotations

from datetime import datetime

from canonical import events as e

CHAIN = ("placed", "accepted", "allocated", "released", "picked", "packed", "shipped", "delivered")
"""Milestones that imply one another: a later one implies the earlier ones at its own time."""

BESIDE = ("posted", "cancelled", "rejected", "returned", "refunded")
"""Milestones that imply nothing."""

MILESTONE_OF: dict[type, str] = {
    e.OrderAccepted: "accepted",
    e.OrderAllocated: "allocated",
    e.OrderReleased: "released",
    e.OrderPicked: "picked",
    e.OrderPacked: "packed",
    e.ReturnReceived: "returned",
    e.RefundIssued: "refunded",
}
"""Events whose first time is a milestone by itself; the others are derived from what the order adds up to."""

STATES = (
    "refunded",
    "returned",
    "delivered",
    "shipped",
    "packed",
    "picked",
    "released",
    "allocated",
    "accepted",
    "placed",
)
"""The state of an order that is neither rejected nor cancelled: the first of these milestones it has reached."""

CLAIM_BEARING: tuple[type, ...] = (
    e.OrderPlaced,
    e.OrderChanged,
    e.OrderCancelled,
    e.OrderAccepted,
    e.OrderRejected,
    e.OrderAllocated,
    e.ShipmentShipped,
    e.InventoryMoved,
)
"""Events of an order that can change what it claims from stock; each counts one change of every SKU it names."""

OWNERS: dict[str, str] = {
    "accepted": "finance",
    "allocated": "warehouse",
    "released": "warehouse",
    "picked": "warehouse",
    "packed": "warehouse",
    "shipped": "warehouse",
    "acknowledged": "commerce",
    "delivered": "customer_service",
}
"""Who must act when a milestone of the chain is missed."""


def imply(own: dict[str, datetime]) -> dict[str, datetime]:
    """Own milestone times → effective ones: time(m) = the least of its own and those later in the chain.

    `placed` is the anchor of every deadline and keeps its own time where it has one.
    """
    effective: dict[str, datetime] = {}
    before: datetime | None = None
    missing = False
    for name in CHAIN:
        at = own.get(name)
        if at is None:
            missing = True
        elif missing or (before is not None and at < before):
            return _implied(own)
        else:
            effective[name] = before = at
    return effective


def _implied(own: dict[str, datetime]) -> dict[str, datetime]:
    effective: dict[str, datetime] = {}
    least: datetime | None = None
    for name in reversed(CHAIN):
        at = own.get(name)
        if at is not None and (least is None or name == "placed" or at < least):
            least = at
        if least is not None:
            effective[name] = least
    return dict(reversed(effective.items()))
