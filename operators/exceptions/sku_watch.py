"""The exceptions of one shard's SKUs: told from settled facts only, and for next to nothing where stock is comfortable.

Counts, reports and listings wait until the watermark has passed them and are then judged in the order of time. Whether
a SKU was oversold or a book below zero at some instant follows from the walk through that stretch of time (`walk.py`);
only an *uneasy* SKU is walked: one whose ats would not outlast the undoing of all its unsettled changes. A kit's
definition is taken as it is now, also for what was before it: it should be told before its first order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from canonical import events as e
from canonical.messages import Claim
from canonical.outputs import Availability, ExceptionRecord
from canonical.policy import Policy
from operators.deadlines import Deadlines
from operators.exceptions.episode import named
from operators.exceptions.follow import follow
from operators.exceptions.judging import Judge, by_time, known_at
from operators.exceptions.negative_on_hand import negative_on_hand
from operators.exceptions.oversold import oversold
from operators.exceptions.recent import BEGINNING, Change, Generations
from operators.exceptions.seen import Cost, Moment, Naming, Watch, cost_at, forget, thin
from operators.exceptions.tracker import INSTANT, Tracker
from operators.exceptions.unknown_sku import unknown_sku
from operators.exceptions.unrest import recounted, restless, steps_of, weigh
from operators.exceptions.walk import walk
from operators.shelf import LIVE_LIMIT, Shelf
from operators.sku import Arithmetic, Sku

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
        self._judge = Judge(policy)
        self._retention: timedelta = policy.time.retention
        self._policy = policy
        self._obscure = frozenset(
            name for name, x in policy.locations.items() if not x.movements or x.counts != "physical"
        )
        self._pools: dict[str | None, frozenset[str] | None] = {}
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
        if claim.stood_at is None:
            return
        pool = self._pool_of(claim.channel)
        for change, moves in steps_of(claim, before, sku.held.get(claim.order_id)):
            if change.before is not None or moves:
                weigh(sku, change, moves, pool)
            if change.at <= self._watermark:
                change.at = self._watermark + INSTANT
            self._recents.add(claim.sku, change)

    def _pool_of(self, channel: str | None) -> frozenset[str] | None:
        """The locations of a channel's pool; None: all."""
        if channel not in self._pools:
            places = self._policy.pools.get(self._policy.pool_of(channel or ""))
            self._pools[channel] = None if places is None else frozenset(places)
        return self._pools[channel]

    def heard(self, key: str, sku: Sku, event: Any, rank: str) -> None:
        """Remember what an event of the SKU's own may make wrong."""
        kind, at = type(event), event.time
        if kind is e.ProductUpserted:
            self._stated(key, sku, event, rank)
            return
        if sku.catalogued is None or sku.catalogued > at:
            self._named(key, sku, at, rank, None)
        if kind in BOOKED:
            units = event.data.quantity
            if units < 0:
                units = -units if self._recents.counted(key) else 0
            change = Change(self._unsettled(at), rank, "", None, None, event.data.location, units, units)
            self._recents.add(key, change)
            return
        if kind is e.InventoryCounted:
            units = recounted(sku, event, rank)
            since = self._unsettled(known_at(event))
            change = Change(since, rank, "", None, None, event.data.location, units, units)
            self._recents.add(key, change, counted=True)
        watch = self._watch(key)
        watch.waiting.append(event)
        self._arm(key, watch, known_at(event))

    def defined(self, event: e.ProductUpserted) -> None:
        """A kit names its components, and so they are known."""
        for component in event.data.components or ():
            if self._mine(component.sku):
                self._catalogued(component.sku, self._watch(component.sku), event.time)

    def weigh(self, key: str, sku: Sku, record: Availability) -> None:
        """After a batch: watch the SKU if it may have been short at an instant that is not settled."""
        if restless(self._recents, key, sku, record, self._watermark, self._obscure):
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
            ready = [event for event in watch.waiting if known_at(event) <= watermark]
            watch.waiting = [event for event in watch.waiting if known_at(event) > watermark]
            for event in sorted(ready, key=by_time):
                self._judge.settled(watch, sku, event)
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
            forget(watch, watermark - self._retention)
        ahead = [known_at(event) for event in watch.waiting]
        ahead += [at for at in (watch.named and watch.named.at, watch.catalogued) if at and at > watermark]
        if ahead:
            self._arm(key, watch, min(ahead))
        return records

    def _walk(self, key: str, watch: Watch, sku: Sku) -> None:
        changes = self._recents.of(key)
        since = max(watch.walked, self._recents.cover)
        for at, then, ranks in walk(self._rules, sku, changes, since, self._watermark):
            places = self._rules.locations(then)
            shortage = self._rules.shortage(then, places)
            if shortage or any(place.on_hand < 0 for place in places):
                evidence = named(ranks)
                moment = Moment(key, at, then, places, shortage, cost_at(watch, at), evidence)
                follow(watch.episodes, WALKED, [*oversold(moment), *negative_on_hand(moment)], at)
            elif watch.episodes:
                follow(watch.episodes, WALKED, (), at)
        watch.walked = self._watermark
        watch.uneasy = False
        if any(change.at > self._watermark for change in changes):
            watch.uneasy = True
            self._arm_changes(key, watch)

    def _stated(self, key: str, sku: Sku, event: e.ProductUpserted, rank: str) -> None:
        if sku.catalogued is None or event.time < sku.catalogued:
            sku.catalogued = event.time
        watch = self._watch(key)
        self._catalogued(key, watch, event.time)
        if event.data.unit_cost is not None:
            watch.costs.append(Cost(event.data.version or 0, event.time, rank, event.data.unit_cost))
            thin(watch, self._watermark)

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
