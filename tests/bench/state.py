"""What state weighs and what a snapshot stalls: shards filled with open orders and SKUs, then measured.

python -m tests.bench.state ORDERS SKUS [quiet]       prints one JSON object
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from canonical import events as e
from canonical.messages import Parcel, Time
from canonical.policy import Policy
from dataflows.shards import LANES
from tests.bench.quiet import quieten

START = datetime(2026, 3, 2, tzinfo=UTC)
PLACES = ("dc-east", "dc-west", "store-1")
BLOCK = 8000
LINES = 2


def resident() -> int:
    """Bytes of memory this process has now."""
    gc.collect()
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def envelope(source: str, number: int, key: str) -> dict[str, Any]:
    at = START + timedelta(microseconds=number)
    return {"specversion": "1.0", "id": f"{source}-{number}", "source": source, "subject": key, "time": at}


def stocked(skus: int) -> Iterator[Any]:
    """Every SKU named and counted at three locations."""
    for sku in range(skus):
        key = f"SKU-{sku:07d}"
        product = e.Product(key, 1, [e.Identifier("gtin", f"{sku:014d}")], {"store-1": 1}, "9.95", True)
        yield e.ProductUpserted(data=product, **envelope("/erp/products", sku, key))
        for number, place in enumerate(PLACES):
            count = e.Count(key, place, 1000, START, "sellable", "0")
            yield e.InventoryCounted(data=count, **envelope(f"/wms/{place}", 4 * sku + number, key))


def opened(orders: int, skus: int) -> Iterator[Any]:
    """Every order placed with two lines, accepted and allocated: three events, and nothing has left."""
    for order in range(orders):
        key = f"AMAZON-US-{order:08d}"
        names = [f"SKU-{(order * LINES + line) % skus:07d}" for line in range(LINES)]
        lines = [e.OrderLine(str(n), name, 1, "19.90") for n, name in enumerate(names)]
        document = e.OrderDocument(key, "amazon-us", "USD", lines, 1, START + timedelta(days=1))
        yield e.OrderPlaced(data=document, **envelope("/channels/amazon-us", order, key))
        yield e.OrderAccepted(data=e.Acceptance(key), **envelope("/erp/main", 2 * order, key))
        seats = [e.AllocatedLine(str(n), PLACES[0], 1) for n in range(LINES)]
        yield e.OrderAllocated(data=e.Allocation(key, 1, seats), **envelope("/erp/main", 2 * order + 1, key))


class Filling:
    """The job's shards, filled by a plain loop; what they tell is not kept."""

    def __init__(self) -> None:
        from dataflows.availability import Plan, availability_job  # after `quieten`
        from dataflows.plain import Plain
        from dataflows.sieve import Silent

        job = availability_job(Plan(Path(), Path(), Policy()))
        self._plain = Plain(job._replace(outlet=lambda *_: Silent()))

    def take(self, events: Iterator[Any]) -> None:
        from canonical.topics import STEM_OF
        from dataflows.routing import Buckets

        block: list[Any] = []
        for event in events:
            block.append(event)
            if len(block) == BLOCK:
                self._deliver(block, Buckets(), STEM_OF)
                block = []
        self._deliver(block, Buckets(), STEM_OF)

    def _deliver(self, block: list[Any], buckets: Any, stems: dict[type, str]) -> None:
        by_stem: dict[str, list[Any]] = {}
        for event in block:
            by_stem.setdefault(stems[type(event)], []).append(event)
        for stem, events in by_stem.items():
            buckets.add(stem, events)
        self._plain.deliver(buckets.mails(Time(LANES[0], None, None, False, START)))

    def pass_time(self) -> None:
        """Let all lanes say, as often as memories of what is not settled need, that ten minutes have gone by."""
        from dataflows.hosting import Mail
        from dataflows.shards import ORDER_SHARDS, SKU_SHARDS

        for minute in range(1, 11):
            at = START + timedelta(minutes=minute)
            for lane in LANES:
                beat = Parcel([], Time(lane, at, at, False, at))
                mails = [Mail("orders", shard, beat) for shard in range(ORDER_SHARDS)]
                self._plain.deliver(mails + [Mail("skus", shard, beat) for shard in range(SKU_SHARDS)])

    def snapshots(self) -> tuple[float, int, int]:
        """Processor seconds of all shards' snapshots, their bytes, and the memory while all are held."""
        hosts = list(self._plain._hosts.values())
        started = time.process_time()
        sealed = [host.snapshot() for host in hosts]
        return time.process_time() - started, sum(map(len, sealed)), resident()


def main() -> None:
    orders, skus = int(sys.argv[1]), int(sys.argv[2])
    if "quiet" in sys.argv:
        quieten()
    gc.set_threshold(100_000, 50, 1000)
    filling = Filling()
    empty = resident()
    filling.take(stocked(skus))
    with_skus = resident()
    filling.take(opened(orders, skus))
    filling.pass_time()
    full = resident()
    first, size, held = filling.snapshots()
    again, _, _ = filling.snapshots()
    measures = {
        "orders": orders,
        "skus": skus,
        "empty_mib": empty / 2**20,
        "bytes_per_sku": (with_skus - empty) / skus,
        "bytes_per_order": (full - with_skus) / orders,
        "packed_bytes_per_pair": size / max(orders, skus),
        "full_mib": full / 2**20,
        "held_mib": held / 2**20,
        "at_rest_mib": resident() / 2**20,
        "snapshot_all_live_seconds": first,
        "snapshot_at_rest_seconds": again,
    }
    print(json.dumps(measures))


if __name__ == "__main__":
    main()
