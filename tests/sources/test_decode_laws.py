"""Decoding as laws: what is accepted does not depend on blocks, and every line is exactly one event or one letter."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.policy import Time
from sources.decode import Block, Decoder
from tests.sources.samples import SAMPLES, minimal, written

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def judge_slowly(times: list[datetime], nows: list[datetime], time: Time) -> list[str]:
    """Event by event, straight from the words of the contract."""
    greatest, codes = None, []
    for moment, now in zip(times, nows, strict=True):
        if moment > now + time.max_future:
            codes.append("future_event")
        elif greatest is not None and moment < greatest - time.allowed_lateness - time.retention:
            codes.append("late_event")
        else:
            codes.append("")
            greatest = moment if greatest is None else max(greatest, moment)
    return codes


@given(
    hours=st.lists(st.integers(-60, 60), min_size=1, max_size=60),
    lateness=st.integers(0, 10),
    retention=st.integers(0, 40),
    future=st.integers(0, 20),
    size=st.integers(1, 20),
    now=st.lists(st.integers(-40, 70), min_size=60, max_size=60),
    zone=st.sampled_from(["+00:00", "+05:30", "-08:00"]),
)
@settings(max_examples=300)
def test_lateness_and_future_are_judged_as_the_contract_words_them(
    hours: list[int], lateness: int, retention: int, future: int, size: int, now: list[int], zone: str
) -> None:
    time = Time(allowed_lateness=lateness * HOUR, retention=retention * HOUR, max_future=future * HOUR)
    times = [START + hour * HOUR for hour in hours]
    shown = datetime.fromisoformat(f"2026-03-01T00:00:00{zone}").tzinfo
    lines = [
        written(minimal("order.accepted", time=moment.astimezone(shown).isoformat(), id_=str(index)))
        for index, moment in enumerate(times)
    ]
    nows = [START + now[index // size] * HOUR for index in range(len(lines))]
    decoder, codes = Decoder(time), [""] * len(lines)
    for first in range(0, len(lines), size):
        block = Block("orders", b"\n".join(lines[first : first + size]), file="f", line=first)
        result = decoder.decode(block, nows[first])
        for letter in result.letters:
            codes[letter.origin.line or 0] = letter.code
        assert [event.time for event in result.events] == [
            moment
            for moment, code in zip(times[first : first + size], codes[first:], strict=False)
            if not code
        ]
    assert codes == judge_slowly(times, nows, time)


# Pieces a sender may write between events; each is one line that holds no event, or none at all.
POISON = [b"", b"{", b"[]", b"\xff", b'{"specversion":"1.0"}', b'{"a":1,"a":2}', b"\r", b"x" * 300]


@given(st.data())
@settings(max_examples=100)
def test_blocks_crashes_and_neighbours_change_nothing(data: st.DataObject) -> None:
    offsets = st.integers(0, 50 * 24 * 3600)
    good = st.builds(
        lambda sample, after, id_: written(
            sample | {"time": (START + timedelta(seconds=after)).isoformat(), "id": str(id_)}
        ),
        st.sampled_from(SAMPLES),
        offsets,
        st.integers(1, 10**6),
    )
    lines = data.draw(st.lists(good | st.sampled_from(POISON), max_size=40))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=6)))
    now = START + timedelta(days=40)
    whole = Decoder(Time()).decode(Block("", b"\n".join(lines), file="f", line=1), now)
    decoder, parts = Decoder(Time()), []
    for first, last in zip([0, *cuts], [*cuts, len(lines)], strict=True):
        again = Decoder(Time())
        again.restore(json.loads(json.dumps(decoder.snapshot())))
        decoder = again
        offset = sum(len(line) + 1 for line in lines[:first])
        ends = b"\n".join([*lines[first:last], b""])
        parts.append(decoder.decode(Block("", ends, file="f", line=first + 1, offset=offset), now))
    joined: dict[str, Any] = {
        name: [one for part in parts for one in getattr(part, name)]
        for name in ("events", "letters", "drift")
    }
    assert joined == {name: getattr(whole, name) for name in joined}
    assert sum(part.read for part in parts) == whole.read == len(whole.events) + len(whole.letters)
    assert whole.read == len([line for line in lines if line.strip()])
    assert parts[-1].greatest == whole.greatest
