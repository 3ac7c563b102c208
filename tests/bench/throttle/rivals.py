"""The other policies, as rankings for the same queue."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from operators.throttle.listing import Listing
from tests.bench.throttle.market import Market, Order

KEEP = -0.5
"""Below every score: only refreshes, which change nothing shown, wait for a full bucket."""


class FirstInFirstOut:
    """Of equals the one that waited longest comes first, and here all are equal."""

    floor = KEEP

    def score(self, sku: str, listing: Listing, now: int) -> float:
        return 1.0


class LargestChange:
    floor = KEEP

    def score(self, sku: str, listing: Listing, now: int) -> float:
        return float(abs((listing.quantity or 0) - (listing.shown or 0)))


class ZeroFirst:
    """Zero-crossings first, then the relative change."""

    floor = KEEP

    def score(self, sku: str, listing: Listing, now: int) -> float:
        a, p = listing.quantity or 0, listing.shown or 0
        return ((a == 0) != (p == 0)) + abs(a - p) / max(a, p, 1)


class Clairvoyant:
    """Knows every order to come: earliest deadline first, a deadline being the next order that would find it wrong."""

    floor = 0.0

    def __init__(self, market: Market, channel: int) -> None:
        self._times: dict[str, list[int]] = defaultdict(list)
        self._units: dict[str, list[int]] = defaultdict(list)
        for order in market.future:
            if type(order) is Order and order.channel == channel:
                self._times[f"s{order.sku}"].append(order.at)
                self._units[f"s{order.sku}"].append(order.units)

    def score(self, sku: str, listing: Listing, now: int) -> float:
        times, units = self._times[sku], self._units[sku]
        safe = min(listing.quantity or 0, listing.shown or 0)
        for place in range(bisect_right(times, now), len(times)):
            safe -= units[place]
            if safe < 0:
                return 1e9 / times[place]
        return 0.0
