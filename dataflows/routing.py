"""Which shard an event goes to: that of its order, or of its SKU when it belongs to no order."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from canonical import topics
from canonical.events import InventoryMoved
from canonical.messages import Parcel, Time
from dataflows.hosting import Mail
from dataflows.shards import ORDER_SHARDS, SKU_SHARDS

BY_ORDER = frozenset({topics.ORDERS.name, topics.SHIPMENTS.name, topics.RETURNS.name, topics.POSTINGS.name})
BY_BOTH = frozenset({topics.INVENTORY.name, topics.PRODUCTS.name})


class Buckets:
    """Events on their way, by shard."""

    def __init__(self) -> None:
        self.orders: dict[int, list[Any]] = {}
        self.skus: dict[int, list[Any]] = {}

    def add(self, stem: str, events: list[Any]) -> None:
        if stem in BY_ORDER:
            _spread(self.orders, events, "order_id", ORDER_SHARDS)
        elif stem == topics.INVENTORY.name:
            bound = [e for e in events if type(e) is InventoryMoved and _is_issue(e)]
            free = (
                [e for e in events if not (type(e) is InventoryMoved and _is_issue(e))] if bound else events
            )
            _spread(self.orders, bound, "order_id", ORDER_SHARDS)
            _spread(self.skus, free, "sku", SKU_SHARDS)
        elif stem == topics.PRODUCTS.name:
            _spread(self.skus, [e for e in events if e.data.components is None], "sku", SKU_SHARDS)
            self._everywhere([e for e in events if e.data.components is not None])
        else:
            _spread(self.skus, events, "sku", SKU_SHARDS)

    def _everywhere(self, kits: list[Any]) -> None:
        """Kit definitions go to every shard: orders claim by them, parts follow them."""
        if kits:
            for shard in range(ORDER_SHARDS):
                self.orders.setdefault(shard, []).extend(kits)
            for shard in range(SKU_SHARDS):
                self.skus.setdefault(shard, []).extend(kits)

    def mails(self, time: Time) -> list[Mail]:
        """A parcel for every shard that has events."""
        mails = [Mail("orders", shard, Parcel(events, time)) for shard, events in self.orders.items()]
        return mails + [Mail("skus", shard, Parcel(events, time)) for shard, events in self.skus.items()]

    def placed(self, stem: str, time: Time, file: str, first: int, last: int) -> list[Mail]:
        """A parcel for every shard the stem can reach, so that each knows how far the file has been read."""
        mails = []
        if stem in BY_ORDER or stem in BY_BOTH:
            for shard in range(ORDER_SHARDS):
                events = self.orders.get(shard, [])
                mails.append(Mail("orders", shard, Parcel(events, time, file, first, last)))
        if stem not in BY_ORDER:
            for shard in range(SKU_SHARDS):
                events = self.skus.get(shard, [])
                mails.append(Mail("skus", shard, Parcel(events, time, file, first, last)))
        return mails


def _is_issue(event: InventoryMoved) -> bool:
    """Order-bound: it must reach its SKU together with the order's new claim."""
    return event.data.reason == "issue" and event.data.order_id is not None


def _spread(buckets: dict[int, list[Any]], events: list[Any], key: str, shards: int) -> None:
    if key == "order_id":
        for event in events:
            shard = crc32(event.data.order_id.encode()) % shards
            bucket = buckets.get(shard)
            if bucket is None:
                bucket = buckets[shard] = []
            bucket.append(event)
        return
    for event in events:
        shard = crc32(event.data.sku.encode()) % shards
        bucket = buckets.get(shard)
        if bucket is None:
            bucket = buckets[shard] = []
        bucket.append(event)
