"""`unknown_sku`: an order, movement or listing names a SKU that no product event has named by then.

Only where products are given at all: from the first product event of any SKU on. A component that a kit names is
known by that. It is over when the product comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from operators.exceptions.episode import Episode, named
from operators.exceptions.seen import Watch, clock


def unknown_sku(key: str, watch: Watch, catalogue: datetime | None, watermark: datetime) -> Iterator[Episode]:
    """At most one episode. `catalogue`: when the first product event was, None if there is none yet."""
    naming = watch.named
    if naming is None or catalogue is None or catalogue > watermark:
        return
    since = max(naming.at, catalogue)
    known = watch.catalogued
    if known is not None and known <= since:
        return
    who = f"order {naming.order_id}" if naming.order_id else naming.rank.partition("\x00")[0]
    yield Episode(
        code="unknown_sku",
        subject=key,
        opened_at=since,
        cleared_at=known if known is not None and known <= watermark else None,
        owner="commerce",
        units=0,
        evidence=named([naming.rank]) if naming.rank else (),
        correlationid=naming.order_id or key,
        message=f"{who} names {key} since {clock(since)}, which the catalogue does not know:"
        " add the product or correct the name.",
        sku=key,
        order_id=naming.order_id,
    )
