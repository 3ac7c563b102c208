"""A shard's snapshot: bytes we encode ourselves, with a header that says what they are (DESIGN section 11)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from canonical.errors import Terminal

MAGIC = "sellable"
SCHEMA = 1
"""Raised whenever a change makes older snapshots unreadable; the CHANGELOG says so."""


class Header(Struct, array_like=True):
    """What says whose snapshot this is, and whether it is whole."""

    magic: str
    schema: int
    step: str
    shard: int
    shards: int
    checksum: int


_encode = msgspec.msgpack.Encoder().encode
_sealed = msgspec.msgpack.Decoder(tuple[Header, bytes])


def seal(step: str, shard: int, shards: int, state: object) -> bytes:
    """State → bytes with a header and a checksum. `state` holds builtins and array-like structs only."""
    body = _encode(state)
    return _encode((Header(MAGIC, SCHEMA, step, shard, shards, xxh3_64_intdigest(body)), body))


def unseal(step: str, shard: int, shards: int, sealed: bytes, kind: Any) -> Any:
    """Bytes → state of type `kind`; raises Terminal with words if they are not this shard's."""
    try:
        header, body = _sealed.decode(sealed)
    except msgspec.MsgspecError as error:
        raise Terminal(f"the saved state of {step} {shard} is not a snapshot of ours ({error})") from error
    if header.magic != MAGIC or header.schema != SCHEMA:
        raise Terminal(
            f"the saved state of {step} {shard} has schema {header.schema}, this release reads {SCHEMA}:"
            " start with an empty --state directory, the inputs are read again"
        )
    if (header.step, header.shard, header.shards) != (step, shard, shards):
        raise Terminal(
            f"saved state of {header.step} {header.shard} of {header.shards} was found where"
            f" {step} {shard} of {shards} belongs: the state directory was mixed up"
        )
    if header.checksum != xxh3_64_intdigest(body):
        raise Terminal(
            f"the saved state of {step} {shard} is damaged: restore the state directory from a copy"
        )
    return msgspec.msgpack.decode(body, type=kind)
