"""Shard names are placed evenly by the engine's hash, for every worker count that divides 840."""

from __future__ import annotations

from collections import Counter

import pytest

from dataflows.shards import LANES, NAMES, ORDER_SHARDS, SKU_SHARDS
from sources.lanes import LANES as FILE_LANES

MASK = (1 << 64) - 1


def sip13(data: bytes) -> int:
    """SipHash-1-3 with both keys zero: how Rust's default hasher places a key."""
    v0, v1, v2, v3 = 0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573

    def left(x: int, by: int) -> int:
        return ((x << by) | (x >> (64 - by))) & MASK

    def stir() -> None:
        nonlocal v0, v1, v2, v3
        v0, v2 = (v0 + v1) & MASK, (v2 + v3) & MASK
        v1, v3 = left(v1, 13) ^ v0, left(v3, 16) ^ v2
        v0 = left(v0, 32)
        v0, v2 = (v0 + v3) & MASK, (v2 + v1) & MASK
        v3, v1 = left(v3, 21) ^ v0, left(v1, 17) ^ v2
        v2 = left(v2, 32)

    whole = len(data) - len(data) % 8
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) << 56) & MASK)
    for word in words:
        v3 ^= word
        stir()
        v0 ^= word
    v2 ^= 0xFF
    for _ in range(3):
        stir()
    return v0 ^ v1 ^ v2 ^ v3


def worker_of(name: str, workers: int) -> int:
    return sip13(name.encode() + b"\xff") % workers


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15])
def test_shard_i_lands_on_worker_i_modulo_workers(workers: int) -> None:
    assert [worker_of(name, workers) for name in NAMES] == [i % workers for i in range(len(NAMES))]


@pytest.mark.parametrize("workers", [2, 4, 8])
def test_the_load_is_even(workers: int) -> None:
    assert set(Counter(worker_of(name, workers) for name in NAMES).values()) == {len(NAMES) // workers}


def test_names_are_distinct_and_sorted_by_shard() -> None:
    assert list(NAMES) == sorted(set(NAMES))


def test_the_counts_are_those_the_state_on_disk_was_made_with() -> None:
    assert (ORDER_SHARDS, SKU_SHARDS, len(LANES), FILE_LANES) == (16, 16, 8, 8)
