"""One shard of SKUs: keeps books and claims, tells what can still be sold (DESIGN sections 4 and 11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from xxhash import xxh3_64_intdigest

from canonical import events as e
from canonical.channel_news import ChannelNews
from canonical.keys import shard_of
from canonical.messages import Claims, Parcel, Parts, Tally, Time
from canonical.outputs import Availability, ExceptionRecord
from canonical.policy import Policy
from canonical.topics import STEM_OF
from operators.booking import BOOKS, belongs_to
from operators.clock import Clock
from operators.deadlines import Deadlines
from operators.exceptions.sku_watch import Saved, SkuWatch
from operators.kits import Kits, KitsState
from operators.offering import HEEDED, Offering
from operators.seal import seal, unseal
from operators.shelf import LIVE_LIMIT, Shelf
from operators.sku import Arithmetic, Sku


class State(Struct, array_like=True):
    """What a snapshot of the shard holds."""

    clock: list[Time]
    kits: KitsState
    skus: dict[str, bytes]
    deadlines: list[tuple[datetime, str]]
    counts: dict[str, dict[str, int]]
    exceptions: Saved
    wares: dict[str, bytes] = {}


class Told(Struct):
    """What a batch came to: records, parts and kits per kit shard, the tally when time went to everyone, and offers."""

    availability: list[Availability]
    parts: dict[int, Parts]
    tally: Tally | None
    exceptions: list[ExceptionRecord]
    news: ChannelNews | None = None


class SkuShard:
    """State of the SKUs that hash to `index`. Told the time with each batch; asks no clock."""

    def __init__(
        self, index: int, shards: int, upstreams: tuple[str, ...], policy: Policy, as_of: datetime | None
    ) -> None:
        self.name = f"skus-{index:02d}"
        self._index, self._shards = index, shards
        self._retention: timedelta = policy.time.retention
        self._clock = Clock(upstreams, as_of)
        self._arithmetic = Arithmetic(policy)
        self._kits = Kits()
        self._members: dict[str, set[int]] = {}
        self._skus = Shelf(Sku)
        self._deadlines = Deadlines()
        self._counts: dict[str, dict[str, int]] = {}
        self._exceptions = SkuWatch(policy, self._arithmetic, lambda sku: shard_of(sku, shards) == index)
        self._offering = Offering(policy)

    def apply(self, messages: list[Parcel | Claims]) -> Told:
        """Take events and claims, in order, then their time; the result is conflated per SKU."""
        touched: dict[str, None] = {}
        definitions: list[e.ProductUpserted] = []
        everyone = False
        now: datetime | None = None
        for message in messages:
            if type(message) is Parcel:
                self._events(message, touched, definitions)
                everyone = everyone or not message.events
            else:
                for claim in message.claims:  # type: ignore[union-attr]  # what is not a parcel is claims
                    self._exceptions.hold(self._sku(claim.sku, claim.at), claim)
                    touched[claim.sku] = None
            if message.time is not None:
                self._clock.hear(message.time)
                now = message.time.now
        kits = self._define(definitions, touched) if definitions else []
        told = self._tell(touched, kits, everyone=everyone)
        time = self._clock.told(self.name, now) if now is not None else None
        told.news = self._offering.take(time, beat=everyone or self._clock.ended)
        told.exceptions = self._exceptions.tell(self._clock.watermark, self._clock.catalogue, self._plain)
        self._fold()
        self._skus.settle(LIVE_LIMIT)
        return told

    def _sku(self, key: str, at: datetime) -> Sku:
        sku = self._skus.get(key)
        if sku is None:
            sku = Sku()
            self._skus.put(key, sku)
            self._deadlines.arm(at + self._retention, key)
        return sku

    def _plain(self, key: str) -> Sku | None:
        """A SKU that has stock of its own."""
        return None if self._kits.is_kit(key) else self._skus.get(key)

    def _events(self, parcel: Parcel, touched: dict[str, None], definitions: list[e.ProductUpserted]) -> None:
        for event in parcel.events:
            kind, key = type(event), event.data.sku
            if kind is e.ProductUpserted and event.data.components is not None:
                definitions.append(event)
                self._exceptions.defined(event)
            if kind is e.ProductUpserted and shard_of(key, self._shards) != self._index:
                continue
            sku = self._sku(key, event.time)
            stem = STEM_OF[kind]
            tally = self._counts.get(stem)
            if tally is None:
                tally = self._counts[stem] = {"applied": 0, "duplicate": 0}
            rank = f"{event.source}\x00{event.id}"
            ref = xxh3_64_intdigest(rank.encode())
            if ref in sku.seen:
                tally["duplicate"] += 1
                continue
            tally["applied"] += 1
            sku.seen[ref] = event.time
            self._exceptions.heard(key, sku, event, rank)
            if kind in HEEDED:
                self._offering.hear(key, event, rank)
            book = BOOKS.get(kind)
            if book is not None:
                book(self._arithmetic, sku, event, rank, ref)
                sku.version += 1
                self._arithmetic.cause(sku, event.time, rank, event.correlationid or belongs_to(event))
                touched[key] = None

    def _define(
        self, definitions: list[e.ProductUpserted], touched: dict[str, None]
    ) -> list[e.ProductUpserted]:
        """Take kit definitions; all their parts, and the kits themselves, tell the kit shards where they stand."""
        changed: set[str] = set()
        for event in definitions:
            changed |= self._kits.apply(event)
        self._members = {}
        for kit in self._kits.known():
            shard = shard_of(kit, self._shards)
            for sku in (kit, *self._kits.ever(kit)):
                self._members.setdefault(sku, set()).add(shard)
        for kit in sorted(changed):
            for sku in (kit, *sorted(self._kits.ever(kit))):
                if sku in self._skus:
                    touched[sku] = None
        return [event for event in definitions if shard_of(event.data.sku, self._shards) == self._index]

    def _tell(self, touched: dict[str, None], kits: list[e.ProductUpserted], *, everyone: bool) -> Told:
        parts: dict[int, Parts] = {}
        if kits:
            parts = {shard: Parts([], kits) for shard in range(self._shards)}
        records: list[Availability] = []
        for key in touched:
            sku = self._skus.get(key)
            if sku is None or sku.at is None:
                continue
            record = self._arithmetic.availability(key, sku)
            kit = self._kits.is_kit(key)
            if not kit:
                records.append(record)
                self._offering.offer(record, sku.rank)
                self._exceptions.weigh(key, sku, record)
            for shard in sorted(self._members.get(key, ())):
                part = self._offering.part(record, sku.rank)
                parts.setdefault(shard, Parts([], [])).parts.append(part)
        return Told(records, parts, Tally(self.name, self._counts) if everyone else None, [])

    def _fold(self) -> None:
        watermark = self._clock.watermark
        if watermark is None:
            return
        for key in list(self._deadlines.due(watermark)):
            sku = self._skus.get(key)
            if sku is not None:
                self._arithmetic.fold(sku, watermark - self._retention)
                self._deadlines.arm(watermark + self._retention / 8, key)

    def look(self, key: str) -> tuple[Sku, Availability] | None:
        """One SKU and its record, to be read and not changed; None if nothing is known of it."""
        sku = self._skus.get(key)
        if sku is None or sku.at is None:
            return None
        return sku, self._arithmetic.availability(key, sku)

    @property
    def kits(self) -> Kits:
        """Every kit definition the shard knows, to be read and not changed."""
        return self._kits

    def check(self) -> None:
        """Raise AssertionError if an invariant of the state does not hold."""
        for key, sku in self._skus.peek():
            for location, book in sku.books.items():
                net = self._arithmetic.net(location)
                for status, ledger in book.items():
                    assert ledger.on_hand == ledger.recounted(net=net), (
                        f"{key} {location} {status}: on_hand drifted"
                    )
                    assert ledger.counts == sorted(ledger.counts), (
                        f"{key} {location} {status}: counts out of order"
                    )
            again = Sku(held=sku.held)
            for held in sku.held.values():
                self._arithmetic._sum(again, held, 1)
            sums = (sku.committed, sku.pending, sku.unallocated)
            assert sums == (again.committed, again.pending, again.unallocated), f"{key}: claims do not add up"
            if sku.at is not None:
                record = self._arithmetic.availability(key, sku)
                assert record.shortage >= 0, f"{key}: negative shortage"
                assert all(pool.ats >= 0 for pool in record.pools), f"{key}: negative ats"

    def snapshot(self) -> bytes:
        state = State(
            self._clock.snapshot(),
            self._kits.snapshot(),
            self._skus.snapshot(),
            self._deadlines.snapshot(),
            self._counts,
            self._exceptions.snapshot(),
            self._offering.snapshot(),
        )
        return seal("skus", self._index, self._shards, state)

    def restore(self, sealed: bytes) -> None:
        state: State = unseal("skus", self._index, self._shards, sealed, State)
        self._clock.restore(state.clock)
        self._kits.restore(state.kits)
        self._define([], {})
        self._skus.restore(state.skus)
        self._deadlines = Deadlines(state.deadlines)
        self._counts = state.counts
        self._exceptions.restore(state.exceptions)
        self._offering.restore(state.wares)
