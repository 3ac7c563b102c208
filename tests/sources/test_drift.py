from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from canonical.policy import Time
from sources.decode import SAMPLE_EVERY, Block, Decoder
from sources.drift import KNOWN
from tests.sources.samples import SAMPLES, full, minimal, put, written

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def drifts(decoder: Decoder, *events: Any, stem: str = "") -> list[tuple[str, str, str]]:
    block = Block(stem, b"\n".join(written(event) for event in events), file="f", line=1)
    return [(one.source, one.type, one.field) for one in decoder.decode(block, NOW).drift]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event["type"])
def test_what_the_contract_knows_is_no_drift(event: dict[str, Any]) -> None:
    assert drifts(Decoder(Time()), event) == []


def test_unknown_fields_are_found_at_every_depth_and_named_once() -> None:
    event = put(put(full("order.placed"), "data.lines.0.colour", "red"), "data.lines.1.colour", "blue")
    event = put(event | {"datacontenttype": "application/json"}, "data.gift", {"note": 1})
    where = ("/test", "order.placed")
    expected = [(*where, "data.lines[].colour"), (*where, "data.gift"), (*where, "datacontenttype")]
    assert drifts(Decoder(Time()), event) == expected
    assert drifts(Decoder(Time()), put(full("product.upserted"), "data.safety_stock.moon", 1)) == []


def test_a_sample_names_the_neighbours_and_tells_no_value() -> None:
    event = put(minimal("order.accepted", reference="secret"), "data.colour", "hidden")
    block = Block("orders", written(event), file="f", line=9, offset=70)
    [one] = Decoder(Time()).decode(block, NOW).drift
    assert one.sample == "order_id, reference, colour"
    assert (one.origin.file, one.origin.line, one.origin.offset) == ("f", 9, 70)
    assert "secret" not in repr(one)
    assert "hidden" not in repr(one)


def test_names_are_shown_short_and_plain() -> None:
    [(_, _, field)] = drifts(Decoder(Time()), minimal("order.accepted") | {"ü" + "x" * 5000: 1})
    assert field == "\\xfc" + "x" * 96


def test_sampled_are_the_first_of_each_source_and_type_and_one_line_in_a_thousand() -> None:
    decoder = Decoder(Time())
    event = minimal("order.accepted") | {"new": 1}
    found: Counter[tuple[str, str, str]] = Counter()
    for _ in range(25):
        found.update(drifts(decoder, *[event] * 100))
    assert found == {("/test", "order.accepted", "new"): 3}  # lines 0, 1000 and 2000
    assert len(drifts(decoder, event | {"source": "/other"})) == 1
    assert len(drifts(decoder, minimal("order.rejected") | {"new": 1})) == 1
    assert SAMPLE_EVERY == 1000


def test_which_lines_are_sampled_outlives_a_restart_and_does_not_depend_on_blocks() -> None:
    event = minimal("order.accepted") | {"new": 1}
    for size in (1, 7, 3000):
        decoder, count = Decoder(Time()), 0
        for _ in range(-(-3000 // size)):
            again = Decoder(Time())
            again.restore(json.loads(json.dumps(decoder.snapshot())))
            decoder = again
            count += len(drifts(decoder, *[event] * size))
        assert count == 3 + (size == 7)  # 429 blocks of 7 reach line 3000, the fourth


def test_every_line_can_be_asked_for() -> None:
    event = minimal("order.accepted") | {"new": 1}
    assert len(drifts(Decoder(Time(), sample_every=1), *[event] * 20)) == 20


def test_a_refused_line_is_no_sample() -> None:
    assert drifts(Decoder(Time()), minimal("order.accepted") | {"new": 1, "id": 3}) == []


def test_every_type_has_known_fields() -> None:
    assert all({"specversion", "type", "data"} <= known.keys() and known["data"] for known in KNOWN.values())
