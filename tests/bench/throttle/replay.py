"""Plays a market through the real feeds under one policy and adds up what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from canonical.policy import Channel
from operators.throttle.feed import Feed
from operators.throttle.risk import Ranking
from tests.bench.throttle.market import CHANNELS, Delivery, Market, Order

OVERSOLD, LOST = 5, 1
"""Cost of a unit."""


class Result(NamedTuple):
    """Units demanded, oversold and lost; calls made; the oldest an update was when told, in hours."""

    demanded: int
    oversold: int
    lost: int
    calls: int
    oldest: float

    @property
    def cost(self) -> float:
        """Per 10,000 demanded units."""
        return 1e4 * (OVERSOLD * self.oversold + LOST * self.lost) / self.demanded


class Replay:
    """One market, one policy (`rankings`: per channel; None is our own). Channels show what was told less sales."""

    def __init__(self, market: Market, policy: Channel, rankings: Sequence[Ranking | None]) -> None:
        self._market = market
        self._skus = [f"s{sku}" for sku in range(len(market.levels))]
        self._place = {sku: place for place, sku in enumerate(self._skus)}
        self._stock = list(market.levels)
        self._shown = [list(market.levels) for _ in CHANNELS]
        self._feeds = [
            Feed(name, policy, ranking=ranking) for name, ranking in zip(CHANNELS, rankings, strict=True)
        ]
        self._demanded = self._oversold = self._lost = 0
        self._age = 0.0
        self._warm_up()

    def _warm_up(self) -> None:
        """The past teaches demand; every channel starts with the truth."""
        for order in self._market.past:
            self._feeds[order.channel].sold(self._skus[order.sku], order.units, order.at, order.at)
        for feed in self._feeds:
            for sku, level in zip(self._skus, self._market.levels, strict=True):
                listing = feed.listing(sku)
                listing.quantity = listing.told = listing.shown = level

    def run(self) -> Result:
        for event in self._market.future:
            for channel, feed in enumerate(self._feeds):
                self._advance(channel, feed, event.at)
            if isinstance(event, Delivery):
                self._set(event.sku, max(self._stock[event.sku], event.level), event.at)
            else:
                self._order(event, event.at)
        calls = sum(feed.pace.calls for feed in self._feeds)
        return Result(self._demanded, self._oversold, self._lost, calls, self._age)

    def _advance(self, channel: int, feed: Feed, until: int) -> None:
        for update in feed.advance(until, inclusive=False):
            self._shown[channel][self._place[update.sku]] = update.quantity
            if update.reason != "refresh":
                age = (update.released_at - update.queued_at).total_seconds() / 3600
                self._age = max(self._age, age)

    def _order(self, order: Order, now: int) -> None:
        shown, stock = self._shown[order.channel], self._stock[order.sku]
        accepted, available = min(order.units, shown[order.sku]), min(order.units, stock)
        self._demanded += order.units
        self._oversold += max(0, accepted - available)
        self._lost += max(0, available - accepted)
        if accepted:
            shown[order.sku] -= accepted
            self._feeds[order.channel].sold(self._skus[order.sku], accepted, now, now)
            self._set(order.sku, max(0, stock - accepted), now)

    def _set(self, sku: int, stock: int, now: int) -> None:
        if stock != self._stock[sku]:
            self._stock[sku] = stock
            for feed in self._feeds:
                feed.offer(self._skus[sku], stock, now)
