"""Words for tests of drivers: updates to tell, and waiting for what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from canonical.events import ListingAcknowledged, ListingRejected
from canonical.outputs import ChannelUpdate
from canonical.policy import Policy
from sinks.channels.answers import Told
from sinks.channels.desk import Desk, Unfinished

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def update(sku: str, quantity: int, version: int = 1, **changes: Any) -> ChannelUpdate:
    """One update of channel `c`; its listing is `L-<sku>` unless told otherwise."""
    fields: dict[str, Any] = {
        "channel": "c",
        "sku": sku,
        "listing_id": f"L-{sku}",
        "quantity": quantity,
        "previous_quantity": None,
        "version": version,
        "ats": quantity,
        "reason": "refresh",
        "call": version,
        "queued_at": AT,
        "released_at": AT + timedelta(seconds=version),
        "correlationid": sku,
    }
    return ChannelUpdate(**{**fields, **changes})


def open_desk(channels: dict[str, Any], unfinished: Unfinished | None = None) -> Desk:
    """A desk whose pauses are a fraction of the real ones."""
    return Desk(Policy(channels=channels), unfinished, first_wait=0.03)


def wait_for(desk: Desk, done: Callable[[list[Told]], bool], seconds: float = 10) -> list[Told]:
    """The events told until `done` says so of them all."""
    told: list[Told] = []
    over = time.monotonic() + seconds
    while True:
        told += desk.poll(AT)
        if done(told):
            return told
        if time.monotonic() > over:
            raise AssertionError(f"still waiting; told so far: {told}; unfinished: {desk.unfinished()}")
        time.sleep(0.005)


def taken(told: list[Told]) -> dict[str, tuple[int, int]]:
    """SKU → version and quantity of its latest acknowledgement."""
    return {e.data.sku: (e.data.version, e.data.quantity) for e in told if isinstance(e, ListingAcknowledged)}


def refused(told: list[Told]) -> dict[str, str]:
    """SKU → code of its latest rejection."""
    return {e.data.sku: e.data.code for e in told if isinstance(e, ListingRejected)}
