"""The same job over a few keys only: what `explain` and `trace` stand on.

The numbers come from the job's own shards, fed with the events of the keys asked for; the sieve keeps those events,
so that every term can name the event behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from canonical import events as e
from canonical.keys import fingerprint, shard_of
from canonical.messages import Time
from dataflows.availability import Plan, availability_job
from dataflows.plain import Plain
from dataflows.routing import Buckets
from dataflows.shards import LANES, ORDER_SHARDS, SKU_SHARDS
from operators.kits import Kits
from operators.order_shard import OrderShard
from operators.sku_shard import SkuShard
from sources.files import find
from sources.lanes import FileLane


class Silent:
    """An outlet nobody listens to."""

    def write(self, blocks: list[bytes]) -> None:
        """What a sieve's job tells is not wanted: its state is."""

    def flush(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing is held back."""


class Sieve:
    """The job's shards after the wanted events, and those events by reference (`events`)."""

    def __init__(self, plan: Plan, wanted: Callable[[Any], bool]) -> None:
        self.events: dict[int, Any] = {}
        self._job = Plain(availability_job(plan)._replace(outlet=lambda *_: Silent()))
        for stem, events, time in read(plan):
            mine = [event for event in events if wanted(event)]
            for event in mine:
                self.events.setdefault(fingerprint(event.source, event.id), event)
            buckets = Buckets()
            buckets.add(stem, mine)
            self._job.deliver(buckets.mails(time))

    def orders(self, order_id: str) -> OrderShard:
        """The shard that holds an order."""
        shard: OrderShard = self._shard("orders", shard_of(order_id, ORDER_SHARDS))
        return shard

    def skus(self, sku: str) -> SkuShard:
        """The shard that holds a SKU."""
        shard: SkuShard = self._shard("skus", shard_of(sku, SKU_SHARDS))
        return shard

    def _shard(self, stage: str, shard: int) -> Any:
        return self._job.host(stage, shard).shard  # type: ignore[attr-defined]  # every stage of this job hosts a shard


def read(plan: Plan) -> Iterator[tuple[str, list[Any], Any]]:
    """All accepted events of an input, block by block: stem, events, the lane's time."""
    now, files = plan.as_of or datetime.now(UTC), find(plan.input)
    for number, name in enumerate(LANES):
        lane = FileLane(plan.input, files, number, plan.policy.time)
        while not lane.ended:
            for decoded in lane.read(now):
                yield decoded.stem, decoded.events, Time(name, None, None, False, now)


def related(plan: Plan, sku: str) -> tuple[set[str], set[str]]:
    """(SKUs whose claims and books bear on this one: itself, its components, kits it is in; orders that name one)."""
    kits = Kits()
    for stem, events, _ in read(plan):
        if stem == "products":
            for event in events:
                kits.apply(event)
    skus = {sku, *kits.ever(sku)}
    skus |= {kit for kit in kits.known() if not skus.isdisjoint(kits.ever(kit))}
    orders: set[str] = set()
    for _, events, _ in read(plan):
        for event in events:
            order_id = getattr(event.data, "order_id", None)
            if order_id is not None and any(named in skus for named in names(event)):
                orders.add(order_id)
    return skus, orders


def names(event: Any) -> Iterator[str]:
    """The SKUs an event names."""
    data = event.data
    if hasattr(data, "sku"):
        yield data.sku
    elif type(event) in (e.OrderPlaced, e.OrderChanged, e.ShipmentShipped):
        for line in data.lines:
            yield line.sku


def of_keys(skus: set[str], orders: set[str]) -> Callable[[Any], bool]:
    """Events of these orders, of these SKUs, and all kit definitions."""

    def wanted(event: Any) -> bool:
        order_id = getattr(event.data, "order_id", None)
        if order_id is not None and order_id in orders:
            return True
        if type(event) is e.ProductUpserted and event.data.components is not None:
            return True
        return getattr(event.data, "sku", None) in skus

    return wanted
