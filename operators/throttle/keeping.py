"""A feed as a snapshot keeps it, and whether what it holds agrees with itself.

Only what cannot be worked out again is kept: the queue is built anew from the listings that wait, in the same order.
"""

from __future__ import annotations

from heapq import heapify

from msgspec import Struct

from operators.throttle.breaker import BreakerState
from operators.throttle.feed import Feed
from operators.throttle.pace import PaceState
from operators.throttle.risk import REFRESH


class FeedState(Struct, array_like=True):
    """What a snapshot of a feed holds."""

    listings: dict[str, bytes]
    at: int
    places: int
    credit: int
    failed_call: int
    good_call: int
    pace: PaceState
    breaker: BreakerState
    holds: list[tuple[int, str]]
    rejections: dict[str, int]


def keep(feed: Feed) -> FeedState:
    """The state of a feed: views that are good until its next change."""
    return FeedState(
        feed.listings.snapshot(),
        feed.at,
        feed.places,
        feed.queue.credit,
        feed.failed_call,
        feed.good_call,
        feed.pace.snapshot(),
        feed.breaker.snapshot(),
        feed.holds,
        feed.rejections,
    )


def take_up(feed: Feed, state: FeedState) -> None:
    """Bring a new feed to a kept state."""
    feed.listings.restore(state.listings)
    feed.at, feed.places = state.at, state.places
    feed.failed_call, feed.good_call = state.failed_call, state.good_call
    feed.pace.restore(state.pace)
    feed.breaker.restore(state.breaker)
    feed.holds, feed.rejections = list(state.holds), dict(state.rejections)
    heapify(feed.holds)
    waiting = [(sku, listing) for sku, listing in feed.listings.peek() if listing.queued_at >= 0]
    risks = [listing.risk for _, listing in waiting if listing.risk >= 0]
    feed.waiting, feed.units_at_risk = len(risks), sum(risks)
    feed.queue.fill((-w.score, w.place, sku) for sku, w in waiting if not w.held_until)
    feed.queue.credit = state.credit


def check(feed: Feed) -> None:
    """Raise AssertionError if an invariant of a feed does not hold."""
    risks: list[int] = []
    free = 0
    for sku, listing in feed.listings.peek():
        waits = listing.queued_at >= 0
        assert waits == listing.wanted, f"{sku}: waits for nothing, or unseen"
        assert (listing.risk >= 0) == (waits and listing.score != REFRESH), f"{sku}: counted wrongly"
        assert not listing.in_flight or listing.held_until, f"{sku}: in flight for ever"
        assert listing.quantity is None or listing.quantity >= 0, f"{sku}: negative quantity"
        risks += [listing.risk] * (listing.risk >= 0)
        free += waits and not listing.held_until
    assert (len(risks), sum(risks)) == (feed.waiting, feed.units_at_risk), f"{feed.channel}: wrong totals"
    assert free == len(feed.queue), f"{feed.channel}: what waits is not what is queued"
