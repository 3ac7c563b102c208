"""What comes back, and the money for it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from canonical.envelope import Currency, Event, Money, Text, Units


class ReturnRequest(Struct, gc=False):
    return_id: Text
    order_id: Text


class ReturnRequested(Event, tag="return.requested"):
    data: ReturnRequest


class ReturnedLine(Struct, gc=False):
    line_id: Text
    sku: Text
    quantity: Units
    disposition: Literal["restock", "damaged", "quality_control"]


class ReturnReceipt(Struct, gc=False):
    return_id: Text
    order_id: Text
    lines: list[ReturnedLine]


class ReturnReceived(Event, tag="return.received"):
    data: ReturnReceipt


class Refund(Struct, gc=False):
    refund_id: Text
    order_id: Text
    amount: Money
    currency: Currency
    return_id: Text | None = None


class RefundIssued(Event, tag="refund.issued"):
    data: Refund
