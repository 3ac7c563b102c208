"""What a channel says of what it was told: taken, refused, or shown (DESIGN section 7).

An update is told the moment it is released. A refusal takes that back: the listing is believed to show what it showed
before, and is told again, come what may, after a pause that doubles with every refusal in a row. An acknowledgement of
another quantity than was sent counts as the channel's own word of what it shows, and is put right after the same
pause, so that a channel that cuts every quantity is not called for ever. Answers to older versions concern nobody.

`at`: when it was said, or now if that is later. `now`: the time of the feed.
"""

from __future__ import annotations

from canonical import events as e
from operators.throttle.feed import Feed
from operators.throttle.instants import SECOND, micros
from operators.throttle.listing import Listing

LONGEST_PAUSE = 86_400 * SECOND


def acknowledged(feed: Feed, event: e.ListingAcknowledged, at: int, now: int) -> None:
    """The channel has taken a version."""
    answer = event.data
    listing = feed.listing(answer.sku)
    if answer.version != listing.version or listing.answered == listing.version:
        return
    feed.succeeded(listing.call)
    _land(listing)
    if answer.quantity == listing.told:
        listing.failures = 0
    else:
        listing.shown = answer.quantity
        _pause(feed, answer.sku, listing, at)
    feed.settle(answer.sku, listing, now)


def rejected(feed: Feed, event: e.ListingRejected, at: int, now: int) -> None:
    """The channel has refused a version, or its whole call. A retry-after holds whichever version it names."""
    answer = event.data
    listing = feed.listing(answer.sku)
    feed.pace.block(at, round((answer.retry_after_seconds or 0) * SECOND))
    if answer.version != listing.version or listing.answered == listing.version:
        return
    feed.rejections[answer.code] = feed.rejections.get(answer.code, 0) + 1
    feed.failed(listing.call, at)
    _land(listing)
    listing.told, listing.shown = listing.previous, listing.before
    listing.doubt = True
    _pause(feed, answer.sku, listing, at)
    feed.settle(answer.sku, listing, now)


def observed(feed: Feed, event: e.ListingObserved, at: int, now: int) -> None:
    """What the channel shows by its own word; believed when it is from well after it was last told anything."""
    word = event.data
    listing = feed.listing(word.sku)
    settled = listing.version == 0 or micros(word.as_of) >= listing.released_at + feed.patience
    if not settled or listing.in_flight or micros(word.as_of) < listing.observed_at:
        return
    listing.observed_at = micros(word.as_of)
    if listing.version and word.quantity not in {listing.shown, listing.quantity}:
        listing.correcting = True
    listing.shown = word.quantity
    listing.doubt = False
    feed.settle(word.sku, listing, now)


def _land(listing: Listing) -> None:
    """The version in flight has its answer."""
    listing.in_flight = False
    listing.held_until = 0
    listing.answered = listing.version
    listing.doubt = False


def _pause(feed: Feed, sku: str, listing: Listing, at: int) -> None:
    listing.correcting = True
    listing.failures += 1
    pause = min(LONGEST_PAUSE, feed.patience << min(listing.failures - 1, 20))
    feed.hold(sku, listing, at + pause)
