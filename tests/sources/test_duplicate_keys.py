from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sources import duplicate_keys
from sources.decode import parse
from sources.duplicate_keys import refuse_duplicates
from tests.sources.samples import SAMPLES, full, minimal, written


def judged(*lines: bytes) -> list[tuple[str, str] | None]:
    """Per line the code and field it is refused with, None where it is accepted."""
    data = b"\n".join(lines)
    split, parsed, failed = parse(data)
    refuse_duplicates(data, split, parsed, failed)
    return [(one.code, one.field) if hasattr(one, "code") else None for one in parsed]


def places(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every key of every object below the value: its path, the object, the key."""
    if isinstance(value, dict):
        for name, part in value.items():
            below = f"{path}.{name}".removeprefix(".")
            yield below, value, name
            yield from places(part, below)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from places(part, f"{path}[{index}]")


def twice(event: dict[str, Any], place: int, again: str, *, first: bool) -> tuple[str, bytes]:
    """The event with the key at a place named twice, once with `again` for its value; and the path of that key."""
    event = json.loads(json.dumps(event))
    path, parent, name = list(places(event))[place]
    mark = "\u0001"
    parent[mark] = 0
    if first:
        rest = {key: parent.pop(key) for key in list(parent) if key != mark}
        parent.update(rest)
    return path, written(event).replace(b'"\\u0001":0', f'"{name}":{again}'.encode())


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event["type"])
@pytest.mark.parametrize("again", ["null", '"x"', "7", "{}"])
def test_every_key_of_every_type_named_twice_is_refused(event: dict[str, Any], again: str) -> None:
    for place, _ in enumerate(places(event)):
        path, line = twice(event, place, again, first=False)
        assert judged(line) == [("duplicate_key", path)]
        path, line = twice(event, place, again, first=True)
        assert judged(written(event), line, written(event)) == [None, ("duplicate_key", path), None]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event["type"])
def test_a_plain_event_has_exactly_the_quotes_it_needs(
    event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(line: bytes) -> None:
        pytest.fail(f"a second look at {line!r} costs time that a plain sender must not pay")

    monkeypatch.setattr(duplicate_keys, "named_twice", never)
    spaced = json.dumps(event).encode()
    assert judged(written(event), spaced, b"{", b"", written(event)) == [
        None,
        None,
        ("not_json", ""),
        None,
        None,
    ]


ODD = [
    written(minimal("order.accepted") | {"correlationid": None, "sequence": None}),
    written(minimal("order.placed", version=1)),
    written(minimal("inventory.moved", status="sellable", order_id=None)),
    written(minimal("order.accepted") | {"datacontenttype": "application/json", "more": {"a": [{"b": 1}]}}),
    written(minimal("order.rejected", reason='say "no": now')),
    written(minimal("order.rejected", reason='":":"')),
    written(minimal("order.rejected", reason="back\\slash\\") | {"correlationid": "too\\"}),
    written(minimal("order.rejected", reason='both \\" of them \\\\"')),
    written(minimal("order.accepted") | {"x": 0}).replace(b'"x":0', b'"x":' + b"1" * 5000),
    written(minimal("order.accepted") | {"x": 0}).replace(b'"x":0', b'"x":1e999'),
    written(minimal("order.accepted") | {"x": [{"a": 1}, {"a": 1}], "a": {"x": {"x": 1}}}),
]


@pytest.mark.parametrize("line", ODD)
def test_what_is_odd_but_unique_is_accepted(line: bytes) -> None:
    assert judged(line) == [None]
    assert judged(written(full("order.accepted")), line) == [None, None]


@pytest.mark.parametrize("line", ODD)
def test_a_key_named_twice_hides_behind_nothing(line: bytes) -> None:
    assert judged(line[:-1] + b',"id":"1"}') == [("duplicate_key", "id")]
    assert judged(line[:-1] + b',"id":7}') == [("duplicate_key", "id")]
    assert judged(line[:-1] + b' ,\t"i\\u0064" : "2" }') == [("duplicate_key", "id")]
    assert judged(line[:-1] + b',"y":[0,{"z":{},"z":{}}]}') == [("duplicate_key", "y[1].z")]


def test_a_key_named_twice_does_not_hide_behind_an_absent_one() -> None:
    usual = written(minimal("order.released", location="east"))
    assert judged(
        usual, written(minimal("order.released")).replace(b'"data":{', b'"data":{"order_id":"O",')
    ) == [
        None,
        ("duplicate_key", "data.order_id"),
    ]


def test_a_strange_name_is_told_in_plain_letters() -> None:
    line = (
        written(minimal("order.accepted"))[:-1] + b',"\\ud83d\\ude00\xc3\xbc":1,"\\ud83d\\ude00\xc3\xbc":2}'
    )
    assert judged(line) == [("duplicate_key", "\\U0001f600\\xfc")]
