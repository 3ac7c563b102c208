"""One shard of orders: joins what is said of them, tells each SKU what they claim (DESIGN sections 4 and 11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from xxhash import xxh3_64_intdigest

from canonical.events import InventoryMoved, OrderAccepted, ProductUpserted
from canonical.keys import shard_of
from canonical.lifecycle import CLAIM_BEARING
from canonical.messages import Claims, Parcel, Tally, Time
from canonical.outputs import ExceptionRecord, Lifecycle
from canonical.policy import Policy
from canonical.topics import STEM_OF
from operators.claiming import claims_of
from operators.clock import Clock
from operators.deadlines import Deadlines
from operators.exceptions.order_watch import OrderWatch
from operators.exceptions.recent import BEGINNING
from operators.exceptions.steps import stand, steps
from operators.exceptions.tracker import open_ids
from operators.joins import JOINS
from operators.kits import Kits
from operators.order import Issued, Order
from operators.order_told import State, Told
from operators.seal import seal, unseal
from operators.selling import DOCUMENTS, Selling
from operators.shelf import LIVE_LIMIT, Shelf
from operators.story import Upshot, outline, story, upshot

_CLAIM_BEARING = frozenset(CLAIM_BEARING)
VERSION, STANDING = 1, 2
"""What touched an order: nothing that claims (0), what only counts as a change, what may change its standing."""


class OrderShard:
    """State of the orders whose id hashes to `index`. Told the time with each batch; asks no clock."""

    def __init__(
        self,
        index: int,
        shards: int,
        sku_shards: int,
        lanes: tuple[str, ...],
        policy: Policy,
        as_of: datetime | None,
    ) -> None:
        self.name = f"orders-{index:02d}"
        self._index, self._shards, self._sku_shards = index, shards, sku_shards
        self._retention: timedelta = policy.time.retention
        self._timed = frozenset(name for name, place in policy.locations.items() if not place.movements)
        self._net = any(place.counts == "available" for place in policy.locations.values())
        self._clock = Clock(lanes, as_of)
        self._kits = Kits()
        self._orders = Shelf(Order)
        self._upshots: dict[str, Upshot] = {}
        self._deadlines = Deadlines()
        self._counts: dict[str, dict[str, int]] = {}
        self._since: dict[str, datetime] = {}
        self._watch = OrderWatch(policy, self._kits)
        self._selling = Selling()

    def apply(self, parcels: list[Parcel]) -> Told:
        """Join the parcels' events, in order, then take their time; the result is conflated per order."""
        touched: dict[str, int] = {}
        issued: dict[str, list[Issued]] = {}
        kits: set[str] = set()
        everyone = False
        for parcel in parcels:
            self._join(parcel, touched, issued, kits)
            self._clock.hear(parcel.time)
            everyone = everyone or not parcel.events
        if kits:
            self._upshots.clear()
            self._reclaim(kits, touched, issued)
        woken = self._wake(touched)
        time = self._clock.told(self.name, parcels[-1].time.now)
        told = self._tell(touched, issued, time, everyone=everyone)
        told.exceptions += woken
        told.news = self._selling.take(time, beat=everyone)
        self._retire()
        if self._orders.settle(LIVE_LIMIT):
            self._upshots.clear()
        return told

    def _join(
        self, parcel: Parcel, touched: dict[str, int], issued: dict[str, list[Issued]], kits: set[str]
    ) -> None:
        orders, counts, heeded = self._orders, self._counts, self._watch.heeded
        for event in parcel.events:
            kind = type(event)
            if kind is ProductUpserted:
                kits |= self._kits.apply(event)
                continue
            key = event.data.order_id
            order = orders.get(key)
            if order is None:
                order = Order()
                orders.put(key, order)
                self._deadlines.arm(event.time + self._retention, key)
            tally = counts.get(STEM_OF[kind])
            if tally is None:
                tally = counts[STEM_OF[kind]] = {"applied": 0, "duplicate": 0}
            rank = f"{event.source}\x00{event.id}"
            ref = xxh3_64_intdigest(rank.encode())
            if ref in order.seen:
                tally["duplicate"] += 1
                continue
            tally["applied"] += 1
            order.seen.append(ref)
            if order.document is None and kind in DOCUMENTS:
                self._selling.first(event)
            JOINS[kind](order, event, rank)
            if order.last_at is None or event.time > order.last_at:
                order.last_at = event.time
            if kind in heeded or order.exceptions:
                self._watch.join(key, order, event)
            if kind not in _CLAIM_BEARING:
                touched.setdefault(key, 0)
                continue
            touched[key] = STANDING if kind is not OrderAccepted else touched.get(key, 0) or VERSION
            order.changes += 1
            stand(order, event, rank, self._since, key)
            if order.at is None or (event.time, rank) > (order.at, order.rank):
                order.at, order.rank = event.time, rank
                order.correlationid = event.correlationid or key
            if kind is InventoryMoved:
                issued.setdefault(key, []).append(order.issues[-1])

    def _reclaim(self, kits: set[str], touched: dict[str, int], issued: dict[str, list[Issued]]) -> None:
        """A kit's parts changed: every order that names it claims anew, and its issues are told again."""
        for key in [key for key, order in self._orders.peek() if not kits.isdisjoint(order.named)]:
            if (order := self._orders.get(key)) is not None:
                touched[key] = STANDING
                self._since[key] = BEGINNING
                self._watch.recast(key, order)
                known = issued.setdefault(key, [])
                known += [issue for issue in order.issues if issue.sku in kits and issue not in known]

    def _wake(self, touched: dict[str, int]) -> list[ExceptionRecord]:
        """Look at the orders whose timers have run out; those touched by the batch are looked at as they are told."""
        watermark = self._clock.watermark
        told: list[ExceptionRecord] = []
        if watermark is None:
            return told
        for key in self._watch.due(watermark):
            order = self._orders.get(key)
            if order is None or key in touched or order.wake is None or order.wake > watermark:
                continue
            so_far = self._upshots.get(key) or outline(order, self._kits)
            if news := self._watch.look(key, order, so_far, watermark):
                told += news
                touched[key] = 0
        return told

    def _tell(
        self, touched: dict[str, int], issued: dict[str, list[Issued]], time: Time, *, everyone: bool
    ) -> Told:
        lifecycle: list[Lifecycle] = []
        exceptions: list[ExceptionRecord] = []
        watermark = time.watermark
        claims: dict[int, Claims] = {}
        if everyone:
            claims = {shard: Claims([], time) for shard in range(self._sku_shards)}
        for key, claiming in touched.items():
            order = self._orders.get(key)
            if order is None:
                continue
            so_far = self._upshots.get(key)
            if so_far is None or claiming is STANDING or so_far.rejected != order.rejected:
                so_far = self._upshots[key] = upshot(order, self._kits, self._timed)
            if claiming is STANDING:
                self._watch.stand(key, order, so_far)
            if order.wake is not None and watermark is not None and order.wake <= watermark:
                exceptions += self._watch.look(key, order, so_far, watermark)
            lifecycle.append(story(key, order, so_far))
            if claiming:
                moved = order.issues if self._net else issued.get(key, [])
                then = steps(order, self._since.get(key), so_far.claims, self._kits, self._timed)
                for claim in claims_of(key, order, so_far, moved, self._kits, then):
                    shard = shard_of(claim.sku, self._sku_shards)
                    note = claims.get(shard)
                    if note is None:
                        note = claims[shard] = Claims([], time)
                    note.claims.append(claim)
        self._since.clear()
        return Told(lifecycle, claims, Tally(self.name, self._counts) if everyone else None, exceptions)

    def _retire(self) -> None:
        """Let orders leave that are closed and older than the retention; a repeat of theirs is late by then."""
        watermark = self._clock.watermark
        if watermark is None:
            return
        for key in list(self._deadlines.due(watermark)):
            order = self._orders.get(key)
            if order is None or order.last_at is None:
                continue
            if order.last_at + self._retention > watermark:
                self._deadlines.arm(order.last_at + self._retention, key)
            elif order.wake is None and not open_ids(order.exceptions) and self._closed(order):
                self._orders.drop(key)
                self._upshots.pop(key, None)
            else:
                self._deadlines.arm(watermark + self._retention / 8, key)

    def _closed(self, order: Order) -> bool:
        return not upshot(order, self._kits, self._timed).claims

    def look(self, order_id: str) -> tuple[Order, Upshot] | None:
        """One order and what it stands at, to be read and not changed; None if it is unknown."""
        order = self._orders.get(order_id)
        return None if order is None else (order, upshot(order, self._kits, self._timed))

    def tell(self, order_id: str) -> Lifecycle | None:
        """The order's lifecycle record as of now."""
        seen = self.look(order_id)
        return None if seen is None else story(order_id, *seen)

    def check(self) -> None:
        """Raise AssertionError if an invariant of the state does not hold."""
        for key, order in self._orders.peek():
            assert len(set(order.seen)) == len(order.seen), f"{key}: an event was joined twice"
            assert order.changes <= len(order.seen), f"{key}: more changes than events"
            assert all(0 <= told <= order.changes for told in order.told.values()), f"{key}: told the future"
            for line in upshot(order, self._kits, self._timed).standing:
                assert all(part.open >= 0 for part in line.parts), f"{key}: negative open units"

    def snapshot(self) -> bytes:
        state = State(
            self._clock.snapshot(),
            self._kits.snapshot(),
            self._orders.snapshot(),
            self._deadlines.snapshot(),
            self._counts,
            self._watch.snapshot(),
        )
        return seal("orders", self._index, self._shards, state)

    def restore(self, sealed: bytes) -> None:
        state: State = unseal("orders", self._index, self._shards, sealed, State)
        self._clock.restore(state.clock)
        self._kits.restore(state.kits)
        self._orders.restore(state.orders)
        self._upshots.clear()
        self._deadlines = Deadlines(state.deadlines)
        self._counts = state.counts
        self._watch.restore(state.timers)
