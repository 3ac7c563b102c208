"""Objects that name the same key twice. Parsers silently keep one of the two, not all the same one.

How it is found without reading every line twice: in a line without escaped quotes the number of quotes is
twice the number of its texts, keys included. Which texts an event must have held is known once it is decoded.
A second key, an unknown field or an explicit null all add quotes, and nothing can take quotes away, so a
line with exactly the quotes its event needs holds nothing else. Four steps, each exact, each dearer:

1. all quotes of the block against what its events need: 0.3 µs per event, the only cost of a plain sender;
2. per line, where the block differs: 0.3 µs, to find the lines that hold more;
3. such a line is decoded untyped and its texts counted: 1.7 µs. That is what a sender pays for every event
   with unknown fields, explicit nulls or spelled-out defaults. Spaces cost nothing.
4. only where that differs too (a key named twice, or an escaped quote and backslash): a parse that sees every
   pair, 4 µs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import NODEFAULT, inspect

from canonical import events as e
from canonical.envelope import Event
from canonical.errors import Refusal
from canonical.topics import EVENT_TYPES

KEY = 2
"""Quotes around a key whose value is no text."""
TEXT = 4
"""Quotes around a key and its text."""


def _item_lines(lines: list[e.ItemLine] | None) -> int:
    return 0 if lines is None else KEY + len(lines) * (TEXT + TEXT + KEY)


def _document(data: e.OrderDocument) -> int:
    quotes = len(data.lines) * (TEXT + TEXT + KEY + TEXT)
    for line in data.lines:
        if line.location is not None:
            quotes += TEXT
    if data.version != 1:
        quotes += KEY
    if data.promised_ship_at is not None:
        quotes += TEXT
    if data.promised_delivery_at is not None:
        quotes += TEXT
    return quotes


def _cancellation(data: e.Cancellation) -> int:
    quotes = 0 if data.reason is None else TEXT
    return quotes if data.lines is None else quotes + KEY + len(data.lines) * (TEXT + KEY)


def _shipment(data: e.Shipment) -> int:
    quotes = len(data.lines) * (TEXT + TEXT + KEY)
    if data.carrier is not None:
        quotes += TEXT
    return quotes if data.tracking_number is None else quotes + TEXT


def _movement(data: e.Movement) -> int:
    quotes = 0 if data.order_id is None else TEXT
    if data.line_id is not None:
        quotes += TEXT
    if data.shipment_id is not None:
        quotes += TEXT
    return quotes if data.status == "sellable" else quotes + TEXT


def _count(data: e.Count) -> int:
    quotes = 0 if data.status == "sellable" else TEXT
    if data.through_sequence is None:
        return quotes
    return quotes + (TEXT if isinstance(data.through_sequence, str) else KEY)


def _posting(data: e.Posting) -> int:
    quotes = 0 if data.amount is None else TEXT
    return quotes + (0 if data.currency is None else TEXT) + _item_lines(data.lines)


def _product(data: e.Product) -> int:
    quotes = sum(KEY for value in (data.version, data.active) if value is not None)
    if data.unit_cost is not None:
        quotes += TEXT
    if data.safety_stock is not None:
        quotes += KEY + len(data.safety_stock) * KEY
    if data.components is not None:
        quotes += KEY + len(data.components) * (TEXT + KEY)
    if data.identifiers is not None:
        named = sum(TEXT for identifier in data.identifiers if identifier.channel is not None)
        quotes += KEY + len(data.identifiers) * (TEXT + TEXT) + named
    return quotes


def _listing_rejection(data: e.ListingRejection) -> int:
    quotes = 0 if data.message is None else TEXT
    return quotes if data.retry_after_seconds is None else quotes + KEY


OPTIONAL: dict[type, Callable[[Any], int]] = {
    e.OrderDocument: _document,
    e.Cancellation: _cancellation,
    e.Acceptance: lambda data: 0 if data.reference is None else TEXT,
    e.Allocation: lambda data: len(data.lines) * (TEXT + TEXT + KEY),
    e.Step: lambda data: 0 if data.location is None else TEXT,
    e.Shipment: _shipment,
    e.ShipmentNews: lambda data: 0 if data.reason is None else TEXT,
    e.Movement: _movement,
    e.Count: _count,
    e.ReturnReceipt: lambda data: len(data.lines) * (TEXT + TEXT + KEY + TEXT),
    e.Refund: lambda data: 0 if data.return_id is None else TEXT,
    e.Posting: _posting,
    e.Product: _product,
    e.ListingRejection: _listing_rejection,
}
"""Quotes of what may be absent from the data, and of what lists hold. The rest is the same in every event."""


def _required(node: inspect.Type) -> int:
    """Quotes of the fields a struct always has, without what its lists hold."""
    if not isinstance(node, inspect.StructType):
        return 0
    texts = (inspect.StrType, inspect.DateTimeType, inspect.LiteralType)
    needed = [field for field in node.fields if field.default is NODEFAULT and field.required]
    tag = TEXT if node.tag_field is not None else 0
    return tag + sum(
        TEXT if isinstance(field.type, texts) else KEY + _required(field.type) for field in needed
    )


def _row(kind: type[Event]) -> tuple[int, Callable[[Any], int]]:
    node = inspect.type_info(kind)
    assert isinstance(node, inspect.StructType)  # noqa: S101  every event is a struct; this tells mypy
    data = next(field.type for field in node.fields if field.name == "data")
    assert isinstance(data, inspect.StructType)  # noqa: S101  and so is its data
    return _required(node), OPTIONAL.get(data.cls, lambda _: 0)


ROWS = {kind: _row(kind) for kind in EVENT_TYPES}


def refuse_duplicates(data: bytes, lines: list[bytes], parsed: list[Any], failed: Sequence[int]) -> None:
    """Replaces in `parsed` every event whose line names a key twice by its refusal.

    `data` is what `lines` were cut from; `failed` says where `parsed` holds no event.
    """
    quotes = data.count(b'"')
    events, places = parsed, list(range(len(parsed)))
    if failed:
        quotes -= sum(lines[index].count(b'"') for index in failed)
        places = sorted({*places}.difference(failed))
        events = [parsed[index] for index in places]
    rows = ROWS
    needed = [row[0] + row[1](event.data) for event in events for row in (rows[type(event)],)]
    if quotes == sum(needed) + TEXT * _envelope_texts(events):
        return
    for index, event, body in zip(places, events, needed, strict=True):
        line = lines[index]
        present = (event.sequence, event.correlationid, event.dataschema, event.traceparent)
        if line.count(b'"') != body + TEXT * (4 - present.count(None)):
            parsed[index] = named_twice(line) or event


def _envelope_texts(events: Sequence[Event]) -> int:
    """How many optional texts the envelopes hold; attribute by attribute is faster than event by event."""
    absent = [event.sequence for event in events].count(None)
    absent += [event.correlationid for event in events].count(None)
    absent += [event.dataschema for event in events].count(None)
    absent += [event.traceparent for event in events].count(None)
    return 4 * len(events) - absent


def named_twice(line: bytes) -> Refusal | None:
    """The refusal of one line (JSON, UTF-8) that names a key twice in one object; None if it does not."""
    try:
        if _quotes_of(_UNTYPED.decode(line)) == _quotes_in(line):
            return None
    except (msgspec.MsgspecError, RecursionError):
        pass  # a number beyond msgspec's range, or nesting: the other parser decides
    try:
        path = _path(_PAIRS.decode(line.decode()), "")
    except RecursionError:
        return Refusal("not_json", "the line is nested too deeply to be read")
    except ValueError as error:
        return Refusal("not_json", f"the line is not JSON: {error}")
    if path is None:
        return None
    path = path.encode("ascii", "backslashreplace").decode()[:256]
    return Refusal("duplicate_key", f"{path} is named twice in one object", path)


_UNTYPED = msgspec.json.Decoder()


def _quotes_in(line: bytes) -> int:
    """Quotes that begin or end a text, never fewer; beside doubled backslashes escaped ones count too."""
    quotes = line.count(b'"')
    if b"\\" in line and b"\\\\" not in line:
        quotes -= line.count(b'\\"')
    return quotes


def _quotes_of(value: object) -> int:
    """Quotes that begin or end a text in a decoded JSON value, when each key is written once."""
    quotes = 0
    if type(value) is dict:
        quotes = KEY * len(value)
        for inner in value.values():
            kind = type(inner)
            if kind is str:
                quotes += 2
            elif kind is dict or kind is list:
                quotes += _quotes_of(inner)
    elif type(value) is list:
        for inner in value:
            quotes += _quotes_of(inner)
    elif type(value) is str:
        quotes = 2
    return quotes


class _Twice(dict[str, Any]):
    """An object that named `key` more than once."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    names = [name for name, _ in pairs]
    twice = _Twice(value)
    twice.key = next(name for place, name in enumerate(names) if name in names[:place])
    return twice


# Numbers are read as floats because Python refuses whole numbers of more than 4,300 digits.
_PAIRS = json.JSONDecoder(object_pairs_hook=_object, parse_int=float)


def _path(value: object, path: str) -> str | None:
    """Where the first object with a key named twice stands."""
    if isinstance(value, _Twice):
        return f"{path}.{value.key}".removeprefix(".")
    inner: list[tuple[str, object]] = []
    if isinstance(value, dict):
        inner = [(f"{path}.{name}", part) for name, part in value.items()]
    elif isinstance(value, list):
        inner = [(f"{path}[{index}]", part) for index, part in enumerate(value)]
    return next((found for name, part in inner if (found := _path(part, name)) is not None), None)
