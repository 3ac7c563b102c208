"""Every event the system takes in, as typed structs: the noun side of DESIGN section 3.

Quantities are integers of base units, money a decimal string beside its ISO 4217 currency, times carry a zone.
A field that may be absent has the default None; lists are never absent unless the contract says so.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Struct

from canonical.envelope import (
    Currency,
    Event,
    Level,
    Moment,
    Money,
    Prose,
    Sequence,
    SequenceNumber,
    SignedUnits,
    Text,
    Units,
    Version,
)

Status = Literal["sellable", "damaged", "quality_control", "hold"]


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


class ItemLine(Struct, gc=False):
    line_id: Text
    sku: Text
    quantity: Units


class Shipment(Struct, gc=False):
    """A shipment's lines never change; a repeated shipment_id is the same shipment."""

    shipment_id: Text
    order_id: Text
    location: Text
    lines: Annotated[list[ItemLine], msgspec.Meta(min_length=1)]
    carrier: Text | None = None
    tracking_number: Text | None = None


class ShipmentShipped(Event, tag="shipment.shipped"):
    data: Shipment


class ShipmentNews(Struct, gc=False):
    shipment_id: Text
    order_id: Text
    reason: Prose | None = None


class ShipmentInTransit(Event, tag="shipment.in_transit"):
    data: ShipmentNews


class ShipmentOutForDelivery(Event, tag="shipment.out_for_delivery"):
    data: ShipmentNews


class ShipmentDelivered(Event, tag="shipment.delivered"):
    data: ShipmentNews


class ShipmentException(Event, tag="shipment.exception"):
    data: ShipmentNews


class ShipmentReturnedToSender(Event, tag="shipment.returned_to_sender"):
    data: ShipmentNews


class ShipmentAcknowledged(Event, tag="shipment.acknowledged"):
    data: ShipmentNews


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


class Posting(Struct, gc=False):
    posting_id: Text
    order_id: Text
    kind: Literal["sales_order", "goods_issue", "invoice", "credit_memo", "payment"]
    amount: Money | None = None
    currency: Currency | None = None
    lines: list[ItemLine] | None = None


class PostingRecorded(Event, tag="posting.recorded"):
    data: Posting


class Identifier(Struct, gc=False):
    scheme: Text
    value: Text
    channel: Text | None = None


class Component(Struct, gc=False):
    sku: Text
    quantity: Units


class Product(Struct, gc=False):
    """An absent field states nothing; per field the greatest version wins. `components` [] ends a kit."""

    sku: Text
    version: Version | None = None
    identifiers: list[Identifier] | None = None
    safety_stock: dict[str, Level] | None = None
    unit_cost: Money | None = None
    active: bool | None = None
    components: list[Component] | None = None


class ProductUpserted(Event, tag="product.upserted"):
    data: Product


class ListingObservation(Struct, gc=False):
    channel: Text
    sku: Text
    quantity: Level
    as_of: Moment


class ListingObserved(Event, tag="listing.observed"):
    data: ListingObservation


class ListingAcknowledgement(Struct, gc=False):
    channel: Text
    sku: Text
    version: Version
    quantity: Level


class ListingAcknowledged(Event, tag="listing.acknowledged"):
    data: ListingAcknowledgement


class ListingRejection(Struct, gc=False):
    channel: Text
    sku: Text
    version: Version
    code: Text
    message: Prose | None = None
    retry_after_seconds: Annotated[float, msgspec.Meta(ge=0, le=86400)] | None = None


class ListingRejected(Event, tag="listing.rejected"):
    data: ListingRejection
