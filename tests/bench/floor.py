"""The floor: the same joins and the same arithmetic in a bare loop. No engine, no shards, no recovery, no letters.

    read 8 pieces of 256 KiB, furthest behind in time first  →  decode  →  join  →  tell what was touched  →  write

One process, one dictionary of orders, one of SKUs. What a job costs above this is the price of running it.
"""

from __future__ import annotations

import argparse
import gc
import heapq
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from xxhash import xxh3_64_intdigest

from canonical import events as e
from canonical.lifecycle import CLAIM_BEARING
from canonical.messages import AnyEvent
from canonical.outputs import Availability, Lifecycle, PoolAvailability
from canonical.policy import ALL, Policy
from canonical.topics import INPUTS
from operators.booking import BOOKS, belongs_to
from operators.claiming import claims_of
from operators.joins import JOINS
from operators.kits import Kits
from operators.order import Issued, Order
from operators.sku import Arithmetic, Sku
from operators.story import Upshot, story, upshot
from sources.files import find

PIECE, TOGETHER = 256 << 10, 8
BY_ORDER = frozenset(kind for topic in INPUTS if topic.key == "order_id" for kind in topic.holds)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder(AnyEvent).decode_lines
_lines = msgspec.json.Encoder().encode_lines


def rounds(directory: Path) -> Iterator[list[Any]]:
    """The events of eight pieces at a time."""
    files = [(EARLIEST, found.name, found.path.open("rb")) for found in find(directory)]
    events: list[Any] = []
    pieces = 0
    while files:
        _, name, file = heapq.heappop(files)
        data = file.read(PIECE) + file.readline()
        if not data:
            continue
        read = _decode(data)
        heapq.heappush(files, (read[-1].time, name, file))
        events += read
        pieces += 1
        if pieces % TOGETHER == 0:
            yield events
            events = []
    yield events


class Floor:
    """Everything there is to know, in dictionaries."""

    def __init__(self, policy: Policy) -> None:
        self._rules = Arithmetic(policy)
        self._kits = Kits()
        self._members: dict[str, list[str]] = {}
        self._orders: dict[str, Order] = {}
        self._upshots: dict[str, Upshot] = {}
        self._skus: dict[str, Sku] = {}

    def fold(self, events: list[Any]) -> tuple[list[Availability], list[Lifecycle]]:
        """What a round of events comes to: the records of the SKUs and orders it touched."""
        orders: dict[str, bool] = {}
        skus: dict[str, None] = {}
        issued: dict[str, list[Issued]] = {}
        bearing, moved = frozenset(CLAIM_BEARING), e.InventoryMoved
        for event in events:
            kind = type(event)
            if kind in BY_ORDER or (kind is moved and event.data.reason == "issue" and event.data.order_id):
                key = event.data.order_id
                order = self._orders.get(key)
                if order is None:
                    order = self._orders[key] = Order()
                self._join(key, order, event, kind in bearing, orders)
                if kind is moved:
                    issued.setdefault(key, []).append(order.issues[-1])
            else:
                self._book(event, skus)
        return self._tell(orders, skus, issued)

    def _join(self, key: str, order: Order, event: Any, bears: bool, touched: dict[str, bool]) -> None:
        rank = f"{event.source}\x00{event.id}"
        ref = xxh3_64_intdigest(rank.encode())
        if ref in order.seen:
            return
        order.seen.append(ref)
        JOINS[type(event)](order, event, rank)
        touched[key] = bears or touched.get(key, False)
        if bears:
            order.changes += 1
            if order.at is None or (event.time, rank) > (order.at, order.rank):
                order.at, order.rank = event.time, rank
                order.correlationid = event.correlationid or key

    def _book(self, event: Any, touched: dict[str, None]) -> None:
        key = event.data.sku
        if type(event) is e.ProductUpserted and event.data.components:
            self._kits.apply(event)
            for part in event.data.components:
                self._members.setdefault(part.sku, []).append(key)
        sku = self._sku(key)
        rank = f"{event.source}\x00{event.id}"
        ref = xxh3_64_intdigest(rank.encode())
        if ref in sku.seen:
            return
        sku.seen[ref] = event.time
        book = BOOKS.get(type(event))
        if book is not None:
            book(self._rules, sku, event, rank, ref)
            sku.version += 1
            self._rules.cause(sku, event.time, rank, event.correlationid or belongs_to(event))
            touched[key] = None

    def _sku(self, key: str) -> Sku:
        sku = self._skus.get(key)
        if sku is None:
            sku = self._skus[key] = Sku()
        return sku

    def _tell(
        self, orders: dict[str, bool], skus: dict[str, None], issued: dict[str, list[Issued]]
    ) -> tuple[list[Availability], list[Lifecycle]]:
        lives = []
        for key, bears in orders.items():
            order = self._orders[key]
            so_far = self._upshots.get(key)
            if so_far is None or bears:
                so_far = self._upshots[key] = upshot(order, self._kits, ())
            lives.append(story(key, order, so_far))
            if bears:
                for claim in claims_of(key, order, so_far, issued.get(key, []), self._kits, None):
                    self._rules.hold(self._sku(claim.sku), claim)
                    skus[claim.sku] = None
        kits = {kit: None for key in skus for kit in self._members.get(key, ())}
        kits.update((key, None) for key in skus if self._kits.is_kit(key))
        records = [
            self._rules.availability(key, self._skus[key]) for key in skus if not self._kits.is_kit(key)
        ]
        return records + [self._kit(key) for key in kits], lives

    def _kit(self, key: str) -> Availability:
        parts = self._kits.parts(key) or {}
        own = self._rules.availability(key, self._skus[key])
        records = {sku: self._rules.availability(sku, self._sku(sku)) for sku in parts}
        ats = min(
            next((pool.ats for pool in record.pools if pool.pool == ALL), 0) // parts[sku]
            for sku, record in records.items()
        )
        version = own.version + sum(record.version for record in records.values())
        as_of = max(at for sku in (key, *parts) if (at := self._sku(sku).at) is not None)
        return Availability(key, version, as_of, [PoolAvailability(ALL, ats, 0)], 0, [], own.correlationid)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    gc.set_threshold(100_000, 50, 1000)
    args.output.mkdir(parents=True, exist_ok=True)
    floor = Floor(Policy())
    availability, lifecycle = (
        (args.output / f"{stem}.ndjson").open("wb") for stem in ("availability", "lifecycle")
    )
    for events in rounds(args.input):
        records, lives = floor.fold(events)
        availability.write(_lines(records))
        lifecycle.write(_lines(lives))
    availability.close()
    lifecycle.close()


if __name__ == "__main__":
    main()
