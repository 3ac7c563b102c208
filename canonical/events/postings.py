"""The ERP's postings."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from canonical.envelope import Currency, Event, Money, Text
from canonical.events.shipments import ItemLine


class Posting(Struct, gc=False):
    posting_id: Text
    order_id: Text
    kind: Literal["sales_order", "goods_issue", "invoice", "credit_memo", "payment"]
    amount: Money | None = None
    currency: Currency | None = None
    lines: list[ItemLine] | None = None


class PostingRecorded(Event, tag="posting.recorded"):
    data: Posting
