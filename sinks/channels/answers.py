"""What drivers answer, as `listings` events of the contract."""

from __future__ import annotations

from datetime import datetime

from xxhash import xxh3_128_hexdigest

from canonical.events import ListingAcknowledged, ListingRejected
from canonical.events.listings import ListingAcknowledgement, ListingRejection
from canonical.outputs import ChannelUpdate
from sinks.channels.driver import Answer

LONGEST_WAIT = 86_400.0
Told = ListingAcknowledged | ListingRejected


def source_of(channel: str) -> str:
    """The source of our events about a channel: not its own, whose silence is watched."""
    return f"/channel-feed/{channel}"


def event(answer: Answer, now: datetime) -> Told:
    """The event of one answer, at `now`. The same answer to the same update has the same id, whenever it is told."""
    update = answer.update
    # The time tells apart equal versions of a run that started anew.
    told = (
        update.channel,
        update.sku,
        str(update.version),
        update.released_at.isoformat(),
        answer.code or "",
    )
    name = xxh3_128_hexdigest("\x1f".join(told).encode())
    if answer.code is None:
        return ListingAcknowledged(
            specversion="1.0",
            id=name,
            source=source_of(update.channel),
            subject=f"{update.channel}|{update.sku}",
            time=now,
            correlationid=update.correlationid,
            data=_acknowledgement(update, answer),
        )
    return ListingRejected(
        specversion="1.0",
        id=name,
        source=source_of(update.channel),
        subject=f"{update.channel}|{update.sku}",
        time=now,
        correlationid=update.correlationid,
        data=_rejection(update, answer, answer.code),
    )


def _acknowledgement(update: ChannelUpdate, answer: Answer) -> ListingAcknowledgement:
    quantity = update.quantity if answer.quantity is None else answer.quantity
    return ListingAcknowledgement(update.channel, update.sku, update.version, quantity)


def _rejection(update: ChannelUpdate, answer: Answer, code: str) -> ListingRejection:
    wait = None if answer.wait is None else min(LONGEST_WAIT, max(0.0, answer.wait))
    return ListingRejection(update.channel, update.sku, update.version, code, answer.message or None, wait)
