"""Messages into blocks, without a broker: one message, one input."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
import pytest

from canonical.envelope import MAX_LINE_BYTES
from canonical.outputs import DeadLetter
from canonical.policy import Time
from sources.kafka_partition import Partition
from tests.kafka.desk import moved

NOW = datetime(2026, 3, 2, tzinfo=UTC)


class Sent(NamedTuple):
    """A message as the client would give it."""

    at: int
    content: bytes | None
    named: bytes | None = None
    about: list[tuple[str, bytes | None]] | None = None

    def offset(self) -> int:
        return self.at

    def value(self) -> bytes | None:
        return self.content

    def key(self) -> bytes | None:
        return self.named

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self.about


def taken(messages: list[Any], stop: int | None = None) -> tuple[list[str], list[DeadLetter], int]:
    partition = Partition(("inventory", 3), Time(), None, stop)
    decoded = partition.take(messages, NOW)
    assert partition.next == (messages[-1].at + 1 if stop is None else stop)
    letters = [letter for block in decoded for letter in block.letters]
    assert sum(block.read for block in decoded) == sum(len(block.events) for block in decoded) + len(letters)
    return [event.id for block in decoded for event in block.events], letters, sum(b.read for b in decoded)


def good(number: int) -> bytes:
    return json.dumps(moved(number)).encode()


def indented(number: int) -> bytes:
    return json.dumps(moved(number), indent=2).encode()


ODD = {
    "no value": None,
    "empty": b"",
    "blank": b" \n\t ",
    "one line end": b"\n",
    "two objects": good(8) + b"\n" + good(9),
    "a line end after half": good(8)[:40] + b"\n",
    "a line end inside text": good(8).replace(b"east", b"ea\nst"),
    "not UTF-8 on two lines": b'{"a":\n"\xff"}',
    "not UTF-8": b"\xff\xfe",
    "not JSON": b"hello",
    "an array": b"[1,\n2]",
    "deep": b"[\n" * 100_000,
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_whatever_a_value_holds_it_is_one_input_and_kept_whole(value: bytes | None) -> None:
    messages = [Sent(10, good(1)), Sent(11, value, b"key"), Sent(14, good(2))]
    events, letters, read = taken(messages)
    assert (events, read) == (["m-1", "m-2"], 3)
    (letter,) = letters
    assert (letter.origin.topic, letter.origin.partition, letter.origin.offset) == ("inventory", 3, 11)
    assert letter.key == "key"
    kept = letter.input.encode() if isinstance(letter.input, str) else b64decode(str(letter.input_base64))
    assert kept == (value or b"")


def test_indented_json_is_an_event_like_any_other() -> None:
    events, letters, read = taken([Sent(1, indented(1)), Sent(2, good(2)), Sent(3, good(3) + b"\n")])
    assert (sorted(events), letters, read) == (["m-1", "m-2", "m-3"], [], 3)


def test_a_refused_value_of_several_lines_keeps_its_lines() -> None:
    wrong = json.dumps({**moved(1), "subject": "other"}, indent=2).encode()
    _, (letter,), _ = taken([Sent(1, wrong)])
    assert (letter.code, letter.input) == ("key_mismatch", wrong.decode())


def test_key_and_headers_that_are_not_text_survive() -> None:
    headers = [("trace", b"\xff\x00"), ("none", None), ("text", "ü".encode())]
    _, (letter,), _ = taken([Sent(1, b"{}", b"\xfe", headers)])
    again = msgspec.json.decode(msgspec.json.encode(letter), type=DeadLetter)
    assert (again.key, b64decode(str(again.key_base64))) == ("", b"\xfe")
    assert isinstance(again.headers, list)
    assert [(h.name, h.value) for h in again.headers] == [("trace", None), ("none", None), ("text", "ü")]
    assert b64decode(again.headers[0].value_base64 or "") == b"\xff\x00"


def test_a_value_over_the_limit_is_one_letter_with_its_head() -> None:
    huge = b'{"a":"' + b"x" * MAX_LINE_BYTES + b'"}'
    broken = b'{"a":"\n' + b"x" * MAX_LINE_BYTES + b'"}'
    events, letters, read = taken([Sent(1, good(1)), Sent(2, huge), Sent(3, broken), Sent(4, good(2))])
    assert (sorted(events), read) == (["m-1", "m-2"], 4)
    assert [letter.code for letter in letters] == ["too_large"] * 2
    assert [letter.size for letter in letters] == [len(huge), len(broken)]
    assert all(len(str(letter.input)) == 4096 for letter in letters)


def test_many_large_values_are_cut_into_blocks_that_stay_fast() -> None:
    padded = [json.dumps({**moved(n), "traceparent": "x" * 5000}).encode() for n in range(1000)]
    events, letters, read = taken([Sent(n, value) for n, value in enumerate(padded)])
    assert (len(events), letters, read) == (1000, [], 1000)


def test_a_finite_run_takes_nothing_from_its_end_on() -> None:
    events, _, _ = taken([Sent(1, good(1)), Sent(5, good(5)), Sent(6, good(6))], stop=3)
    assert events == ["m-1"]
