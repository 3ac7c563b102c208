"""Messages of a broker into blocks of lines: each message is exactly one input, whatever its value holds."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import UNSET

from canonical.envelope import MAX_LINE_BYTES
from canonical.errors import Refusal
from canonical.outputs import DeadLetter, Header
from sources.block import Block, Fault
from sources.letters import letter as remade


class Message(Protocol):
    """What is asked of a message; confluent-kafka's is one."""

    def key(self) -> Any: ...
    def value(self) -> Any: ...
    def offset(self) -> Any: ...
    def headers(self) -> Any: ...


def blocks(topic: str, partition: int, messages: Sequence[Message]) -> Iterator[Block]:
    """The messages of one partition as blocks of at most 1 MiB, unless one message alone is larger.

    A value that is blank or absent, or has line ends where JSON allows none, comes as a fault in a block of
    its own. Line ends between the tokens of JSON become spaces.
    """
    lines = [message.value() for message in messages]
    offsets = [message.offset() for message in messages]
    faults: list[Block] = []
    if not all(map(_whole, lines)):
        values, lines, offsets = zip(lines, offsets, strict=True), [], []
        for value, at in values:
            if reason := "" if _whole(value) else _unfit(value):
                fault = Fault("not_json", reason, value or b"", len(value or b""), at)
                faults.append(Block(topic, b"", topic=topic, partition=partition, fault=fault))
            else:
                lines.append(value.replace(b"\n", b" "))
                offsets.append(at)
    yield from _parts(topic, partition, lines, offsets)
    yield from faults


def _parts(topic: str, partition: int, lines: list[bytes], offsets: list[int]) -> Iterator[Block]:
    """The lines as one block, or as two halves where that would be too large."""
    data = b"\n".join(lines)
    if len(data) > MAX_LINE_BYTES and len(lines) > 1:
        middle = len(lines) // 2
        yield from _parts(topic, partition, lines[:middle], offsets[:middle])
        yield from _parts(topic, partition, lines[middle:], offsets[middle:])
    elif lines:
        yield Block(topic, data, topic=topic, partition=partition, offsets=offsets)


def _whole(value: bytes | None) -> bool:
    """Whether a value looks like a line as it is."""
    return value is not None and value[:1] == b"{" and value[-1:] == b"}" and b"\n" not in value


def _unfit(value: bytes | None) -> str:
    """Why a value cannot stand as a line, or "". Beside bytes that are not UTF-8 all lines would be slow."""
    if value is None:
        return "the message has no value"
    if not value.strip():
        return "the message is blank"
    if len(value) <= MAX_LINE_BYTES:
        try:
            msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return f"the message is not one JSON value in UTF-8: {error}"
    return ""


def addressed(letter: DeadLetter, message: Message) -> DeadLetter:
    """The letter with what only its message knows: key, headers, and the bytes as they were."""
    key, headers, value = message.key(), message.headers(), message.value()
    if value and b"\n" in value:
        refusal = Refusal(letter.code, letter.reason, letter.field)
        letter = remade(value, refusal, letter.stem, letter.origin, letter.first_seen)
    if key is not None:
        text, encoded = _text(key)
        letter.key = text or ""
        letter.key_base64 = UNSET if encoded is None else encoded
    if headers:
        letter.headers = [Header(name, *_text(content)) for name, content in headers]
    return letter


def _text(content: bytes | str | None) -> tuple[str | None, str | None]:
    """Text and None, or None and base64."""
    if content is None or isinstance(content, str):
        return content, None
    try:
        return content.decode(), None
    except UnicodeDecodeError:
        return None, b64encode(content).decode()
