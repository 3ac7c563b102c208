"""`listing_out_of_sync` and `listing_rejected`: a channel shows something else than it was told, or will not be told.

What a channel was told is what it last acknowledged. An observation made before that says nothing of it.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from canonical import events as e
from operators.exceptions.episode import Episode
from operators.exceptions.follow import grown, open_of
from operators.exceptions.seen import Listing, Watch, clock, counted

OUT_OF_SYNC, REJECTED = "listing_out_of_sync", "listing_rejected"


def told_anew(watch: Watch, event: e.ListingAcknowledged) -> None:
    """An acknowledgement: what the channel was told last, and the end of a rejection."""
    said = event.data
    mine = Listing(said.version, event.time, f"{event.source} {event.id}", said.quantity)
    known = watch.listings.get(said.channel)
    if known is None or (mine.version, mine.at, mine.rank) > (known.version, known.at, known.rank):
        watch.listings[said.channel] = mine
    place = open_of(watch.episodes, REJECTED, f"{said.channel}|{said.sku}")
    if place is not None:
        watch.episodes[place] = replace(watch.episodes[place], cleared_at=event.time)


def listing_out_of_sync(watch: Watch, event: e.ListingObserved, grace: timedelta, cost: Decimal) -> None:
    """Due `listing_grace` after the first observation that differs; one that agrees by then is in time."""
    shown = event.data
    told = watch.listings.get(shown.channel)
    if told is None or shown.as_of < told.at:
        return
    place = open_of(watch.episodes, OUT_OF_SYNC, f"{shown.channel}|{shown.sku}")
    if shown.quantity == told.quantity:
        if place is not None:
            begun = shown.as_of > watch.episodes[place].opened_at
            watch.episodes[place : place + 1] = (
                [replace(watch.episodes[place], cleared_at=shown.as_of)] if begun else []
            )
        return
    fresh = _out_of_sync(event, told, grace, cost)
    if place is None:
        watch.episodes.append(fresh)
    else:
        later = replace(fresh, opened_at=max(shown.as_of, watch.episodes[place].opened_at))
        watch.episodes[place] = grown(watch.episodes[place], later)


def _out_of_sync(event: e.ListingObserved, told: Listing, grace: timedelta, cost: Decimal) -> Episode:
    shown = event.data
    off = abs(shown.quantity - told.quantity)
    return Episode(
        code=OUT_OF_SYNC,
        subject=f"{shown.channel}|{shown.sku}",
        opened_at=shown.as_of + grace,
        deadline=True,
        owner="commerce",
        units=off,
        value=off * cost,
        evidence=(told.rank, f"{event.source} {event.id}"),
        correlationid=event.correlationid or shown.sku,
        message=f"{shown.channel} shows {shown.quantity} of {shown.sku} since {clock(shown.as_of)}, {counted(off)}"
        f" off the {told.quantity} it acknowledged: send the quantity again and look for another writer.",
        sku=shown.sku,
        channel=shown.channel,
    )


def listing_rejected(watch: Watch, event: e.ListingRejected) -> None:
    """Open from the refusal on; a refusal of something else while it is open changes nothing."""
    said = event.data
    subject = f"{said.channel}|{said.sku}"
    if open_of(watch.episodes, REJECTED, subject) is not None:
        return
    why = f" ({said.message})" if said.message else ""
    watch.episodes.append(
        Episode(
            code=REJECTED,
            subject=subject,
            opened_at=event.time,
            owner="commerce",
            units=0,
            evidence=(f"{event.source} {event.id}",),
            correlationid=event.correlationid or said.sku,
            message=f"{said.channel} refused version {said.version} of {said.sku} at {clock(event.time)} with"
            f" {said.code}{why}: correct the listing, then it is told again.",
            sku=said.sku,
            channel=said.channel,
        )
    )
