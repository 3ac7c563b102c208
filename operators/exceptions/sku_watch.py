"""The exceptions of one shard's SKUs: told from settled facts only, and for next to nothing where stock is comfortable.

Counts, reports and listings wait until the watermark has passed them and are then judged in the order of time. Whether
a SKU was oversold or a book below zero at some instant follows from the walk through that stretch of time (`walk.py`);
only an *uneasy* SKU is walked: one whose ats would not outlast the undoing of all its unsettled changes.

A kit's definition is taken as it is now, also for what was before it: it should be told before its first order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from canonical import events as e
from canonical.messages import Claim
from canonical.outputs import Availability, ExceptionRecord
from canonical.policy import Policy
from operators.deadlines import Deadlines
from operators.exceptions.count_variance import count_variance
from operators.exceptions.episode import named
from operators.exceptions.erp_out_of_sync import erp_out_of_sync
from operators.exceptions.follow import follow
from operators.exceptions.listings import listing_out_of_sync, listing_rejected, told_anew
from operators.exceptions.negative_on_hand import negative_on_hand
from operators.exceptions.oversold import oversold
from operators.exceptions.recent import BEGINNING, COUNTED, Change, Generations, units_of
from operators.exceptions.seen import Cost, Moment, Naming, Watch, cost_at
from operators.exceptions.tracker import INSTANT, Tracker
from operators.exceptions.unknown_sku import unknown_sku
from operators.exceptions.walk import walk
from operators.shelf import LIVE_LIMIT, Shelf
from operators.sku import Arithmetic, Held, Sku

WALKED = ("oversold", "negative_on_hand")
BOOKED = (e.InventoryMoved, e.InventoryStatusChanged)


class Saved(Struct, array_like=True):
    """What a snapshot holds of the exceptions."""

    watches: dict[str, bytes]
    recents: Generations
    deadlines: list[tuple[datetime, str]]
    nameless: list[str]
    watermark: datetime


class SkuWatch:
    """`rules` are the shard's own; `mine` says whether a SKU lives in this shard."""

    def __init__(self, policy: Policy, rules: Arithmetic, mine: Callable[[str], bool]) -> None:
        self._rules, self._mine = rules, mine
        self._time, self._places = policy.time, policy.locations
        self._retention: timedelta = policy.time.retention
        self._pooled = frozenset(at for places in policy.pools.values() for at in places) or None
        self._tracker = Tracker(policy.severity)
        self._watches = Shelf(Watch)
        self._recents = Generations()
        self._deadlines = Deadlines()
        self._nameless: set[str] = set()
        self._watermark = BEGINNING

    def hold(self, sku: Sku, claim: Claim) -> None:
        """Let the SKU take a claim, and remember from what instant on it was so."""
        before = sku.held.get(claim.order_id)
        self._rules.hold(sku, claim)
        if sku.catalogued is None or sku.catalogued > claim.named_at:
            self._named(claim.sku, sku, claim.named_at, claim.named_by, claim.order_id)
        inflow = 0
        for move in claim.moves:
            if move.quantity > 0:
                inflow += move.quantity
        if not claim.steps:
            if before is not None and before.lines is claim.lines and not claim.moves:
                return
            after = sku.held.get(claim.order_id)
            if before is not after or claim.moves:
                change = Change(self._unsettled(claim.stood_at), claim.rank, claim.order_id, before, after)
                self._recents.add(claim.sku, change, units_of(before) + inflow, inflow)
            return
        for step in claim.steps:
            after = Held(claim.channel, claim.placed_at, step.lines) if step.lines else None
            change = Change(self._unsettled(step.at), step.rank, claim.order_id, before, after)
            self._recents.add(claim.sku, change, units_of(before) + inflow, inflow)
            before, inflow = after, 0

    def heard(self, key: str, sku: Sku, event: Any, rank: str) -> None:
        """Remember what an event of the SKU's own may make wrong."""
        kind, at = type(event), event.time
        if kind is e.ProductUpserted:
            self._stated(key, sku, event, rank)
            return
        if sku.catalogued is None or sku.catalogued > at:
            self._named(key, sku, at, rank, None)
        if kind in BOOKED:
            units = event.data.quantity if event.data.quantity > 0 else 0
            self._recents.add(key, Change(self._unsettled(at), rank), units, units)
            return
        if kind is e.InventoryCounted:
            self._recents.add(key, Change(self._unsettled(_known(event)), rank), COUNTED, COUNTED)
        watch = self._watch(key)
        watch.waiting.append(event)
        self._arm(key, watch, _known(event))

    def defined(self, event: e.ProductUpserted) -> None:
        """A kit names its components, and so they are known."""
        for component in event.data.components or ():
            if self._mine(component.sku):
                self._catalogued(component.sku, self._watch(component.sku), event.time)

    def weigh(self, key: str, sku: Sku, record: Availability) -> None:
        """After a batch: watch the SKU if it may have been short at an instant that is not settled."""
        young, old = self._recents.young.get(key), self._recents.old.get(key)
        units = inflow = 0
        for recent in (young, old):
            if recent is not None:
                units += recent.units
                inflow += recent.inflow
        if not record.shortage:
            for pool in record.pools:
                if pool.ats < units:
                    break
            else:
                for place in record.locations:
                    if place.on_hand < inflow or (
                        self._pooled is not None and place.location not in self._pooled and place.free < units
                    ):
                        break
                else:
                    return
        if not record.shortage and _untouched(sku, young, old):
            return
        watch = self._watch(key)
        watch.uneasy = True
        self._arm_changes(key, watch)

    def tell(
        self, watermark: datetime | None, catalogue: datetime | None, find: Callable[[str], Sku | None]
    ) -> list[ExceptionRecord]:
        """Every change of an exception up to the watermark. `catalogue`: when the first product event was."""
        if watermark is None or watermark < self._watermark:
            return []
        self._watermark = watermark
        if self._nameless and catalogue is not None and catalogue <= watermark:
            for key in sorted(self._nameless):
                self._arm(key, self._watch(key), watermark)
            self._nameless.clear()
        records: list[ExceptionRecord] = []
        soonest = self._deadlines.soonest
        if soonest is not None and soonest <= watermark:
            for key in list(self._deadlines.due(watermark)):
                watch = self._watches.get(key)
                if watch is not None and watch.armed is not None and watch.armed <= watermark:
                    watch.armed = None
                    records += self._look(key, watch, find(key), catalogue)
        self._recents.turn(watermark)
        self._watches.settle(LIVE_LIMIT)
        return records

    def _look(
        self, key: str, watch: Watch, sku: Sku | None, catalogue: datetime | None
    ) -> list[ExceptionRecord]:
        """Judge what is settled of one SKU, tell it, and see when to look again."""
        watermark = self._watermark
        if watch.waiting:
            ready = [event for event in watch.waiting if _known(event) <= watermark]
            watch.waiting = [event for event in watch.waiting if _known(event) > watermark]
            for event in sorted(ready, key=_by_time):
                self._judge(watch, sku, event)
        if watch.uneasy and sku is not None:
            self._walk(key, watch, sku)
        if watch.named is not None and (catalogue is None or catalogue > watermark):
            self._nameless.add(key)
        episodes = [*watch.episodes, *unknown_sku(key, watch, catalogue, watermark)]
        if not episodes and not watch.told:
            records = []
        else:
            records = self._tracker.tell(watch.told, episodes, watermark)
            wake = self._tracker.wake(episodes, watermark)
            if wake is not None:
                self._arm(key, watch, wake)
            self._forget(watch)
        if watch.waiting:
            self._arm(key, watch, min(map(_known, watch.waiting)))
        return records

    def _judge(self, watch: Watch, sku: Sku | None, event: Any) -> None:
        kind, cost = type(event), self._cost(watch, event)
        if kind is e.ListingAcknowledged:
            told_anew(watch, event)
        elif kind is e.ListingObserved:
            listing_out_of_sync(watch, event, self._time.listing_grace, cost)
        elif kind is e.ListingRejected:
            listing_rejected(watch, event)
        elif sku is not None and self._comparable(event.data.location):
            if kind is e.InventoryCounted:
                place = self._places.get(event.data.location)
                count_variance(watch, sku, event, 0 if place is None else place.count_tolerance, cost)
            else:
                erp_out_of_sync(watch, sku, event, self._time.erp_grace, cost)

    def _cost(self, watch: Watch, event: Any) -> Decimal:
        return cost_at(watch, _known(event))

    def _comparable(self, location: str) -> bool:
        """Whether the book means physical units at any time: not where counts are all there is, or net of promises."""
        place = self._places.get(location)
        return place is None or (place.movements and place.counts == "physical")

    def _walk(self, key: str, watch: Watch, sku: Sku) -> None:
        changes = self._recents.of(key)
        since = max(watch.walked, self._recents.cover)
        for at, then, ranks in walk(self._rules, sku, changes, since, self._watermark):
            places = self._rules.locations(then)
            shortage = self._rules.shortage(then, places)
            moment = Moment(key, at, then, places, shortage, cost_at(watch, at), named(ranks))
            follow(watch.episodes, WALKED, [*oversold(moment), *negative_on_hand(moment)], at)
        watch.walked = self._watermark
        watch.uneasy = False
        if any(change.at > self._watermark for change in changes):
            watch.uneasy = True
            self._arm_changes(key, watch)

    def _forget(self, watch: Watch) -> None:
        """Let go of a subject whose episodes have all been over for longer than the retention."""
        horizon = self._watermark - self._retention
        kept = {
            (x.code, x.subject)
            for x in watch.episodes
            if x.cleared_at is None or x.cleared_at > horizon or x.opened_at > self._watermark
        }
        gone = {f"{x.code}:{x.subject}" for x in watch.episodes if (x.code, x.subject) not in kept}
        if gone:
            watch.episodes = [x for x in watch.episodes if (x.code, x.subject) in kept]
            for told in [told for told in watch.told if told.rpartition(":")[0] in gone]:
                del watch.told[told]

    def _stated(self, key: str, sku: Sku, event: e.ProductUpserted, rank: str) -> None:
        if sku.catalogued is None or event.time < sku.catalogued:
            sku.catalogued = event.time
        watch = self._watch(key)
        self._catalogued(key, watch, event.time)
        if event.data.unit_cost is not None:
            watch.costs.append(Cost(event.data.version or 0, event.time, rank, event.data.unit_cost))
            self._thin(watch)

    def _thin(self, watch: Watch) -> None:
        """Of the statements that are settled only the one that counts is needed."""
        settled = [cost for cost in watch.costs if cost.at <= self._watermark]
        if len(settled) > 1:
            best = max(settled, key=lambda cost: (cost.version, cost.at, cost.rank))
            watch.costs = [best, *(cost for cost in watch.costs if cost.at > self._watermark)]

    def _catalogued(self, key: str, watch: Watch, at: datetime) -> None:
        if watch.catalogued is None or at < watch.catalogued:
            watch.catalogued = at
            if watch.named is not None:
                self._arm(key, watch, at)

    def _named(self, key: str, sku: Sku, at: datetime, rank: str, order_id: str | None) -> None:
        """A SKU was named at an instant at which no product event had named it, as far as is known."""
        if sku.named_at is not None and at > sku.named_at:
            return
        watch = self._watch(key)
        if watch.named is None or (at, rank) < (watch.named.at, watch.named.rank):
            sku.named_at = at
            watch.named = Naming(at, rank, order_id)
            self._arm(key, watch, at)

    def _watch(self, key: str) -> Watch:
        watch = self._watches.get(key)
        if watch is None:
            watch = Watch()
            self._watches.put(key, watch)
        return watch

    def _unsettled(self, at: datetime) -> datetime:
        """An instant that has been told of already is over: what comes so late counts from now on."""
        return at if at > self._watermark else self._watermark + INSTANT

    def _arm(self, key: str, watch: Watch, at: datetime) -> None:
        if watch.armed is None or at < watch.armed:
            watch.armed = at
            self._deadlines.arm(at, key)

    def _arm_changes(self, key: str, watch: Watch) -> None:
        """Wake the SKU at its first change that has not been walked."""
        at = min((c.at for c in self._recents.of(key) if c.at > watch.walked), default=None)
        if at is not None:
            self._arm(key, watch, at)

    def snapshot(self) -> Saved:
        return Saved(
            self._watches.snapshot(),
            self._recents,
            self._deadlines.snapshot(),
            sorted(self._nameless),
            self._watermark,
        )

    def restore(self, saved: Saved) -> None:
        self._watches.restore(saved.watches)
        self._recents = saved.recents
        self._deadlines = Deadlines(saved.deadlines)
        self._nameless = set(saved.nameless)
        self._watermark = saved.watermark


def _known(event: Any) -> datetime:
    """When an event is a fact: once told, and not before the cut it speaks of."""
    at: datetime = event.time
    as_of: datetime | None = getattr(event.data, "as_of", None)
    return at if as_of is None or as_of < at else as_of


def _by_time(event: Any) -> tuple[datetime, str, str]:
    return _known(event), event.source, event.id


def _untouched(sku: Sku, *recents: Any) -> bool:
    """Nobody ever claimed it and nothing moved: there were only counts."""
    if sku.held or any(change.order_id for recent in recents if recent for change in recent.changes):
        return False
    return not any(ledger.moves for book in sku.books.values() for ledger in book.values())
