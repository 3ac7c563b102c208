"""Every record the system tells, as typed structs (DESIGN section 8). One JSON object per message or line."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from canonical.errors import Code


class PoolAvailability(Struct, gc=False):
    """`ats` units any channel of the pool may still promise (≥ 0); `unallocated` open units without a location."""

    pool: str
    ats: int
    unallocated: int


class LocationAvailability(Struct, gc=False):
    """One location in units; `free` = on_hand − unavailable − committed − pending_issue, maybe negative."""

    location: str
    on_hand: int
    unavailable: int
    committed: int
    pending_issue: int
    safety_stock: int
    free: int


class Availability(Struct, gc=False):
    """What can still be sold of a SKU. `shortage`: promised units no stock can keep. `as_of`: its latest fact."""

    sku: str
    version: int
    as_of: datetime
    pools: list[PoolAvailability]
    shortage: int
    locations: list[LocationAvailability]
    correlationid: str


class LifecycleLine(Struct, gc=False):
    """Units of one order line; `open` = promised and not yet physically gone."""

    line_id: str
    sku: str
    ordered: int
    cancelled: int
    shipped: int
    issued: int
    open: int


class Lifecycle(Struct, gc=False):
    """Where one order stands. `milestones`: name → time; `exceptions`: ids of those open."""

    order_id: str
    version: int
    channel: str | None
    state: str
    milestones: dict[str, datetime]
    lines: list[LifecycleLine]
    exceptions: list[str]


class Origin(Struct, gc=False, omit_defaults=True):
    """Where an input came from: a file with its line (from 1) and byte offset, or a topic, partition and offset."""

    file: str | None = None
    line: int | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


class Header(Struct, gc=False, omit_defaults=True):
    """A header of a message; its bytes are in `value` when they are UTF-8, else in `value_base64`."""

    name: str
    value: str | None = None
    value_base64: str | None = None


class DeadLetter(Struct, gc=False):
    """An input that could not be accepted, kept whole with the reason.

    The bytes are in `input` when they are UTF-8, else in `input_base64`; of an input over 1 MiB only
    the first 4 KiB are kept and `size` says how many bytes there were: the rest is still where it came from.
    `key` is the message's, where it came from a topic with one (`key_base64` when that is not UTF-8), else the
    subject the input seems to have.
    """

    key: str
    code: Code
    reason: str
    field: str
    stem: str
    origin: Origin
    first_seen: datetime
    input: str | UnsetType = UNSET
    input_base64: str | UnsetType = UNSET
    size: int | UnsetType = UNSET
    key_base64: str | UnsetType = UNSET
    headers: list[Header] | UnsetType = UNSET


class ExceptionRecord(Struct, gc=False):
    """One change of an exception (DESIGN section 6). `value` is a decimal string in `currency`."""

    exception_id: str
    code: str
    status: Literal["opened", "escalated", "cleared"]
    severity: Literal["critical", "high", "medium", "low"]
    owner: Literal["warehouse", "finance", "commerce", "customer_service", "platform"]
    opened_at: datetime
    detected_at: datetime
    units: int
    value: str
    currency: str | None
    evidence: list[str]
    correlationid: str
    message: str
    cleared_at: datetime | None = None
    order_id: str | None = None
    sku: str | None = None
    location: str | None = None
    channel: str | None = None
    shipment_id: str | None = None


class ChannelUpdate(Struct, gc=False):
    """What one channel is told of one SKU (DESIGN section 7)."""

    channel: str
    sku: str
    listing_id: str
    quantity: int
    previous_quantity: int | None
    version: int
    ats: int
    reason: Literal["zero", "decrease", "increase", "refresh", "correction"]
    call: int
    queued_at: datetime
    released_at: datetime
    correlationid: str
