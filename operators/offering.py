"""What SKUs have for the channels: offers, one per record told, and the answers channels gave (DESIGN section 7)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from canonical import events as e
from canonical.channel_news import ChannelNews, Offer
from canonical.messages import Part, Time
from canonical.outputs import Availability
from canonical.policy import ALL, Policy
from operators.order import Rank
from operators.pools import Pools
from operators.shelf import LIVE_LIMIT, Shelf

ANSWERS = frozenset({e.ListingAcknowledged, e.ListingRejected, e.ListingObserved})
HEEDED = ANSWERS | {e.ProductUpserted}
"""The events of a SKU's own that concern its offers."""


class Wares(Struct, array_like=True, gc=False):
    """What product events state of a SKU that channels must know; per field the greatest rank wins.

    `listings`: channel → the channel's own id of it. A rank is None while nothing was stated.
    """

    active: bool = True
    active_by: Rank | None = None
    listings: dict[str, str] = field(default_factory=dict)
    listings_by: Rank | None = None


UNSTATED = Wares()


class Offering:
    """What one SKU shard has for the channels: gathered while a batch is applied, taken once after it."""

    def __init__(self, policy: Policy) -> None:
        self._pools = Pools(policy.pools)
        self._wares = Shelf(Wares)
        self._offers: list[Offer] = []
        self._answers: list[Any] = []

    def hear(self, key: str, event: Any, rank: str) -> None:
        """Take an event of `HEEDED` that is no repeat."""
        if type(event) in ANSWERS:
            self._answers.append(event)
            return
        product = event.data
        if product.active is None and product.identifiers is None:
            return
        wares = self.wares(key)
        if wares is UNSTATED:
            wares = Wares()
            self._wares.put(key, wares)
        mine = (product.version or 0, event.time, rank)
        if product.active is not None and (wares.active_by is None or mine > wares.active_by):
            wares.active, wares.active_by = product.active, mine
        if product.identifiers is not None and (wares.listings_by is None or mine > wares.listings_by):
            wares.listings = {x.channel: x.value for x in product.identifiers if x.channel is not None}
            wares.listings_by = mine

    def wares(self, key: str) -> Wares:
        """What is stated of a SKU; not to be changed."""
        return self._wares.get(key) or UNSTATED

    def everywhere(self, record: Availability) -> int:
        """Units a channel that draws on every location may promise, whether or not the record has the pool `all`."""
        for pool in record.pools:
            if pool.pool == ALL:
                return pool.ats
        return self._pools.everywhere(
            [place.location for place in record.locations],
            [place.free for place in record.locations],
            [place.safety_stock for place in record.locations],
            {pool.pool: pool.unallocated for pool in record.pools},
        )

    def offer(self, record: Availability, rank: str) -> None:
        """A plain SKU's record is told, resting on the fact of `rank`."""
        wares = self.wares(record.sku)
        everywhere = self.everywhere(record)
        self._offers.append(offer_of(record, rank, everywhere, wares.listings, active=wares.active))

    def part(self, record: Availability, rank: str) -> Part:
        """The record as the kits it is in, and the kit it is itself, take it."""
        wares = self.wares(record.sku)
        return Part(record.sku, record, rank, self.everywhere(record), wares.active, wares.listings)

    def take(self, time: Time | None, *, beat: bool) -> ChannelNews | None:
        """All there is for the channels since the last time; with `beat` at least the time."""
        self._wares.settle(LIVE_LIMIT)
        if not (beat or self._offers or self._answers):
            return None
        news = ChannelNews(self._offers, [], self._answers, time)
        self._offers, self._answers = [], []
        return news

    def snapshot(self) -> dict[str, bytes]:
        return self._wares.snapshot()

    def restore(self, entries: dict[str, bytes]) -> None:
        self._wares.restore(entries)


def offer_of(
    record: Availability, rank: str, everywhere: int, listings: dict[str, str], *, active: bool
) -> Offer:
    """The record as channels take it. `everywhere`: what a channel of the pool `all` may promise."""
    pools = [(pool.pool, pool.ats) for pool in record.pools if pool.pool != ALL]
    pools.append((ALL, everywhere))
    return Offer(
        record.sku, pools, active, record.version, record.as_of, rank, record.correlationid, listings
    )
