"""Keyed state that is live where it is touched and packed bytes at rest.

A retailer has a million open orders of which a thousand move in a second. Packed, an entry costs a third of its
live size, the garbage collector does not see it, and a snapshot is a copy of bytes instead of an encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

LIVE_LIMIT = 20_000
"""Live entries a shelf holds before it packs them all: bounds memory in runs that never snapshot."""


class Shelf(Generic[T]):
    """`kind` is the entries' array-like Struct; what `get` returns may be changed in place."""

    def __init__(self, kind: type[T]) -> None:
        self._pack = msgspec.msgpack.Encoder().encode
        self._unpack: Callable[[bytes], T] = msgspec.msgpack.Decoder(kind).decode
        self._live: dict[str, T] = {}
        self._rest: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._live) + len(self._rest)

    def __contains__(self, key: str) -> bool:
        return key in self._live or key in self._rest

    def get(self, key: str) -> T | None:
        """The entry, live, or None."""
        entry = self._live.get(key)
        if entry is None:
            packed = self._rest.pop(key, None)
            if packed is not None:
                entry = self._live[key] = self._unpack(packed)
        return entry

    def put(self, key: str, entry: T) -> None:
        self._live[key] = entry

    def drop(self, key: str) -> None:
        self._live.pop(key, None)
        self._rest.pop(key, None)

    def keys(self) -> Iterator[str]:
        yield from self._live
        yield from self._rest

    def peek(self) -> Iterator[tuple[str, T]]:
        """Every entry; those at rest are unpacked for the look and stay at rest. Do not change them."""
        yield from self._live.items()
        for key, packed in self._rest.items():
            yield key, self._unpack(packed)

    def settle(self, limit: int = 0) -> bool:
        """Pack all live entries if there are more than `limit` of them; says whether it did."""
        if len(self._live) <= limit:
            return False
        pack = self._pack
        self._rest.update((key, pack(entry)) for key, entry in self._live.items())
        self._live.clear()
        return True

    def snapshot(self) -> dict[str, bytes]:
        """All entries packed: a view that is good until the next change."""
        self.settle()
        return self._rest

    def restore(self, entries: dict[str, bytes]) -> None:
        self._live.clear()
        self._rest = dict(entries)
