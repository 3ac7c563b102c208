"""What types alone cannot say of an event: its topic, key and version, and whether its times are credible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from canonical import events as e
from canonical.envelope import Event
from canonical.errors import Refusal
from canonical.topics import INPUTS, STEM_OF, TYPE_NAME
from sources.refusal import unknown_version

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)

KEYS = {kind: tuple(topic.key.split("|")) for topic in INPUTS for kind in topic.holds}
TIMES: dict[type, tuple[str, ...]] = {
    e.OrderPlaced: ("promised_ship_at", "promised_delivery_at"),
    e.OrderChanged: ("promised_ship_at", "promised_delivery_at"),
    e.InventoryCounted: ("as_of",),
    e.InventoryBalanceReported: ("as_of",),
    e.ListingObserved: ("as_of",),
}
"""The times an event's data may hold, beside the envelope's own."""


def shifted(moment: datetime, by: timedelta) -> datetime:
    """`moment + by`, held at the ends of the calendar instead of raising there."""
    try:
        return moment + by
    except OverflowError:
        return EARLIEST if by < timedelta(0) else LATEST


def key_of(event: Event) -> str:
    """The key the event's data states: what its subject must be."""
    data: Any = event.data  # type: ignore[attr-defined]  # every event type has data
    return "|".join(getattr(data, name) for name in KEYS[type(event)])


def wrong_topic(event: Event, stem: str) -> Refusal:
    """The refusal of an event that belongs elsewhere."""
    words = f"the type {TYPE_NAME[type(event)]} belongs to {STEM_OF[type(event)]}, not to {stem}"
    return Refusal("wrong_topic", words, "type")


def judge(event: Event, oldest: datetime, future: datetime) -> Refusal | None:
    """Puts the event's times into UTC and says why it cannot be accepted, if it cannot.

    `oldest`: an event (or the cut of a count) before this is late. `future`: nothing may lie after this.
    """
    return (
        _into_utc(event) or _wrong_key(event) or _wrong_values(event) or _unbelievable(event, oldest, future)
    )


def _into_utc(event: Event) -> Refusal | None:
    field = "time"
    data: Any = event.data  # type: ignore[attr-defined]  # every event type has data
    try:
        event.time = event.time.astimezone(UTC)
        for name in TIMES.get(type(event), ()):
            field = f"data.{name}"
            if (moment := getattr(data, name)) is not None:
                setattr(data, name, moment.astimezone(UTC))
    except OverflowError:
        return Refusal("out_of_range", f"{field} is outside the years 1 to 9999", field)
    return None


def _wrong_key(event: Event) -> Refusal | None:
    if event.dataschema is not None:
        refusal = unknown_version(type(event), event.dataschema)
        if refusal is not None:
            return refusal
    key = key_of(event)
    if event.subject == key:
        return None
    names = "|".join(KEYS[type(event)])
    return Refusal("key_mismatch", f"the subject {event.subject!r} is not the {names} {key!r}", "subject")


def _wrong_values(event: Event) -> Refusal | None:
    if isinstance(event, e.InventoryMoved) and event.data.quantity == 0:
        return Refusal("out_of_range", "data.quantity must not be 0: nothing moved", "data.quantity")
    if isinstance(event, e.InventoryStatusChanged) and event.data.from_status == event.data.to_status:
        words = f"data.to_status is {event.data.to_status}, as data.from_status: nothing changed"
        return Refusal("out_of_range", words, "data.to_status")
    return None


def _unbelievable(event: Event, oldest: datetime, future: datetime) -> Refusal | None:
    moments = {"time": event.time}
    if isinstance(event, e.InventoryCounted | e.InventoryBalanceReported | e.ListingObserved):
        moments["data.as_of"] = event.data.as_of
    for field, moment in moments.items():
        if moment > future:
            words = f"{field} {moment.isoformat()} lies after {future.isoformat()}, now and max_future"
            return Refusal("future_event", words, field)
        if moment < oldest and (field == "time" or isinstance(event, e.InventoryCounted)):
            words = (
                f"{field} {moment.isoformat()} is before {oldest.isoformat()}, the watermark less retention"
            )
            return Refusal("late_event", words, field)
    return None
