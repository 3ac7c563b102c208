"""Movements, status changes, counts, and other systems' balances."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from canonical.envelope import Event, Level, Moment, Sequence, SequenceNumber, SignedUnits, Text, Units

Status = Literal["sellable", "damaged", "quality_control", "hold"]


class Movement(Struct, gc=False):
    """`quantity` is the signed change of on_hand in base units, never 0. A goods issue is negative."""

    sku: Text
    location: Text
    quantity: SignedUnits
    reason: Literal["receipt", "issue", "adjustment", "transfer", "return", "other"]
    status: Status = "sellable"
    order_id: Text | None = None
    line_id: Text | None = None
    shipment_id: Text | None = None


class InventoryMoved(Event, tag="inventory.moved"):
    data: Movement


class StatusChange(Struct, gc=False):
    sku: Text
    location: Text
    quantity: Units
    from_status: Status
    to_status: Status


class InventoryStatusChanged(Event, tag="inventory.status_changed"):
    data: StatusChange


class Count(Struct, gc=False):
    """The location's own book stated absolutely; it sets the book at its cut (`as_of`, `through_sequence`)."""

    sku: Text
    location: Text
    quantity: Level
    as_of: Moment
    status: Status = "sellable"
    through_sequence: Sequence | SequenceNumber | None = None


class InventoryCounted(Event, tag="inventory.counted"):
    data: Count


class Balance(Struct, gc=False):
    """Another system's opinion of a book: compared, never applied."""

    sku: Text
    location: Text
    quantity: SignedUnits
    as_of: Moment


class InventoryBalanceReported(Event, tag="inventory.balance_reported"):
    data: Balance
