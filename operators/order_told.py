"""What an order shard tells after a batch, and what its snapshot holds."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from canonical.channel_news import ChannelNews
from canonical.messages import Claims, Tally, Time
from canonical.outputs import ExceptionRecord, Lifecycle
from operators.kits import KitsState


class State(Struct, array_like=True):
    """What a snapshot of the shard holds."""

    clock: list[Time]
    kits: KitsState
    orders: dict[str, bytes]
    deadlines: list[tuple[datetime, str]]
    counts: dict[str, dict[str, int]]
    timers: list[tuple[datetime, str]]


class Told(Struct):
    """What a batch came to.

    Lifecycle records, claims per SKU shard, the tally when time went to everyone, what changed of exceptions, and
    sales for the channels.
    """

    lifecycle: list[Lifecycle]
    claims: dict[int, Claims]
    tally: Tally | None
    exceptions: list[ExceptionRecord]
    news: ChannelNews | None = None
