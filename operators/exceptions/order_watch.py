"""The exceptions of one shard's orders: wakes an order when something may have gone wrong, and tells what has.

An order is looked at when time reaches its `wake`: a deadline it has not met by what is known, or an event that
contradicts others. Ordinary orders are looked at a few times in their lives and at no length; `order_walk.py` goes
through the instants of the others. Cost per event does not grow with the number of orders.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from canonical import events as e
from canonical.outputs import ExceptionRecord
from canonical.policy import Policy
from operators.deadlines import Deadlines
from operators.exceptions.order_doubt import contradicts
from operators.exceptions.order_due import missed
from operators.exceptions.order_heed import Heed
from operators.exceptions.order_view import sla_of
from operators.exceptions.order_walk import episodes
from operators.exceptions.tracker import INSTANT, Tracker
from operators.hindsight import blows, moments
from operators.kits import Kits
from operators.order import Order
from operators.story import Upshot

SOON = datetime(1970, 1, 1, tzinfo=UTC)
"""To be looked at as soon as time is known at all."""
IDLE = frozenset({e.ShipmentInTransit, e.ShipmentOutForDelivery})
"""News that neither open nor clear anything."""


class OrderWatch:
    """Keeps one timer per order in `order.wake`, and what was told in `order.exceptions`."""

    def __init__(self, policy: Policy, kits: Kits) -> None:
        self._policy, self._kits = policy, kits
        self._tracker = Tracker(policy.severity)
        self._heed = Heed(policy, kits)
        self._deadlines = Deadlines()
        self.heeded = frozenset(self._heed.of)

    def join(self, key: str, order: Order, event: Any) -> None:
        """Arm the timer if the event that has joined the order is cause to look at it.

        To be called for every event of the types `heeded`, and for every event of an order with `exceptions`.
        """
        kind = type(event)
        heed = self._heed.of.get(kind)
        at = heed(order, event) if heed is not None else None
        if order.looked is not None and event.time <= order.looked:
            order.looked = None
            at = event.time if at is None or event.time < at else at
        elif order.exceptions and kind not in IDLE and _open(order):
            at = event.time
        if at is not None:
            self.arm(key, order, at)

    def stand(self, key: str, order: Order, so_far: Upshot) -> None:
        """Arm the timer if what the order stands at now is cause to look at it."""
        at = self._heed.standing(order, so_far)
        if at is not None:
            self.arm(key, order, at)

    def recast(self, key: str, order: Order) -> None:
        """A kit the order names is made of other parts now: all that was told of the order is to be told anew."""
        order.odd = True
        self.arm(key, order, SOON)

    def arm(self, key: str, order: Order, at: datetime) -> None:
        """Look at the order when time has reached `at`, or sooner."""
        if order.wake is None or at < order.wake:
            order.wake = at
            self._deadlines.arm(at, key)

    def due(self, watermark: datetime) -> Iterator[str]:
        """Keys whose timer has run out; whether there is still cause the order's own `wake` says."""
        return self._deadlines.due(watermark)

    def look(self, key: str, order: Order, so_far: Upshot, watermark: datetime) -> list[ExceptionRecord]:
        """The records that bring what was told of the order up to the watermark."""
        order.wake = None
        self._judge(order, so_far, watermark)
        since, order.looked = order.looked, watermark
        ordinary = not order.odd
        dues = sorted(missed(order, so_far, sla_of(self._policy, order.channel))) if ordinary else []
        if ordinary and not _open(order) and (since is not None or not order.exceptions):
            soonest = next((due for due in dues if since is None or due >= since), None)
            if soonest is None or soonest >= watermark:
                wake = None if soonest is None else soonest + INSTANT
                self._rearm(key, order, [wake, self._next_doubt(order, watermark)])
                return []
        times = moments(order)
        settled = bisect_right(times, watermark)
        first = dues[0] if dues else since if not order.exceptions else None
        start = max(0, bisect_right(times, first) - 1) if first is not None else 0
        found, next_due = episodes(key, order, times[start:settled], watermark, self._kits, self._policy)
        records = self._tracker.tell(order.exceptions, found, watermark)
        wakes = [self._tracker.wake(found, watermark)]
        wakes += [due + INSTANT for due in dues if due >= watermark][:1]
        if next_due is not None and order.odd:
            wakes.append(next_due + INSTANT)
        if settled < len(times) and _open(order):
            wakes.append(times[settled])
        elif order.odd or order.doubt is not None:
            wakes.append(_next_blow(order, watermark))
        self._rearm(key, order, wakes)
        return records

    def _judge(self, order: Order, so_far: Upshot, watermark: datetime) -> None:
        """Settle the doubts that time has reached."""
        if order.doubt is not None and not order.odd:
            order.odd = contradicts(order, so_far, self._kits, watermark)
        if order.doubt is not None and order.doubt <= watermark:
            order.doubt = None

    def _next_doubt(self, order: Order, watermark: datetime) -> datetime | None:
        """The next instant at which a doubt may be settled."""
        return None if order.doubt is None else _next_blow(order, watermark)

    def _rearm(self, key: str, order: Order, times: list[datetime | None]) -> None:
        at = min((at for at in times if at is not None), default=None)
        if at is not None:
            self.arm(key, order, at)

    def snapshot(self) -> list[tuple[datetime, str]]:
        return self._deadlines.snapshot()

    def restore(self, deadlines: list[tuple[datetime, str]]) -> None:
        self._deadlines = Deadlines(deadlines)


def _next_blow(order: Order, watermark: datetime) -> datetime | None:
    """The next instant, of those known, at which something can be wrong at once."""
    return min((at for at in blows(order) if at > watermark), default=None)


def _open(order: Order) -> bool:
    """Whether an exception of the order is told and not cleared."""
    return any(told.cleared_at is None for told in order.exceptions.values())
