"""One order's life: every event of it in event time, its milestones and the time between them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from canonical.lifecycle import CHAIN
from canonical.outputs import Lifecycle
from canonical.topics import TYPE_NAME
from dataflows.availability import Plan
from dataflows.sieve import Sieve, of_keys


class Happening(Struct):
    """One event of the order, as its system told it."""

    at: datetime
    source: str
    type: str
    id: str
    what: str


class Milestone(Struct):
    """`after_seconds`: since the milestone before it in the chain; None for the first and those beside the chain.

    `implied`: no event says so, a later milestone does.
    """

    name: str
    at: datetime
    after_seconds: float | None
    implied: bool


class Trace(Struct):
    """The order's record, its milestones in order, what has not been reached, and all its events."""

    record: Lifecycle
    milestones: list[Milestone]
    missing: list[str]
    events: list[Happening]


def trace(plan: Plan, order_id: str) -> Trace | None:
    """Fold the order's events by the job's own rules; None if no event names it."""
    sieve = Sieve(plan, of_keys(set(), {order_id}))
    shard = sieve.orders(order_id)
    record, seen = shard.tell(order_id), shard.look(order_id)
    if record is None or seen is None:
        return None
    own = {*seen[0].own, "placed", "shipped", "delivered"}
    milestones: list[Milestone] = []
    before: datetime | None = None
    for name in CHAIN:
        at = record.milestones.get(name)
        if at is not None:
            gap = None if before is None else (at - before).total_seconds()
            milestones.append(Milestone(name, at, gap, name not in own))
            before = at
    beside = sorted(set(record.milestones) - set(CHAIN), key=record.milestones.__getitem__)
    milestones += [Milestone(name, record.milestones[name], None, implied=False) for name in beside]
    over = record.state in ("cancelled", "rejected")
    missing = [] if over else [name for name in CHAIN if name not in record.milestones]
    mine = [event for event in sieve.events.values() if getattr(event.data, "order_id", None) == order_id]
    events = [
        Happening(event.time, event.source, TYPE_NAME[type(event)], event.id, _what(event))
        for event in sorted(mine, key=lambda event: (event.time, event.source, event.id))
    ]
    return Trace(record, milestones, missing, events)


def _what(event: object) -> str:
    """The few words of an event that matter to a person: units, place, reason, amount."""
    data = event.data  # type: ignore[attr-defined]  # every event carries data
    words = []
    for line in getattr(data, "lines", None) or ():
        sku = getattr(line, "sku", None)
        words.append(f"{getattr(line, 'quantity', '')} × {sku or 'line ' + line.line_id}")
    for name in ("kind", "location", "shipment_id", "carrier", "reason", "quantity", "amount", "version"):
        value = getattr(data, name, None)
        if value is not None:
            words.append(f"{name} {value}")
    return ", ".join(words)
