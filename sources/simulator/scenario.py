"""What a simulated stretch of retail is made of: size, channels, places, deadlines and faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sources.simulator.clock import DAY, HOUR, MINUTE

FAULTS: dict[str, str] = {
    "duplicates": "events arrive a second time",
    "altered_duplicates": "events arrive a second time with other content under the same source and id",
    "reordering": "events arrive up to five minutes late, inside the allowed lateness",
    "late": "events arrive hours late, inside the retention",
    "lost": "a shipment, goods issue, allocation or acknowledgement is never sent",
    "delayed_system": "the whole ERP is silent for hours and then sends everything at once",
    "stall_accepted": "the ERP does not accept an order in time",
    "stall_allocated": "no stock is allocated to an order in time",
    "stall_released": "an order is not released to the floor in time",
    "stall_picked": "an order is not picked in time",
    "stall_packed": "an order is not packed in time",
    "stall_shipped": "an order is not shipped in time",
    "stall_delivered": "a shipment is not delivered in time",
    "stall_acknowledged": "the channel does not take a shipment's posting in time",
    "stall_posted": "a shipped order is not invoiced in time",
    "stall_goods_issue": "a shipment's goods issue does not reach the book in time",
    "stall_shipment_confirmed": "stock was issued for an order and the shipment is not confirmed in time",
    "stall_refunded": "a received return is not refunded in time",
    "rejected": "the ERP refuses an order",
    "miscounts": "a count differs from the book",
    "erp_drift": "the ERP reports a wrong balance, and a wrong one again",
    "double_shipment": "an order is shipped twice under two shipment ids",
    "shipped_after_cancel": "an order is shipped although it was cancelled",
    "wrong_item": "another SKU is shipped than was ordered",
    "orphan_shipment": "a shipment leaves for an order nobody sent",
    "oversell": "an order asks for more than there is anywhere",
    "posting_mismatch": "an invoice's amount differs from its order's",
    "refund_without_return": "money is paid back though nothing was cancelled or returned",
    "listing_drift": "a channel shows another quantity than it acknowledged",
    "listing_rejected": "a channel refuses an update",
    "unknown_sku": "a movement or listing names a SKU the catalogue does not know",
    "source_silent": "a source that should report hourly says nothing for hours",
    "sequence_gap": "a message of a warehouse's numbered feed is lost on the way, or found hours later",
    "schema_drift": "events carry fields and attributes the contract does not know",
    "carrier_exception": "a carrier reports trouble with a parcel",
    "clock_skew": "two systems' clocks are off by a minute or two, and a few events lie far in the future",
    "malformed": "lines that are not JSON, cut off, lack fields, or hold impossible values",
}
"""Every fault that can be switched on, and what it does."""

LOCATIONS = ("dc-east", "dc-west", "3pl-1", "store-1")
POOLS: dict[str, tuple[str, ...]] = {
    "national": ("dc-east", "dc-west", "3pl-1"),
    "regional": ("dc-east", "store-1"),
}
"""The pools overlap in dc-east, where every plain SKU is stocked."""

SAFETY_STOCK = {"dc-east": 0, "dc-west": 0, "3pl-1": 0, "store-1": 1}
"""Units withheld at a location where the product states nothing of its own."""

SLA: dict[str, int] = {
    "accepted": 15 * MINUTE,
    "allocated": 30 * MINUTE,
    "released": 2 * HOUR,
    "picked": 8 * HOUR,
    "packed": 10 * HOUR,
    "shipped": 24 * HOUR,
    "acknowledged": 2 * HOUR,
    "delivered": 7 * DAY,
    "goods_issue": 4 * HOUR,
    "posted": 8 * HOUR,
    "shipment_confirmed": 4 * HOUR,
    "refunded": 6 * HOUR,
}
"""Deadlines in milliseconds, written to the configuration. `posted` and `refunded` are tighter than the
defaults, so that one day is long enough to miss them; a clean day keeps both."""

ALLOWED_LATENESS = 10 * MINUTE
GRACE = {"orphan_grace": HOUR, "erp_grace": 4 * HOUR, "listing_grace": 30 * MINUTE}
EXPECTED_EVERY = HOUR
"""Every watched source reports at least every 22 minutes on a clean day."""


@dataclass(frozen=True)
class Scenario:
    """What to simulate. The same scenario gives the same bytes on every machine.

    `orders` in all, over `days`; `skus` in the catalogue, a few of them kits; `channels` by name (a name
    holding "amazon" sells all day, "walmart" at midday, any other in the evening). `faults` is "all", "none",
    names of `FAULTS` with commas, or a set of them. `fault_rate` is the share of orders given to each fault
    of orders. `start` has a zone. Raises ValueError saying what would be right.
    """

    orders: int = 20_000
    skus: int = 2_000
    channels: tuple[str, ...] = ("amazon-us", "walmart", "storefront")
    days: int = 1
    seed: int = 7
    faults: frozenset[str] | str = "none"
    fault_rate: float = 0.001
    start: datetime = field(default=datetime(2026, 3, 2, tzinfo=UTC))

    def __post_init__(self) -> None:
        for name, least in (("orders", 1), ("skus", 20), ("days", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if not self.channels or len(set(self.channels)) < len(self.channels) or not all(self.channels):
            raise ValueError("channels must be one or more different names")
        if self.start.tzinfo is None:
            raise ValueError("start must have a zone")
        if not 0 < self.fault_rate <= 0.02:
            raise ValueError(f"fault_rate must be above 0 and at most 0.02, not {self.fault_rate}")
        unknown = sorted(self.enabled - FAULTS.keys())
        if unknown:
            raise ValueError(f"unknown fault {unknown[0]!r}; known: all, none, {', '.join(FAULTS)}")

    @property
    def enabled(self) -> frozenset[str]:
        """The names of the faults that are on."""
        if not isinstance(self.faults, str):
            return self.faults
        if self.faults in {"all", "none"}:
            return frozenset(FAULTS) if self.faults == "all" else frozenset()
        return frozenset(name.strip() for name in self.faults.split(","))


@dataclass(frozen=True)
class Summary:
    """What was written: `lines`, `duplicates` and `malformed` counted per stem, `faults` per name."""

    orders: int
    events: int
    lines: dict[str, int]
    duplicates: dict[str, int]
    malformed: dict[str, dict[str, int]]
    faults: dict[str, int]
    as_of: str
