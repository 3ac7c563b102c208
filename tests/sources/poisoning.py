"""Valid events spoiled in every way we know of: the spoiled line, and the code its letter must have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st
from msgspec import NODEFAULT, inspect

from canonical.topics import EVENT_TYPES, TYPE_NAME
from tests.sources.samples import Event, put, without, written

Draw = Callable[[st.SearchStrategy[Any]], Any]
ENVELOPE_CODES = {"specversion": "not_cloudevent"}
HEAD = ("specversion", "type")


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is no object and no list, with its path."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not isinstance(value, dict | list):
        yield path, value
    for name, part in parts:
        yield from leaves(part, f"{path}.{name}".removeprefix("."))


def required(node: inspect.Type, path: str = "") -> Iterator[str]:
    """Every path of a type that no event may lack; lists are entered at their first entry."""
    if isinstance(node, inspect.ListType):
        yield from required(node.item_type, f"{path}.0")
    elif isinstance(node, inspect.StructType):
        if node.tag_field:
            yield node.tag_field
        for field in node.fields:
            if field.default is NODEFAULT and field.default_factory is NODEFAULT:
                below = f"{path}.{field.encode_name}".removeprefix(".")
                yield below
                yield from required(field.type, below)


REQUIRED = {TYPE_NAME[kind]: tuple(required(inspect.type_info(kind))) for kind in EVENT_TYPES}
TIMES = ("time", "data.as_of", "data.promised_ship_at", "data.promised_delivery_at")


def a_leaf(event: Event, draw: Draw, wanted: type) -> str:
    paths = [path for path, value in leaves(event) if type(value) is wanted and path not in HEAD]
    return str(draw(st.sampled_from(paths)))


def dropped(event: Event, draw: Draw) -> tuple[bytes, str]:
    path = draw(st.sampled_from(REQUIRED[event["type"]]))
    return written(without(event, path)), ENVELOPE_CODES.get(path, "missing_field")


def renamed(event: Event, draw: Draw) -> tuple[bytes, str]:
    path = draw(st.sampled_from(REQUIRED[event["type"]]))
    spoiled = put(without(event, path), f"{path}_", "anything")
    return written(spoiled), ENVELOPE_CODES.get(path, "missing_field")


def retyped(event: Event, draw: Draw) -> tuple[bytes, str]:
    path = a_leaf(event, draw, str)
    free = path == "data.through_sequence"  # a number will do there
    return written(
        put(event, path, draw(st.sampled_from([[], {}] if free else [7, 1.5, True, [], {}])))
    ), "wrong_type"


def huge_text(event: Event, draw: Draw) -> tuple[bytes, str]:
    paths = ["id", "source", "subject", "correlationid"]
    return written(
        put(event, draw(st.sampled_from(paths)), "x" * draw(st.integers(521, 5000)))
    ), "out_of_range"


def huge_line(event: Event, draw: Draw) -> tuple[bytes, str]:
    return written(event | {"x": "y" * (1 << 20)}), "too_large"


def not_text(event: Event, draw: Draw) -> tuple[bytes, str]:
    line = written(put(event, a_leaf(event, draw, str), "@@"))
    return line.replace(
        b"@@", draw(st.sampled_from([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80"]))
    ), "not_json"


def nested(event: Event, draw: Draw) -> tuple[bytes, str]:
    depth = draw(st.integers(2000, 20_000))
    line = written(put(event, draw(st.sampled_from(["x", "data.x"])), "@@"))
    return line.replace(b'"@@"', b"[" * depth + b"]" * depth), "not_json"


def not_a_number(event: Event, draw: Draw) -> tuple[bytes, str]:
    line = written(put(event, draw(st.sampled_from(["x", "id", "data.x", "data.quantity"])), "@@"))
    return line.replace(
        b'"@@"', draw(st.sampled_from([b"NaN", b"-Infinity", b"+1", b"1.", b".5", b"0x1"]))
    ), "not_json"


def named_twice(event: Event, draw: Draw) -> tuple[bytes, str]:
    path, value = draw(st.sampled_from(list(leaves(event))))
    again = draw(st.sampled_from([value, None, "x", 3]))
    name = path.rpartition(".")[2]
    line = written(put(event, f"{path}@@".removeprefix("."), again)).replace(
        f'{name}@@"'.encode(), f'{name}"'.encode()
    )
    return line, "duplicate_key"


def beyond_64_bits(event: Event, draw: Draw) -> tuple[bytes, str]:
    paths = [path for path, value in leaves(event) if type(value) is int and "." in path]
    if not paths:
        return huge_text(event, draw)
    value = draw(st.sampled_from([2**63, -(2**63) - 1, 2**64, 10**30]))
    return written(put(event, draw(st.sampled_from(paths)), value)), "out_of_range"


def zoneless(event: Event, draw: Draw) -> tuple[bytes, str]:
    paths = [path for path, _ in leaves(event) if path in TIMES]
    return written(put(event, draw(st.sampled_from(paths)), "2026-03-01T10:00:00")), "naive_time"


def cut_off(event: Event, draw: Draw) -> tuple[bytes, str]:
    line = written(event)
    return line[: draw(st.integers(1, len(line) - 1))], "not_json"


def run_on(event: Event, draw: Draw) -> tuple[bytes, str]:
    return written(event) + draw(st.sampled_from([b"}", b",", b"x", b"\x00", written(event)])), "not_json"


def misdirected(event: Event, draw: Draw) -> tuple[bytes, str]:
    return written(event | {"subject": event["subject"] + draw(st.text("abc ü", min_size=1))}), "key_mismatch"


def unheard_of(event: Event, draw: Draw) -> tuple[bytes, str]:
    return written(event | {"type": event["type"] + draw(st.text("abc.", min_size=1))}), "unknown_type"


def ahead(event: Event, draw: Draw) -> tuple[bytes, str]:
    return written(event | {"time": f"{draw(st.integers(2027, 9998))}-01-01T00:00:00Z"}), "future_event"


WAYS = (
    dropped,
    renamed,
    retyped,
    huge_text,
    huge_line,
    not_text,
    nested,
    not_a_number,
    named_twice,
    beyond_64_bits,
    zoneless,
    cut_off,
    run_on,
    misdirected,
    unheard_of,
    ahead,
)


@st.composite
def poison(draw: Any, events: st.SearchStrategy[Event]) -> tuple[bytes, str]:
    """A spoiled line and the code it must be refused with."""
    event = json.loads(json.dumps(draw(events)))
    line, code = draw(st.sampled_from(WAYS))(event, draw)
    assert b"\n" not in line
    return line, code
