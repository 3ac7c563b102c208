"""How many of what can be sold a channel may show (DESIGN section 4, channel quantity)."""

from __future__ import annotations

from fractions import Fraction

from canonical.policy import ALL, Channel, Policy


class Quote:
    """min(max_listed, max(0, ⌊share × ats⌋ − buffer)); less the stale buffer while a source of the pool is stale."""

    def __init__(self, policy: Channel) -> None:
        # The share as it is written: 0.29 × 100 is 29, not the 28 that binary fractions make of it.
        share = Fraction(repr(policy.share))
        self._times, self._over = share.numerator, share.denominator
        self._policy = policy
        self._excluded = frozenset(policy.excluded)

    def quantity(self, sku: str, ats: int, *, active: bool, stale: bool) -> int:
        """Units to show, never negative. An inactive product or an excluded SKU shows 0."""
        if not active or sku in self._excluded:
            return 0
        policy = self._policy
        withheld = policy.buffer + (policy.stale_buffer if stale else 0)
        quantity = max(0, ats * self._times // self._over - withheld)
        return quantity if policy.max_listed is None else min(policy.max_listed, quantity)


def stale_pools(policy: Policy, sources: set[str]) -> set[str]:
    """The pools with a location that one of the stale `sources` feeds; `all` has every location."""
    places = {place for name in sources if name in policy.sources for place in policy.sources[name].feeds}
    pools = {name for name, members in policy.pools.items() if places.intersection(members)}
    return pools | {ALL} if places else pools
