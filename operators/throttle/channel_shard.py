"""One shard of channels: hears what can be sold, tells each channel what its budget allows (DESIGN section 7).

Messages are taken one after another, each at the time it brings: calls due before that time know nothing of it, calls
at that time do. So how messages are cut into batches changes no call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct

from canonical import events as e
from canonical.channel_news import ChannelHealth, ChannelNews, Offer, Staleness
from canonical.keys import shard_of
from canonical.messages import Time
from canonical.outputs import ChannelUpdate
from canonical.policy import Channel, Policy
from operators.clock import Clock
from operators.seal import seal, unseal
from operators.shelf import LIVE_LIMIT, Shelf
from operators.throttle.answers import acknowledged, observed, rejected
from operators.throttle.feed import Feed
from operators.throttle.instants import micros, moment
from operators.throttle.keeping import FeedState, check, keep, take_up
from operators.throttle.quote import Quote, stale_pools

STEP = "channels"


class State(Struct, array_like=True):
    """What a snapshot of the shard holds."""

    clock: list[Time]
    now: int | None
    feeds: dict[str, FeedState]
    offers: dict[str, bytes]
    stale: list[str]


class Told(Struct):
    """What a batch came to: updates in the order released, and how every channel of the shard does."""

    updates: list[ChannelUpdate]
    health: list[ChannelHealth]


class ChannelShard:
    """The channels that hash to `index`, each with its own budget, queue and breaker: none delays another.

    `live`: time is the greatest `now` heard; else the watermark, and when all inputs have ended the queues are drained,
    time running on as far as the budgets need. `answered`: drivers answer every update, so nothing is drained.
    """

    def __init__(
        self,
        index: int,
        shards: int,
        upstreams: tuple[str, ...],
        policy: Policy,
        as_of: datetime | None,
        *,
        live: bool = False,
        answered: bool = False,
    ) -> None:
        self._index, self._shards = index, shards
        self._policy, self._live, self._answered = policy, live, answered
        self._clock = Clock(upstreams, as_of)
        self._now: int | None = None
        self._feeds: dict[str, Feed] = {}
        self._quotes: dict[str, Quote] = {}
        self._offers = Shelf(Offer)
        self._stale_sources: set[str] = set()
        self._stale: set[str] = set()
        for channel in sorted(policy.channels):
            self._feed(channel)

    def apply(self, messages: list[ChannelNews | Staleness]) -> Told:
        """Take the messages in order; make the calls that have become due."""
        updates: list[ChannelUpdate] = []
        for message in messages:
            if message.time is not None:
                self._hear(message.time, updates)
            if isinstance(message, Staleness):
                self._take_staleness(message)
            else:
                self._take(message)
            self._advance(updates, inclusive=True)
        for feed in self._feeds.values():
            feed.listings.settle(LIVE_LIMIT)
        self._offers.settle(LIVE_LIMIT)
        return Told(updates, [self._health(feed) for feed in self._feeds.values()])

    def _hear(self, time: Time, updates: list[ChannelUpdate]) -> None:
        self._clock.hear(time)
        known = time.now if self._live else self._clock.watermark
        if known is None or (self._now is not None and micros(known) <= self._now):
            return
        self._now = micros(known)
        for feed in self._feeds.values():
            feed.start(self._now)
        self._advance(updates, inclusive=False)

    def _advance(self, updates: list[ChannelUpdate], *, inclusive: bool) -> None:
        if self._now is None:
            return
        drain = inclusive and not self._answered and self._clock.ended
        for feed in self._feeds.values():
            updates += feed.advance(None if drain else self._now, inclusive=inclusive)

    def _take(self, news: ChannelNews) -> None:
        for offer in news.offers:
            known = self._offers.get(offer.sku)
            if known is None or offer.version >= known.version:
                self._offers.put(offer.sku, offer)
                for feed in self._feeds.values():
                    self._quote(feed, offer)
        for sale in news.sold:
            if (feed_ := self._feed(sale.channel)) is not None:
                feed_.sold(sale.sku, sale.units, self._at(sale.at), self._known(sale.at))
        for event in news.answers:
            if (feed_ := self._feed(event.data.channel)) is not None:
                ANSWERS[type(event)](feed_, event, self._at(event.time), self._known(event.time))

    def _take_staleness(self, message: Staleness) -> None:
        self._stale_sources = set(message.sources)
        before, self._stale = self._stale, stale_pools(self._policy, self._stale_sources)
        for channel, feed in self._feeds.items():
            if (self._policy.pool_of(channel) in before) != (self._policy.pool_of(channel) in self._stale):
                self._quote_all(feed)

    def _at(self, time: datetime) -> int:
        """When a fact takes effect: now, or its own time where that is ahead of the watermark."""
        return max(self._now or 0, micros(time))

    def _known(self, time: datetime) -> int:
        """Now; before any time is known, the time of the fact."""
        return micros(time) if self._now is None else self._now

    def _feed(self, channel: str) -> Feed | None:
        """The feed of a channel, made when it is first seen; None if it belongs to another shard."""
        feed = self._feeds.get(channel)
        if feed is None and shard_of(channel, self._shards) == self._index:
            policy = self._policy.channels.get(channel) or Channel()
            feed = Feed(channel, policy, answered=self._answered)
            self._feeds[channel], self._quotes[channel] = feed, Quote(policy)
            self._feeds = dict(sorted(self._feeds.items()))
            if self._now is not None:
                feed.start(self._now)
            self._quote_all(feed)
        return feed

    def _quote_all(self, feed: Feed) -> None:
        """In the order of the facts behind the offers: that of a shelf is another after a restart."""
        offers = [offer for _, offer in self._offers.peek()]
        for offer in sorted(offers, key=lambda offer: (offer.at, offer.sku)):
            self._quote(feed, offer)

    def _quote(self, feed: Feed, offer: Offer) -> None:
        """Set what the channel should show of a SKU."""
        pool = self._policy.pool_of(feed.channel)
        listing = feed.listing(offer.sku)
        listing.ats = next((ats for name, ats in offer.pools if name == pool), 0)
        feed.rename(offer.sku, offer.listings.get(feed.channel, offer.sku), self._known(offer.at))
        listing.cause = offer.correlationid
        quantity = self._quotes[feed.channel].quantity(
            offer.sku, listing.ats, active=offer.active, stale=pool in self._stale
        )
        feed.offer(offer.sku, quantity, self._known(offer.at))

    def _health(self, feed: Feed) -> ChannelHealth:
        oldest = feed.oldest
        at = self._now or 0
        return ChannelHealth(
            feed.channel,
            moment(at),
            feed.waiting,
            None if oldest is None else moment(oldest),
            feed.units_at_risk,
            feed.pace.calls,
            feed.pace.allowed(max(at, feed.at)),
            dict(feed.rejections),
            feed.pace.share,
            feed.breaker.is_open,
        )

    @property
    def due(self) -> datetime | None:
        """When a call or a timeout is due next if nothing new is heard: the host may sleep until then."""
        times = [due for feed in self._feeds.values() if (due := feed.due) is not None]
        return moment(min(times)) if times and self._now is not None else None

    def check(self) -> None:
        """Raise AssertionError if an invariant of the state does not hold."""
        for feed in self._feeds.values():
            check(feed)

    def snapshot(self) -> bytes:
        feeds = {channel: keep(feed) for channel, feed in self._feeds.items()}
        stale = sorted(self._stale_sources)
        state = State(self._clock.snapshot(), self._now, feeds, self._offers.snapshot(), stale)
        return seal(STEP, self._index, self._shards, state)

    def restore(self, sealed: bytes) -> None:
        """Take up a snapshot. A changed configuration takes effect here: every listing is quoted anew."""
        state: State = unseal(STEP, self._index, self._shards, sealed, State)
        self._clock.restore(state.clock)
        self._now = state.now
        self._stale_sources = set(state.stale)
        self._stale = stale_pools(self._policy, self._stale_sources)
        for channel, saved in state.feeds.items():
            feed = self._feed(channel)
            if feed is not None:
                take_up(feed, saved)
        self._offers.restore(state.offers)
        for feed in self._feeds.values():
            self._quote_all(feed)


ANSWERS: dict[type, Callable[[Feed, Any, int, int], None]] = {
    e.ListingAcknowledged: acknowledged,
    e.ListingRejected: rejected,
    e.ListingObserved: observed,
}
"""Listing event → how it is taken."""
