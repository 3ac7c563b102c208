"""What channel shards are told and tell: offers, sales, answers, staleness, health (DESIGN section 7).

Between processes these are packed bytes, as everything in `canonical.messages` is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from canonical.messages import AnyEvent, Time


class Offer(Struct, array_like=True, gc=False):
    """What can be sold of one SKU, kit or not, for the channels: its whole present state.

    `pools`: (pool, ats) of every pool a channel draws on. `version`: that of its availability record. (`at`, `rank`)
    is the latest fact it rests on. `listings`: channel → the channel's own id of it, where that is not the sku.
    """

    sku: str
    pools: list[tuple[str, int]]
    active: bool
    version: int
    at: datetime
    rank: str
    correlationid: str
    listings: dict[str, str] = {}


class Sold(Struct, array_like=True, gc=False):
    """One order of `units` (≥ 1) of a SKU on a channel, as first stated: what demand is learnt from. Told once."""

    channel: str
    sku: str
    units: int
    at: datetime


class ChannelNews(Struct, array_like=True, gc=False):
    """What one upstream has for a channel shard. `answers`: `listings` events, without repeats."""

    offers: list[Offer]
    sold: list[Sold]
    answers: list[AnyEvent]
    time: Time | None

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return unpack, ("ChannelNews", _encode(self))


class Staleness(Struct, array_like=True, gc=False):
    """The sources that are silent for too long at present: all of them, so an empty list ends it."""

    sources: list[str]
    time: Time | None

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return unpack, ("Staleness", _encode(self))


class ChannelHealth(Struct, array_like=True, gc=False):
    """How one channel's feed does, absolute: for exceptions (`channel_behind`), metrics and the report.

    `waiting`: updates the channel should know; `oldest`: since when the oldest that may be sent waits; `calls` made of
    those `allowed` so far; `rejections` by code; `pace`: share of the granted rate in use, in (0, 1].
    """

    channel: str
    at: datetime
    waiting: int
    oldest: datetime | None
    units_at_risk: int
    calls: int
    allowed: int
    rejections: dict[str, int]
    pace: float
    breaker_open: bool

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return unpack, ("ChannelHealth", _encode(self))


_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {
    kind.__name__: msgspec.msgpack.Decoder(kind) for kind in (ChannelNews, Staleness, ChannelHealth)
}


def unpack(name: str, packed: bytes) -> object:
    """The message of class `name` from its bytes; what pickle calls on the other side."""
    return _decoders[name].decode(packed)
