from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from canonical.errors import Code
from canonical.policy import Time
from sources.decode import Block, Decoded, Decoder, Fault
from tests.sources.refused import COUNTED, ORDER, ROWS, order
from tests.sources.samples import SAMPLES, STEMS_BY_TYPE, minimal, put, written

NOW = datetime(2026, 3, 2, tzinfo=UTC)
GOOD = {
    "orders": written(ORDER),
    "inventory": written(COUNTED),
    "products": written(minimal("product.upserted")),
    "listings": written(minimal("listing.observed")),
}
REFUSED = [(code, *row) for code, rows in ROWS.items() for row in rows]


def decoded(stem: str, *lines: bytes, **more: Any) -> Decoded:
    place: dict[str, Any] = {"file": "f", "line": 1}
    block = Block(stem, b"\n".join(lines), **(place | more))
    return Decoder(Time()).decode(block, NOW)


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event["type"])
def test_every_type_is_accepted(event: dict[str, Any]) -> None:
    result = decoded(STEMS_BY_TYPE[event["type"]], written(event))
    assert not result.letters
    assert not result.drift
    assert [(one.id, one.subject) for one in result.events] == [(event["id"], event["subject"])]
    assert result.read == 1


@pytest.mark.parametrize(("code", "stem", "line", "field"), REFUSED, ids=lambda value: str(value)[:50])
def test_one_bad_line_costs_one_letter(code: str, stem: str, line: bytes, field: str) -> None:
    good = GOOD[stem]
    result = decoded(stem, good, line, good)
    assert [(letter.code, letter.field) for letter in result.letters] == [(code, field)]
    assert len(result.events) == 2
    assert result.read == 3
    [letter] = result.letters
    assert letter.reason.isprintable()
    assert field.replace("[...]", "").rpartition(".")[2] in letter.reason
    assert letter.origin.line == 2
    assert letter.origin.offset == len(good) + 1
    assert result.greatest == result.events[0].time


def test_every_code_has_a_row() -> None:
    assert ROWS.keys() | {"corrupt_file"} == set(get_args(Code))  # that one is in test_compressed.py


def test_a_letter_keeps_the_input_whole_and_says_where_it_came_from() -> None:
    bad = [order("data.channel", "ü") + b"}", GOOD["orders"].replace(b"web", b"w\xffb"), b"x" * (1 << 20)]
    result = decoded("orders", *bad, file="orders/a.ndjson", offset=1000, line=51)
    text, raw, big = result.letters
    assert (text.input, text.key, text.stem, text.first_seen) == (bad[0].decode(), "O", "orders", NOW)
    assert base64.b64decode(str(raw.input_base64)) == bad[1]
    assert (raw.key, raw.code) == ("O", "not_json")
    assert (big.input, big.key, big.code) == (
        bad[2].decode(),
        "",
        "not_json",
    )  # exactly 1 MiB is not too large
    assert [letter.origin.file for letter in result.letters] == ["orders/a.ndjson"] * 3
    assert [letter.origin.line for letter in result.letters] == [51, 52, 53]
    starts = [1000, 1000 + len(bad[0]) + 1, 1000 + len(bad[0]) + len(bad[1]) + 2]
    assert [letter.origin.offset for letter in result.letters] == starts


def test_a_huge_line_keeps_its_head_and_its_size() -> None:
    head = b'{"subject":"O","x":"' + b"\xc3\xbc" * 3000
    [letter] = decoded("orders", head + b"y" * (2 << 20)).letters
    assert (letter.code, letter.key, letter.size) == ("too_large", "O", len(head) + (2 << 20))
    assert str(letter.input).encode() == head[:4096]
    [broken] = decoded("orders", b'{"subject":"O","x":"\xc3').letters
    assert base64.b64decode(str(broken.input_base64)).endswith(b"\xc3")  # not our cut: kept as it was
    [cut] = decoded("orders", b" " + head + b"y" * (2 << 20)).letters
    assert str(cut.input).encode() == b" " + head[:4094]  # not in the middle of a character


def test_letters_of_a_broker_name_topic_partition_and_offset() -> None:
    lines = (GOOD["orders"], b"x", GOOD["orders"], b"y")
    result = decoded("orders", *lines, file=None, topic="t", partition=3, offsets=[7, 9, 10, 14])
    places = [
        (letter.origin.topic, letter.origin.partition, letter.origin.offset) for letter in result.letters
    ]
    assert places == [("t", 3, 9), ("t", 3, 14)]


def test_the_readers_own_fault_is_the_last_letter_and_is_counted() -> None:
    fault = Fault("corrupt_file", "the gz data ends in the middle", b'{"subject":"O', 13, 77)
    result = decoded("orders", GOOD["orders"] + b"\n", fault=fault)
    [letter] = result.letters
    assert (letter.code, letter.input, letter.origin.line, letter.origin.offset) == (
        fault.code,
        '{"subject":"O',
        2,
        77,
    )
    assert (result.read, len(result.events)) == (2, 1)


def test_line_numbers_are_asked_for_only_when_there_is_a_letter() -> None:
    asked: list[int] = []

    def line_at(offset: int) -> int:
        asked.append(offset)
        return 100

    decoder = Decoder(Time(), line_at)
    decoder.decode(Block("orders", GOOD["orders"], file="f", offset=5), NOW)
    assert asked == []
    result = decoder.decode(
        Block("orders", b"\n".join([GOOD["orders"], b"x", b"y"]), file="f", offset=9), NOW
    )
    assert [letter.origin.line for letter in result.letters] == [101, 102]
    assert asked == [9]


@pytest.mark.parametrize("blank", [b"", b" ", b"\t \r", b"\r"])
def test_blank_lines_are_nothing(blank: bytes) -> None:
    result = decoded("orders", blank, GOOD["orders"], blank, b"x", blank, blank)
    assert (result.read, len(result.events)) == (2, 1)
    assert [letter.origin.line for letter in result.letters] == [4]


def test_line_ends_of_windows_and_a_missing_last_one_are_fine() -> None:
    assert decoded("orders", GOOD["orders"] + b"\r", GOOD["orders"] + b"\r", GOOD["orders"]).read == 3
    assert decoded("orders", GOOD["orders"] + b"\n").read == 1
    assert decoded("orders", b"").read == 0


def test_a_value_is_a_line_and_a_line_is_a_value() -> None:
    line = GOOD["orders"]
    halves = line.replace(b'"data":', b'"data":\n')
    result = decoded("orders", line + line, halves)
    assert [letter.code for letter in result.letters] == ["not_json"] * 3
    assert result.events == []


def test_all_times_become_utc() -> None:
    zone = "2026-03-01T12:00:00.25+02:00"
    utc = datetime(2026, 3, 1, 10, microsecond=250_000, tzinfo=UTC)
    [placed] = decoded("orders", written(put(ORDER | {"time": zone}, "data.promised_ship_at", zone))).events
    [counted] = decoded("inventory", written(put(COUNTED, "data.as_of", zone))).events
    data: Any = placed.data  # type: ignore[attr-defined]  # every event has data
    for moment in (placed.time, data.promised_ship_at, counted.data.as_of):  # type: ignore[attr-defined]  # every event has data
        assert moment == utc
        assert moment.tzinfo is UTC


def test_with_an_unknown_stem_any_type_is_accepted() -> None:
    result = decoded("", *[written(event) for event in SAMPLES])
    assert result.letters == []
    assert len(result.events) == len(SAMPLES)


def test_late_is_measured_against_what_was_accepted_before() -> None:
    horizon = Time().allowed_lateness + Time().retention
    newest = datetime(2026, 3, 1, tzinfo=UTC)
    times = [newest - horizon - timedelta(seconds=1), newest, newest - horizon]
    times += [NOW + timedelta(days=1), newest - horizon - timedelta(seconds=1)]
    result = decoded("orders", *[order("time", time.isoformat()) for time in times])
    assert [letter.code for letter in result.letters] == ["future_event", "late_event"]
    assert [event.time for event in result.events] == times[:3]
    assert result.greatest == newest


def test_the_cut_of_a_count_is_measured_against_what_came_before_it_too() -> None:
    first = written(put(COUNTED | {"time": "2026-02-01T00:00:00Z"}, "data.as_of", "2026-02-01T00:00:00Z"))
    second = written(
        put(COUNTED, "data.as_of", "2026-01-10T00:00:00Z")
    )  # more than a month before its own time
    assert [len(decoded("inventory", first, line).letters) for line in (second, second)] == [0, 0]
    assert [letter.code for letter in decoded("inventory", first, second, second).letters] == ["late_event"]


def test_a_snapshot_is_plain_and_takes_the_place_of_what_was_read() -> None:
    blocks = [Block("orders", GOOD["orders"] + b"\n"), Block("orders", order("time", "2026-01-01T00:00:00Z"))]
    through, before = Decoder(Time()), Decoder(Time())
    through.decode(blocks[0], NOW)
    before.decode(blocks[0], NOW)
    state = json.loads(json.dumps(before.snapshot()))
    after = Decoder(Time())
    after.restore(state)
    assert after.snapshot() == before.snapshot()
    results = [decoder.decode(blocks[1], NOW) for decoder in (through, after)]
    assert results[0] == results[1]
    assert [letter.code for letter in results[0].letters] == ["late_event"]
