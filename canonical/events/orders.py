"""What channels, ERP and warehouse say of orders."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Struct

from canonical.envelope import Currency, Event, Level, Moment, Money, Prose, Text, Units, Version


class OrderLine(Struct, gc=False):
    line_id: Text
    sku: Text
    quantity: Units
    unit_price: Money
    location: Text | None = None


class OrderDocument(Struct, gc=False):
    """A whole order as its channel states it. The highest version wins, whenever it arrives."""

    order_id: Text
    channel: Text
    currency: Currency
    lines: Annotated[list[OrderLine], msgspec.Meta(min_length=1)]
    version: Version = 1
    promised_ship_at: Moment | None = None
    promised_delivery_at: Moment | None = None


class OrderPlaced(Event, tag="order.placed"):
    data: OrderDocument


class OrderChanged(Event, tag="order.changed"):
    data: OrderDocument


class CancelledLine(Struct, gc=False):
    """`quantity` is cumulative: all units of the line cancelled so far."""

    line_id: Text
    quantity: Level


class Cancellation(Struct, gc=False):
    """No lines means the whole order."""

    order_id: Text
    reason: Prose | None = None
    lines: list[CancelledLine] | None = None


class OrderCancelled(Event, tag="order.cancelled"):
    data: Cancellation


class Acceptance(Struct, gc=False):
    order_id: Text
    reference: Text | None = None


class OrderAccepted(Event, tag="order.accepted"):
    data: Acceptance


class Rejection(Struct, gc=False):
    order_id: Text
    reason: Prose


class OrderRejected(Event, tag="order.rejected"):
    data: Rejection


class AllocatedLine(Struct, gc=False):
    line_id: Text
    location: Text
    quantity: Units


class Allocation(Struct, gc=False):
    """Where each line will leave from, restated whole; the highest version wins."""

    order_id: Text
    version: Version
    lines: list[AllocatedLine]


class OrderAllocated(Event, tag="order.allocated"):
    data: Allocation


class Step(Struct, gc=False):
    order_id: Text
    location: Text | None = None


class OrderReleased(Event, tag="order.released"):
    data: Step


class OrderPicked(Event, tag="order.picked"):
    data: Step


class OrderPacked(Event, tag="order.packed"):
    data: Step
