"""Keyed state: live where touched, packed at rest; snapshots; deadlines; sealed snapshots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from canonical.errors import Terminal
from operators.deadlines import Deadlines
from operators.seal import Header, seal, unseal
from operators.shelf import Shelf

DAY = datetime(2026, 3, 1, tzinfo=UTC)


class Box(msgspec.Struct, array_like=True):
    held: list[int]


def shelf(**boxes: int) -> Shelf[Box]:
    made = Shelf(Box)
    for key, held in boxes.items():
        made.put(key, Box([held]))
    return made


def test_an_entry_changed_after_it_was_packed_keeps_the_change() -> None:
    made = shelf(a=1, b=2)
    made.settle()
    found = made.get("a")
    assert found is not None
    found.held.append(9)
    made.settle()
    assert dict(made.peek()) == {"a": Box([1, 9]), "b": Box([2])}


def test_a_snapshot_restores_to_the_same_entries() -> None:
    made, again = shelf(a=1, b=2), Shelf(Box)
    again.restore(made.snapshot())
    assert dict(again.peek()) == dict(made.peek())


def test_what_was_dropped_is_gone_live_and_at_rest() -> None:
    made = shelf(a=1, b=2)
    made.settle()
    made.drop("a")
    made.drop("b")
    assert (len(made), made.get("a"), "b" in made) == (0, None, False)


def test_few_live_entries_stay_live() -> None:
    made = shelf(a=1, b=2)
    assert [made.settle(2), made.settle(1), made.settle()] == [False, True, False]


def test_deadlines_come_soonest_first_and_once() -> None:
    armed = Deadlines()
    for minute, key in ((3, "c"), (1, "a"), (2, "b")):
        armed.arm(DAY + timedelta(minutes=minute), key)
    assert armed.soonest == DAY + timedelta(minutes=1)
    assert list(armed.due(DAY + timedelta(minutes=2))) == ["a", "b"]
    assert list(Deadlines(armed.snapshot()).due(DAY + timedelta(minutes=9))) == ["c"]


def test_a_sealed_state_opens_as_it_was() -> None:
    assert unseal("orders", 3, 16, seal("orders", 3, 16, {"a": 1}), dict[str, int]) == {"a": 1}


def damaged(sealed: bytes) -> bytes:
    header, body = msgspec.msgpack.decode(sealed, type=tuple[Header, bytes])
    return msgspec.msgpack.encode((header, body[:-1] + b"\x07"))


def of_schema(number: int, sealed: bytes) -> bytes:
    header, body = msgspec.msgpack.decode(sealed, type=tuple[Header, bytes])
    header.schema = number
    return msgspec.msgpack.encode((header, body))


SEALED = seal("orders", 3, 16, [1])


@pytest.mark.parametrize(
    ("step", "shard", "shards", "sealed", "words"),
    [
        ("skus", 3, 16, SEALED, "orders 3 of 16 was found where skus 3 of 16 belongs"),
        ("orders", 4, 16, SEALED, "was found where orders 4 of 16 belongs"),
        ("orders", 3, 32, SEALED, "was found where orders 3 of 32 belongs"),
        ("orders", 3, 16, damaged(SEALED), "is damaged"),
        ("orders", 3, 16, of_schema(99, SEALED), "has schema 99, this release reads"),
        ("orders", 3, 16, b"\x00\x01", "is not a snapshot of ours"),
    ],
)
def test_what_is_not_this_shards_state_is_refused_with_words(
    step: str, shard: int, shards: int, sealed: bytes, words: str
) -> None:
    with pytest.raises(Terminal, match=words):
        unseal(step, shard, shards, sealed, list[int])
