"""Every topic and file stem, once: its key, what it holds, how it is kept (DESIGN sections 3 and 8)."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from canonical import events as e
from canonical import outputs as o
from canonical.envelope import Event

MIB = 1 << 20
PARTITIONS = 8
"""One for every lane the engine reads by, so that each lane has the same share of every topic."""

MIN_COMPACTION_LAG = timedelta(hours=1)
"""A reader of a compacted topic that is not further behind than this sees every change, not only the last."""


class Topic(Struct, frozen=True):
    """`key` names the field(s) the messages are keyed by; `holds` the event or record types.

    A compacted topic keeps the last record of every key for ever; another keeps messages for `kept`
    (None: for ever). A message has at most `max_message_bytes`, for the broker with its key and headers.
    """

    name: str
    key: str
    summary: str
    holds: tuple[type, ...]
    compacted: bool = False
    kept: timedelta | None = timedelta(days=30)
    max_message_bytes: int = 2 * MIB

    def settings(self) -> dict[str, str]:
        """How a broker must keep the topic: its configuration names and values."""
        compacting = {"min.compaction.lag.ms": _milliseconds(MIN_COMPACTION_LAG)} if self.compacted else {}
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": _milliseconds(None if self.compacted else self.kept),
            "max.message.bytes": str(self.max_message_bytes),
            **compacting,
        }


def _milliseconds(span: timedelta | None) -> str:
    return "-1" if span is None else str(span // timedelta(milliseconds=1))


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
RETURNS = Topic(
    "returns", "order_id", "returns and refunds", (e.ReturnRequested, e.ReturnReceived, e.RefundIssued)
)
POSTINGS = Topic("postings", "order_id", "the ERP's postings", (e.PostingRecorded,))
# Not compacted: each product event states some fields only, and the last of a SKU would lose the others.
PRODUCTS = Topic("products", "sku", "the catalogue", (e.ProductUpserted,), kept=None)
LISTINGS = Topic(
    "listings",
    "channel|sku",
    "what channels show, took or refused",
    (e.ListingObserved, e.ListingAcknowledged, e.ListingRejected),
)

CO_PARTITIONED = (ORDERS, SHIPMENTS, RETURNS, POSTINGS)
"""These have the same number of partitions, so that all events of an order stand in the same one of each."""

INPUTS = (ORDERS, SHIPMENTS, INVENTORY, RETURNS, POSTINGS, PRODUCTS, LISTINGS)
STEMS = tuple(topic.name for topic in INPUTS)
STEM_OF: dict[type, str] = {kind: topic.name for topic in INPUTS for kind in topic.holds}
EVENT_TYPES: tuple[type[Event], ...] = tuple(STEM_OF)
TYPE_NAME: dict[type, str] = {kind: str(kind.__struct_config__.tag) for kind in EVENT_TYPES}

AVAILABILITY = Topic(
    "availability", "sku", "available to sell, with every term", (o.Availability,), compacted=True
)
LIFECYCLE = Topic("lifecycle", "order_id", "where each order stands", (o.Lifecycle,), compacted=True)
CHANNEL_UPDATES = Topic("channel-updates", "channel|sku", "what each channel is told", (o.ChannelUpdate,))
EXCEPTIONS = Topic("exceptions", "exception_id", "what needs a person", (o.ExceptionRecord,), compacted=True)
# The largest input kept whole has 1 MiB; written in JSON, control characters take six bytes each.
DEAD_LETTERS = Topic(
    "dead-letters",
    "source key",
    "inputs that could not be accepted",
    (o.DeadLetter,),
    kept=timedelta(days=14),
    max_message_bytes=8 * MIB,
)

OUTPUTS = (AVAILABILITY, LIFECYCLE, CHANNEL_UPDATES, EXCEPTIONS, DEAD_LETTERS)
BY_NAME = {topic.name: topic for topic in (*INPUTS, *OUTPUTS)}
