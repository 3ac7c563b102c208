"""Every topic and file stem, once: its key, what it holds, how it is kept (DESIGN sections 3 and 8)."""

from __future__ import annotations

from msgspec import Struct

from canonical import events as e
from canonical import outputs as o
from canonical.envelope import Event


class Topic(Struct, frozen=True):
    """`key` names the field(s) the messages are keyed by; `holds` the event or record types."""

    name: str
    key: str
    summary: str
    holds: tuple[type, ...]
    compacted: bool = False


ORDERS = Topic(
    "orders",
    "order_id",
    "what channels, ERP and warehouse say of orders",
    (
        e.OrderPlaced,
        e.OrderChanged,
        e.OrderCancelled,
        e.OrderAccepted,
        e.OrderRejected,
        e.OrderAllocated,
        e.OrderReleased,
        e.OrderPicked,
        e.OrderPacked,
    ),
)
SHIPMENTS = Topic(
    "shipments",
    "order_id",
    "what warehouses and carriers say of parcels",
    (
        e.ShipmentShipped,
        e.ShipmentInTransit,
        e.ShipmentOutForDelivery,
        e.ShipmentDelivered,
        e.ShipmentException,
        e.ShipmentReturnedToSender,
        e.ShipmentAcknowledged,
    ),
)
INVENTORY = Topic(
    "inventory",
    "sku",
    "movements, status changes, counts and other systems' balances",
    (e.InventoryMoved, e.InventoryStatusChanged, e.InventoryCounted, e.InventoryBalanceReported),
)
RETURNS = Topic("returns", "order_id", "returns and refunds", (e.ReturnRequested, e.ReturnReceived, e.RefundIssued))
POSTINGS = Topic("postings", "order_id", "the ERP's postings", (e.PostingRecorded,))
PRODUCTS = Topic("products", "sku", "the catalogue", (e.ProductUpserted,))
LISTINGS = Topic(
    "listings",
    "channel|sku",
    "what channels show, took or refused",
    (e.ListingObserved, e.ListingAcknowledged, e.ListingRejected),
)

INPUTS = (ORDERS, SHIPMENTS, INVENTORY, RETURNS, POSTINGS, PRODUCTS, LISTINGS)
STEMS = tuple(topic.name for topic in INPUTS)
STEM_OF: dict[type, str] = {kind: topic.name for topic in INPUTS for kind in topic.holds}
EVENT_TYPES: tuple[type[Event], ...] = tuple(STEM_OF)
TYPE_NAME: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in EVENT_TYPES}

AVAILABILITY = Topic("availability", "sku", "available to sell, with every term", (o.Availability,), compacted=True)
LIFECYCLE = Topic("lifecycle", "order_id", "where each order stands", (o.Lifecycle,), compacted=True)
CHANNEL_UPDATES = Topic("channel-updates", "channel|sku", "what each channel is told", (o.ChannelUpdate,))
EXCEPTIONS = Topic("exceptions", "exception_id", "what needs a person", (o.ExceptionRecord,), compacted=True)
DEAD_LETTERS = Topic("dead-letters", "source key", "inputs that could not be accepted", (o.DeadLetter,))

OUTPUTS = (AVAILABILITY, LIFECYCLE, CHANNEL_UPDATES, EXCEPTIONS, DEAD_LETTERS)
