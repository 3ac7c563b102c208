"""Lines into messages: which key each has, which headers a dead letter has, and how large one may be."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from canonical import topics
from canonical.errors import Terminal
from canonical.outputs import DeadLetter, Header

HEAD_CHARACTERS = 4096
"""So much is kept of a dead letter's input where the whole would not go into a message."""
OVERHEAD = 256
"""Bytes a message needs beside key, value and headers: its batch, lengths, and the times in it."""
CONNECT = "__connect.errors."
"""Names that tools for dead letters know, from Kafka Connect."""

_letters = msgspec.json.Decoder(DeadLetter)
_encode = msgspec.json.Encoder().encode


Message = tuple[Any, ...]
"""What the client's `produce` takes after the topic, by position: a call by name costs a third more."""


class Told(NamedTuple):
    """A message with headers."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, str | bytes | None]]

    @property
    def size(self) -> int:
        named = sum(len(name) * 4 + len(value or b"") + 10 for name, value in self.headers)
        return len(self.key or b"") + len(self.value) + named + OVERHEAD

    def message(self) -> Message:
        """Value, key, any partition, no report of its own (twice), the time of now, headers."""
        return self.value, self.key, -1, None, None, 0, self.headers


def messages_of(topic: str, limit: int) -> Callable[[bytes], Iterator[Message]]:
    """What turns a block of lines of a topic into messages of at most `limit` bytes, as the client takes them."""
    if topic == topics.DEAD_LETTERS.name:
        return lambda block: (_letter(line, limit).message() for line in _lines(block))
    keys = _keys(topic)

    def messages(block: bytes) -> Iterator[Message]:
        lines, named = _lines(block), keys(block)
        if max(map(len, lines), default=0) + max(map(len, named), default=0) + OVERHEAD > limit:
            longest = max(lines, key=len)
            raise Terminal(
                f"{topic}: the record of {named[lines.index(longest)].decode()!r} has {len(longest):,} bytes, more"
                f" than the {limit:,} the topic takes: raise its max.message.bytes (`sellable topics check`)"
            )
        return zip(lines, named, strict=True)

    return messages


def _lines(block: bytes) -> list[bytes]:
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _keys(topic: str) -> Callable[[bytes], list[bytes]]:
    """What reads the keys of a block's lines: of events their subject, of records the fields of the table."""
    fields = ["subject"] if topic in topics.STEMS else topics.BY_NAME[topic].key.split("|")
    decoder = msgspec.json.Decoder(msgspec.defstruct("Key", [(name, str) for name in fields], gc=False))
    if len(fields) == 1:
        field = fields[0]
        return lambda block: [getattr(key, field).encode() for key in decoder.decode_lines(block)]
    return lambda block: [
        "|".join(getattr(key, name) for name in fields).encode() for key in decoder.decode_lines(block)
    ]


def _letter(line: bytes, limit: int) -> Told:
    """A dead letter with its message's own key and headers; shortened until it fits."""
    letter = _letters.decode(line)
    told = Told(_key(letter), line, _headers(letter))
    if told.size > limit:
        _shorten(letter)
        told = Told(told.key, _encode(letter), told.headers)
    if told.size > limit:
        letter.headers = UNSET
        told = Told(told.key, _encode(letter), _headers(letter))
    return told


def _key(letter: DeadLetter) -> bytes | None:
    if letter.key_base64 is not UNSET:
        return b64decode(letter.key_base64)
    return letter.key.encode() or None


def _headers(letter: DeadLetter) -> list[tuple[str, str | bytes | None]]:
    """The message's own headers and what became of it."""
    own = [] if letter.headers is UNSET else letter.headers
    origin = letter.origin
    about: dict[str, Any] = {
        f"{CONNECT}topic": origin.topic or letter.stem,
        f"{CONNECT}partition": origin.partition,
        f"{CONNECT}offset": origin.offset,
        f"{CONNECT}connector.name": "sellable",
        f"{CONNECT}stage": "VALUE_CONVERTER",
        f"{CONNECT}exception.class.name": f"sellable.{letter.code}",
        f"{CONNECT}exception.message": letter.reason,
        "sellable.error.code": letter.code,
        "sellable.error.field": letter.field,
    }
    kept: list[tuple[str, str | bytes | None]] = [
        (header.name, _content(header)) for header in own if header.name not in about
    ]
    return kept + [(name, str(value).encode()) for name, value in about.items() if value is not None]


def _content(header: Header) -> bytes | None:
    if header.value_base64 is not None:
        return b64decode(header.value_base64)
    return None if header.value is None else header.value.encode()


def _shorten(letter: DeadLetter) -> None:
    """Keep the head of the input and say how long it was."""
    if letter.input is not UNSET:
        letter.size = len(letter.input.encode()) if letter.size is UNSET else letter.size
        letter.input = letter.input[:HEAD_CHARACTERS]
    elif letter.input_base64 is not UNSET:
        whole = b64decode(letter.input_base64)
        letter.size = len(whole) if letter.size is UNSET else letter.size
        letter.input_base64 = b64encode(whole[:HEAD_CHARACTERS]).decode()
