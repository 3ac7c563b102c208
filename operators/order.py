"""One order: the set of everything said about it, joined so that order of arrival and repeats do not matter.

Documents and allocations: highest version. Cancellations: highest cumulative quantity. Shipments, issues, returns,
refunds and postings: a set by id. `joins.py` joins; what the order amounts to is derived in `standing.py` and
`story.py`. What a later fact has overruled is kept too, so that `hindsight.py` can tell what was known at an instant.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from operators.exceptions.tracker import Told

Rank = tuple[int, datetime, str]
"""What decides between two statements of the same thing: version, then time, then source and id."""
Verdict = tuple[datetime, str, bool, str]
"""What the ERP said of the order: time, rank, whether it accepted, and why not."""
Cancelled = tuple[datetime, str, dict[str, int] | None]
"""Time, rank, and line_id → units cancelled so far; None: the whole order."""


class Shipped(Struct, array_like=True, gc=False):
    """One shipment; `lines` are (line_id, sku, units)."""

    at: datetime
    rank: str
    location: str
    lines: list[tuple[str, str, int]]


class Issued(Struct, array_like=True, gc=False):
    """One goods issue for the order. `units` gone from the book are positive, a reversal is negative."""

    ref: int
    at: datetime
    location: str
    status: str
    sku: str
    line_id: str | None
    units: int
    source: str
    sequence: int
    id: str


class Document(Struct, array_like=True, gc=False):
    """An order as its channel once stated it; `case` is what it says it belongs to."""

    rank: Rank
    channel: str
    currency: str
    promised_ship_at: datetime | None
    promised_delivery_at: datetime | None
    lines: list[tuple[str, str, int, str, str | None]]
    case: str | None


class Posting(Struct, array_like=True, gc=False):
    """One posting of the ERP; `units` over all its lines, None where it states no lines."""

    at: datetime
    rank: str
    kind: str
    amount: str | None
    currency: str | None
    units: int | None


class Refund(Struct, array_like=True, gc=False):
    """Money paid back; `return_id` where it says what for."""

    at: datetime
    rank: str
    amount: str
    currency: str
    return_id: str | None


class Order(Struct, array_like=True, gc=False):
    """All that is known of one order. Everything is keyed or ranked, nothing is added up blindly.

    From `superseded` on: what decides nothing any more but once did; then what is known of the order's exceptions
    (see `exceptions/order_watch.py`).
    """

    seen: list[int] = field(default_factory=list)
    changes: int = 0
    at: datetime | None = None
    rank: str = ""
    correlationid: str = ""
    last_at: datetime | None = None
    document: Rank | None = None
    channel: str | None = None
    currency: str | None = None
    promised_ship_at: datetime | None = None
    promised_delivery_at: datetime | None = None
    lines: list[tuple[str, str, int, str, str | None]] = field(default_factory=list)
    placed_at: datetime | None = None
    changed_at: datetime | None = None
    allocation: Rank | None = None
    allocated: list[tuple[str, str, int]] = field(default_factory=list)
    cancelled: dict[str, int] = field(default_factory=dict)
    cancelled_whole_at: datetime | None = None
    cancelled_last_at: datetime | None = None
    verdict: Verdict | None = None
    own: dict[str, datetime] = field(default_factory=dict)
    shipments: dict[str, Shipped] = field(default_factory=dict)
    news: dict[str, dict[str, datetime]] = field(default_factory=dict)
    issues: list[Issued] = field(default_factory=list)
    returns: dict[str, list[tuple[datetime, str, str, int]]] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    postings: dict[str, Posting] = field(default_factory=dict)
    named: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)
    case: str | None = None
    troubles: dict[str, tuple[datetime, str, str]] = field(default_factory=dict)
    superseded: list[Document] = field(default_factory=list)
    overruled: list[Verdict] = field(default_factory=list)
    cancellations: list[Cancelled] = field(default_factory=list)
    reallocated: list[tuple[Rank, list[tuple[str, str, int]]]] = field(default_factory=list)
    stood_at: datetime | None = None
    stood_by: str = ""
    exceptions: dict[str, Told] = field(default_factory=dict)
    odd: bool = False
    doubt: datetime | None = None
    wake: datetime | None = None
    looked: datetime | None = None

    @property
    def rejected(self) -> bool:
        """The latest word of the ERP is a refusal: the order commits nothing."""
        return self.verdict is not None and not self.verdict[2]

    def name(self, sku: str, at: datetime, rank: str) -> None:
        """Remember that the order ever spoke of this SKU, and the first event that did."""
        known = self.named.get(sku)
        if known is None or (at, rank) < known:
            self.named[sku] = (at, rank)
