"""Keys, shards and fingerprints: the same on every machine and in every process, for the life of the state."""

from __future__ import annotations

from zlib import crc32

from xxhash import xxh3_64_intdigest


def shard_of(key: str, shards: int) -> int:
    """The shard a key lives in, 0 ≤ result < `shards`. Stable: state on disk depends on it."""
    return crc32(key.encode()) % shards


def fingerprint(source: str, event_id: str) -> int:
    """64 bits that stand for the pair (`source`, `id`).

    Compared only among the events of one key, where a collision among n events has the chance n²/2⁶⁵.
    The separator cannot occur in JSON text unescaped, so ("a", "bc") and ("ab", "c") differ.
    """
    return xxh3_64_intdigest(f"{source}\x00{event_id}".encode())
