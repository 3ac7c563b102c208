"""Whatever is done to a valid event, it ends in one letter with the right code, and its neighbours do not notice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.policy import Time
from sources.decode import Block, Decoder
from tests.sources.poisoning import WAYS, poison
from tests.sources.samples import SAMPLES, written

NOW = datetime(2026, 3, 2, tzinfo=UTC)
EVENTS = st.sampled_from(SAMPLES)


@given(st.data())
@settings(max_examples=300)
def test_every_spoiled_line_costs_one_letter_and_no_neighbour(data: st.DataObject) -> None:
    good = st.tuples(EVENTS.map(written), st.just(""))
    lines = data.draw(st.lists(good | poison(EVENTS) | st.just((b" \r", "blank")), min_size=1, max_size=12))
    result = Decoder(Time()).decode(Block("", b"\n".join(line for line, _ in lines), file="f", line=0), NOW)
    codes = {letter.origin.line: letter.code for letter in result.letters}
    assert codes == {place: code for place, (_, code) in enumerate(lines) if code not in {"", "blank"}}
    assert len(result.events) == [code for _, code in lines].count("")
    assert result.read == len(result.events) + len(result.letters)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@given(data=st.data())
@settings(max_examples=60)
def test_each_way_of_spoiling_has_its_code(way: Any, data: st.DataObject) -> None:
    line, code = way(data.draw(EVENTS), data.draw)
    result = Decoder(Time()).decode(Block("", line), NOW)
    assert [letter.code for letter in result.letters] == [code]
