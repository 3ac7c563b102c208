"""What it costs to leave a listing wrong: the order in which channels are told (DESIGN section 7).

Demand D until the next turn: with n orders and m units an order expected, P = 1 − exp(−n) is the chance of any, and
then D is geometric with mean M = m·n / P. So L(x) = E[(D − x)⁺] = P·M·(1 − 1/M)ˣ, and a listing that shows p where a
is true costs

    oversell_cost · (L(a) − L(p))      when p > a
    lost_sale_cost · (L(p) − L(a))     when p < a

Orders are counted with exponentially fading weight; at a steady rate λ their weight comes to λ · half-life / ln 2.
"""

from __future__ import annotations

from math import exp, expm1, log
from typing import Protocol

from canonical.policy import Channel
from operators.throttle.instants import micros
from operators.throttle.listing import Listing

REFRESH = -1.0
"""The score of an update that changes nothing shown: after everything that does."""
UNSEEN = 0.25
"""Orders a SKU is taken to have had at least: places those never sold, or long ago, among those that sell."""


class Ranking(Protocol):
    """Scores listings that wait; ≥ 0, more is sooner. At or below `floor` they wait until the bucket is full."""

    floor: float

    def score(self, sku: str, listing: Listing, now: int) -> float: ...


class Risk:
    """The ranking by expected cost."""

    def __init__(self, policy: Channel) -> None:
        self._oversell, self._lost = policy.oversell_cost, policy.lost_sale_cost
        self._fading = log(2) / micros(policy.demand_half_life)
        self._turn = micros(policy.turn)
        self.floor = policy.deadband * max(self._oversell, self._lost)

    def learn(self, listing: Listing, units: int, now: int) -> None:
        """One order of `units`."""
        fade = exp(-self._fading * max(0, now - listing.sold_at))
        listing.orders = listing.orders * fade + 1
        listing.units = listing.units * fade + units
        listing.sold_at = max(now, listing.sold_at)

    def score(self, sku: str, listing: Listing, now: int) -> float:
        a = listing.quantity or 0
        if not listing.orders:
            return self._cold(listing.shown, a)
        fade = exp(-self._fading * max(0, now - listing.sold_at))
        expected = max(UNSEEN, listing.orders * fade) * self._fading * self._turn
        chance = -expm1(-expected)
        mean = max(1.0, listing.units / listing.orders * expected / chance)
        worst = self._harm(listing.shown, a, chance * mean, 1 - 1 / mean)
        return (
            max(worst, self._harm(listing.before, a, chance * mean, 1 - 1 / mean)) if listing.doubt else worst
        )

    def _harm(self, p: int | None, a: int, demand: float, tail: float) -> float:
        """`demand` = L(0). What is shown may be unknown: then the worse of too much and nothing."""
        at_a = tail**a
        if p is None:
            return demand * max(self._oversell * at_a, self._lost * (1 - at_a))
        missed = at_a - tail**p
        return demand * (self._oversell * missed if p > a else -self._lost * missed)

    def _cold(self, p: int | None, a: int) -> float:
        """Without demand yet: zero-crossings first (of those the dearer kind), then the relative change."""
        most = max(self._oversell, self._lost) or 1.0
        if p is None or (p == 0) != (a == 0):
            urgency = 1 + (self._lost if p == 0 else self._oversell) / most
        else:
            urgency = abs(a - p) / max(a, p, 1)
        return UNSEEN * self._fading * self._turn * most * urgency
