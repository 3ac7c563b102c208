"""Settled counts, balances and listings go to their rules, one by one in the order of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from canonical import events as e
from canonical.policy import Location, Policy
from operators.exceptions.count_variance import count_variance
from operators.exceptions.erp_out_of_sync import erp_out_of_sync
from operators.exceptions.listings import listing_out_of_sync, listing_rejected, told_anew
from operators.exceptions.seen import Watch, cost_at
from operators.sku import Sku

PLAIN = Location()


class Judge:
    """Knows the retailer's tolerances and graces."""

    def __init__(self, policy: Policy) -> None:
        self._time, self._places = policy.time, policy.locations

    def settled(self, watch: Watch, sku: Sku | None, event: Any) -> None:
        """Judge one event by the facts known when it was told. `sku` None: it has no stock of its own."""
        kind, cost = type(event), cost_at(watch, known_at(event))
        if kind is e.ListingAcknowledged:
            told_anew(watch, event)
        elif kind is e.ListingObserved:
            listing_out_of_sync(watch, event, self._time.listing_grace, cost)
        elif kind is e.ListingRejected:
            listing_rejected(watch, event)
        elif sku is not None:
            place = self._places.get(event.data.location, PLAIN)
            if not place.movements or place.counts != "physical":
                return  # the book there is no more than the last count, or net of promises
            if kind is e.InventoryCounted:
                count_variance(watch, sku, event, place.count_tolerance, cost)
            else:
                erp_out_of_sync(watch, sku, event, self._time.erp_grace, cost)


def known_at(event: Any) -> datetime:
    """When an event is a fact: once told, and not before the cut it speaks of."""
    at: datetime = event.time
    as_of: datetime | None = getattr(event.data, "as_of", None)
    return at if as_of is None or as_of < at else as_of


def by_time(event: Any) -> tuple[datetime, str, str]:
    """The order in which events are judged."""
    return known_at(event), event.source, event.id
