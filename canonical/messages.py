"""What travels between shards: whole present claims, never differences (DESIGN sections 4 and 11).

Inside a process a message is a pointer. Crossing to another it becomes packed bytes: every class here pickles
itself as MessagePack, so that no class path and no object graph is ever on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Union

import msgspec
from msgspec import Struct

from canonical.events import ProductUpserted
from canonical.outputs import Availability
from canonical.topics import EVENT_TYPES

if TYPE_CHECKING:
    AnyEvent = Any
else:
    AnyEvent = Union[EVENT_TYPES]  # noqa: UP007  because the union is built from the topic table


class Time(Struct, array_like=True, gc=False):
    """What one upstream (a lane or an order shard) believes of time.

    `watermark`: everything earlier has been read (None: nothing known yet). `greatest`: the greatest event time
    read. `ended`: read to its end, standing at the present. `now`: as in DESIGN section 5. `catalogue`: the least
    time of a product event read, None while there is none.
    """

    upstream: str
    watermark: datetime | None
    greatest: datetime | None
    ended: bool
    now: datetime
    catalogue: datetime | None = None


class Parcel(Struct, array_like=True, gc=False):
    """Events of one shard from one lane, in the order read, and the lane's time after them.

    Where lanes share a file it says which bytes of which `file` they are from, [`first`, `last`), also if there
    are no events in them for this shard: parcels of a file pass in that order. Without a file and without events
    it is a heartbeat.
    """

    events: list[AnyEvent]
    time: Time
    file: str | None = None
    first: int = 0
    last: int = 0

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return unpack, ("Parcel", _encode(self))


class Owed(Struct, array_like=True, gc=False):
    """Units shipped from a location whose goods issue is not in the book; `shipped_at` where that decides (D15)."""

    location: str
    units: int
    shipped_at: datetime | None = None


class ClaimLine(Struct, array_like=True, gc=False):
    """One order line's claim on one SKU: open units at locations, open units without one, units owed to the book."""

    line_id: str
    committed: list[tuple[str, int]]
    unallocated: int
    owed: list[Owed]


class Move(Struct, array_like=True, gc=False):
    """One movement of a book: a signed change of on_hand. `ref` names it; the same ref again replaces it.

    `placed_at` is that of the order a goods issue belongs to, None for anything else. (`source`, `id`) is its event.
    """

    ref: int
    location: str
    status: str
    quantity: int
    at: datetime
    source: str
    sequence: int
    placed_at: datetime | None = None
    id: str = ""


class Step(Struct, array_like=True, gc=False):
    """What an order claimed of a SKU from an instant on, in event time; `rank` names the event that made it so.

    `moves`: the goods issues of that instant.
    """

    at: datetime
    rank: str
    channel: str | None
    placed_at: datetime | None
    lines: list[ClaimLine]
    moves: list[Move]


class Claim(Struct, array_like=True, gc=False):
    """All one order claims of one SKU at present, and the goods issues that changed with it.

    `changes` counts the order's claim-bearing events this SKU had not been told of. (`at`, `rank`) is the
    order's latest claim-bearing event, `correlationid` its. The claim is as it is since `stood_at`, by the event
    `stood_by`, None if that is no news; where more is, `steps` tell it instant by instant, the last of them the
    present one. `named_at`, `named_by`: the first event of the order that names the SKU.
    """

    order_id: str
    sku: str
    channel: str | None
    placed_at: datetime | None
    lines: list[ClaimLine]
    moves: list[Move]
    changes: int
    at: datetime
    rank: str
    correlationid: str
    stood_at: datetime | None
    stood_by: str
    named_at: datetime
    named_by: str
    steps: list[Step]


class Claims(Struct, array_like=True, gc=False):
    """Claims of one order shard for one SKU shard, and the order shard's time after them."""

    claims: list[Claim]
    time: Time | None

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return unpack, ("Claims", _encode(self))


class Part(Struct, array_like=True, gc=False):
    """Where one SKU stands, told to the shards of the kits it is in, and of the kit it is itself.

    `everywhere`: its ats for a channel of the pool `all`. `active`, `listings`: as in `channel_news.Offer`.
    """

    sku: str
    record: Availability
    rank: str
    everywhere: int = 0
    active: bool = True
    listings: dict[str, str] = {}


class Parts(Struct, array_like=True, gc=False):
    """Parts and kit definitions of one SKU shard for one kit shard."""

    parts: list[Part]
    kits: list[ProductUpserted]

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return unpack, ("Parts", _encode(self))


class Span(Struct, array_like=True, gc=False):
    """A source spoke at `first` and at `last`, and was never silent for too long in between."""

    source: str
    first: datetime
    last: datetime


class Drifted(Struct, array_like=True, gc=False):
    """A sample of a field the contract does not know; `sample` names its neighbours."""

    source: str
    type: str
    field: str
    sample: str
    at: datetime
    id: str


class Heard(Struct, array_like=True, gc=False):
    """What one lane heard of its sources in one read, and its time after it.

    `numbers`: source → (time, number, id) of every event with a number in its sequence.
    """

    spans: list[Span]
    numbers: dict[str, list[tuple[datetime, int, str]]]
    drift: list[Drifted]
    time: Time

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return unpack, ("Heard", _encode(self))


class Tally(Struct, array_like=True, gc=False):
    """How many inputs of each stem one party has seen end so far; absolute, so telling it twice does no harm."""

    party: str
    counts: dict[str, dict[str, int]]

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, bytes]]:
        return unpack, ("Tally", _encode(self))


_encode = msgspec.msgpack.Encoder().encode
_decoders: dict[str, msgspec.msgpack.Decoder[Any]] = {
    kind.__name__: msgspec.msgpack.Decoder(kind) for kind in (Parcel, Claims, Parts, Heard, Tally)
}


def unpack(name: str, packed: bytes) -> object:
    """The message of class `name` from its bytes; what pickle calls on the other side."""
    return _decoders[name].decode(packed)
