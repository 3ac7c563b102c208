"""The input events as pydantic models, as one writes them from the contract's table."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

Text = Annotated[str, Field(min_length=1, max_length=256)]
Units = Annotated[int, Field(ge=1, le=10**12)]
Level = Annotated[int, Field(ge=0, le=10**12)]
SignedUnits = Annotated[int, Field(ge=-(10**12), le=10**12)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Status = Literal["sellable", "damaged", "quality_control", "hold"]


class OrderLine(BaseModel):
    line_id: Text
    sku: Text
    quantity: Units
    unit_price: Decimal
    location: Text | None = None


class OrderDocument(BaseModel):
    order_id: Text
    channel: Text
    currency: Currency
    lines: list[OrderLine] = Field(min_length=1)
    version: int = 1
    promised_ship_at: AwareDatetime | None = None
    promised_delivery_at: AwareDatetime | None = None


class CancelledLine(BaseModel):
    line_id: Text
    quantity: Level


class Cancellation(BaseModel):
    order_id: Text
    reason: str | None = None
    lines: list[CancelledLine] | None = None


class AllocatedLine(BaseModel):
    line_id: Text
    location: Text
    quantity: Units


class Allocation(BaseModel):
    order_id: Text
    version: int
    lines: list[AllocatedLine]


class ItemLine(BaseModel):
    line_id: Text
    sku: Text
    quantity: Units


class Shipment(BaseModel):
    shipment_id: Text
    order_id: Text
    location: Text
    lines: list[ItemLine] = Field(min_length=1)
    carrier: Text | None = None
    tracking_number: Text | None = None


class ShipmentNews(BaseModel):
    shipment_id: Text
    order_id: Text
    reason: str | None = None


class Movement(BaseModel):
    sku: Text
    location: Text
    quantity: SignedUnits
    reason: Literal["receipt", "issue", "adjustment", "transfer", "return", "other"]
    status: Status = "sellable"
    order_id: Text | None = None
    line_id: Text | None = None
    shipment_id: Text | None = None


class StatusChange(BaseModel):
    sku: Text
    location: Text
    quantity: Units
    from_status: Status
    to_status: Status


class Count(BaseModel):
    sku: Text
    location: Text
    quantity: Level
    as_of: AwareDatetime
    status: Status = "sellable"
    through_sequence: int | None = None


class Component(BaseModel):
    sku: Text
    quantity: Units


class Product(BaseModel):
    sku: Text
    version: int | None = None
    safety_stock: dict[str, Level] | None = None
    unit_cost: Decimal | None = None
    active: bool | None = None
    components: list[Component] | None = None


class OrderNote(BaseModel):
    """What says of an order only that something has happened to it: ids, amounts and reasons are not followed."""

    order_id: Text


class Posting(OrderNote):
    posting_id: Text
    kind: Literal["sales_order", "goods_issue", "invoice", "credit_memo", "payment"]
    amount: Decimal | None = None
    currency: Currency | None = None


class SkuNote(BaseModel):
    """What says something of a SKU that changes no number: balances and listings."""

    sku: Text


class Event(BaseModel):
    """The envelope. `source` and `id` name the event."""

    specversion: Literal["1.0"]
    id: Text
    source: Text
    subject: Text
    time: AwareDatetime
    correlationid: Text | None = None
    sequence: int | None = None


class DocumentEvent(Event):
    type: Literal["order.placed", "order.changed"]
    data: OrderDocument


class CancelledEvent(Event):
    type: Literal["order.cancelled"]
    data: Cancellation


class AllocatedEvent(Event):
    type: Literal["order.allocated"]
    data: Allocation


class ShippedEvent(Event):
    type: Literal["shipment.shipped"]
    data: Shipment


class NewsEvent(Event):
    type: Literal[
        "shipment.in_transit", "shipment.out_for_delivery", "shipment.delivered", "shipment.exception",
        "shipment.returned_to_sender", "shipment.acknowledged",
    ]  # fmt: skip
    data: ShipmentNews


class PostedEvent(Event):
    type: Literal["posting.recorded"]
    data: Posting


class NoteEvent(Event):
    type: Literal[
        "order.accepted", "order.rejected", "order.released", "order.picked", "order.packed",
        "return.requested", "return.received", "refund.issued",
    ]  # fmt: skip
    data: OrderNote


class MovedEvent(Event):
    type: Literal["inventory.moved"]
    data: Movement


class StatusChangedEvent(Event):
    type: Literal["inventory.status_changed"]
    data: StatusChange


class CountedEvent(Event):
    type: Literal["inventory.counted"]
    data: Count


class ProductEvent(Event):
    type: Literal["product.upserted"]
    data: Product


class SkuNoteEvent(Event):
    type: Literal[
        "inventory.balance_reported", "listing.observed", "listing.acknowledged", "listing.rejected"
    ]  # fmt: skip
    data: SkuNote


OrderEvent = (
    DocumentEvent | CancelledEvent | AllocatedEvent | ShippedEvent | NewsEvent | PostedEvent | NoteEvent
)
SkuEvent = MovedEvent | StatusChangedEvent | CountedEvent | ProductEvent | SkuNoteEvent
ADAPTER: TypeAdapter[OrderEvent | SkuEvent] = TypeAdapter(
    Annotated[OrderEvent | SkuEvent, Field(discriminator="type")]
)
