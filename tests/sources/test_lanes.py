from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.errors import Terminal
from canonical.policy import Time
from sources.decode import Decoded
from sources.files import STRIPE, find
from sources.lanes import LANES, FileLane
from tests.sources.samples import minimal, written
from tests.sources.stored import sizes, stored

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=1)
MINUTE = timedelta(minutes=1)
LATENESS = Time().allowed_lateness


def accepted(minute: int, id_: str = "") -> bytes:
    time = (START + minute * MINUTE).isoformat()
    return written(minimal("order.accepted", time=time, id_=id_ or str(minute))) + b"\n"


def moved(minute: int) -> bytes:
    return (
        written(minimal("inventory.moved", time=(START + minute * MINUTE).isoformat(), id_=str(minute)))
        + b"\n"
    )


def lane_of(folder: Path, lane: int, resume: Any = None) -> FileLane:
    return FileLane(folder, find(folder), lane, Time(), resume)


def reading(
    folder: Path, lane: int, restart: random.Random | None = None
) -> Iterator[tuple[FileLane, Decoded]]:
    """Everything a lane reads, with the lane as it stands after each block; maybe restarted in between."""
    one, told = lane_of(folder, lane), True
    while True:
        if restart and told and restart.random() < 0.4:
            one = lane_of(folder, lane, json.loads(json.dumps(one.position())))
        results = one.read(NOW)
        if not results:
            break
        told = any(result.read for result in results)
        for result in results:
            yield one, result
    assert one.ended
    assert one.bytes_read == one.bytes_total
    assert one.read(NOW) == []


def everything(folder: Path, restart: random.Random | None = None) -> tuple[list[str], list[tuple[str, Any]]]:
    """(ids of all events, (code, line) of all letters) of all lanes, sorted."""
    results = [result for lane in range(LANES) for _, result in reading(folder, lane, restart)]
    ids = [event.id for result in results for event in result.events]
    codes = [(letter.code, letter.origin.line) for result in results for letter in result.letters]
    assert sum(result.read for result in results) == len(ids) + len(codes)
    return sorted(ids), sorted(codes)


@given(
    minutes=st.lists(st.integers(0, 1000) | st.none(), max_size=60),
    ending=st.sampled_from(["", ".gz", ".zst"]),
    stripe=st.integers(100, 2000),
    seed=st.none() | st.randoms(use_true_random=False),
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_lanes_together_read_every_line_once_wherever_they_are_restarted(
    tmp_path: Path, minutes: list[int | None], ending: str, stripe: int, seed: random.Random | None
) -> None:
    lines = [b"spoiled\n" if at is None else accepted(at, str(index)) for index, at in enumerate(minutes)]
    for left in tmp_path.iterdir():  # by the example before
        left.unlink()
    stored(tmp_path, f"orders.ndjson{ending}", b"".join(lines))
    with sizes(STRIPE=stripe, SKIPPED=700):
        ids, letters = everything(tmp_path, seed)
    assert ids == sorted(str(index) for index, at in enumerate(minutes) if at is not None)
    assert letters == sorted(("not_json", index + 1) for index, at in enumerate(minutes) if at is None)


def test_a_huge_line_costs_one_letter_and_little_memory(tmp_path: Path) -> None:
    good = b"".join(accepted(minute % 1000) for minute in range(3000))
    with (tmp_path / "orders.ndjson").open("wb") as file:
        file.write(good)
        for _ in range(50):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + good)
    tracemalloc.start()
    results = []
    for lane in range(LANES):
        for _, result in reading(tmp_path, lane):
            results += [(len(result.events), letter.code, letter.size) for letter in result.letters]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(code, size) for _, code, size in results] == [("too_large", 50 << 20)]
    assert peak < 12 << 20
    assert len(everything(tmp_path)[0]) == 6000


def test_the_file_furthest_behind_is_read_first(tmp_path: Path) -> None:
    for name, first in (("a", 600), ("b", 0), ("c", 300)):
        events = b"".join(accepted(first + minute) for minute in range(300))
        stored(tmp_path, f"orders/{name}.ndjson", events)
    stored(tmp_path, "inventory.ndjson", b"".join(moved(minute) for minute in range(900)))
    with sizes(STRIPE=2000):
        for lane in range(LANES):
            behind: dict[str, datetime] = {}
            firsts = []
            for _, result in reading(tmp_path, lane):
                if not result.events:  # the last stripe, inside a line
                    continue
                firsts.append(result.events[0].time)
                behind[result.stem] = result.events[-1].time
            # Each stripe spans some 10 minutes, and a lane owns every eighth.
            assert all(later > earlier - 110 * MINUTE for earlier, later in pairwise(firsts))


@pytest.mark.parametrize("seed", range(3))
def test_the_watermark_never_falls_and_never_outruns_what_is_to_come(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for name in ("orders/a", "orders/b", "inventory"):
        minutes = [minute + chance.randrange(9) for minute in range(chance.randrange(300), 900)]
        make = moved if name == "inventory" else accepted
        stored(tmp_path, f"{name}.ndjson", b"".join(make(minute) for minute in minutes))
    with sizes(STRIPE=3000):
        for lane in range(LANES):
            assert lane_of(tmp_path, lane).watermark is None
            steps = [(one.watermark, one.greatest, result) for one, result in reading(tmp_path, lane, chance)]
            marks = [mark for mark, _, _ in steps if mark is not None]
            assert len(marks) == len(steps)
            assert marks == sorted(marks)
            for place, (mark, greatest, _) in enumerate(steps):
                later = [event.time for _, _, result in steps[place + 1 :] for event in result.events]
                assert mark is None or not later or mark <= min(later)
                assert greatest == max(
                    event.time for _, _, part in steps[: place + 1] for event in part.events
                )


def test_the_watermark_is_the_slowest_files_less_the_lateness(tmp_path: Path) -> None:
    stored(tmp_path, "orders.ndjson", accepted(50) * 200)
    stored(tmp_path, "inventory.ndjson", moved(500) * 200)
    slow, fast = START + 50 * MINUTE - LATENESS, START + 500 * MINUTE - LATENESS
    with sizes(STRIPE=600):
        for lane in range(LANES):
            steps = [(result.stem, one.watermark) for one, result in reading(tmp_path, lane)]
            stems = [stem for stem, _ in steps]
            slowest = stems.count("orders")
            assert stems == ["orders"] * slowest + ["inventory"] * (len(stems) - slowest)
            assert [mark for _, mark in steps] == [slow] * (slowest - 1) + [fast] * (len(steps) - slowest + 1)


def test_a_first_line_that_cannot_be_believed_is_read_before_all_others(tmp_path: Path) -> None:
    odd = [accepted(10**6), b'{"time":"noon"}\n', b'{"time":"2026-03-01T00:00:00"}\n']
    for first in odd:
        lane = crc32(b"orders/b.ndjson.gz") % LANES
        other = next(n for n in range(99) if crc32(b"orders/a%d.ndjson.gz" % n) % LANES == lane)
        stored(tmp_path, "orders/b.ndjson.gz", first + accepted(500))
        stored(tmp_path, f"orders/a{other}.ndjson.gz", accepted(100) + accepted(101))
        results = [result for _, result in reading(tmp_path, lane)]
        assert [len(result.letters) for result in results] == [1, 0]


def test_a_first_line_that_promised_too_much_does_not_turn_time_back(tmp_path: Path) -> None:
    refused = accepted(500).replace(b'"specversion":"1.0"', b'"specversion":"2"')
    names = [n for n in range(99) if crc32(b"orders/%d.ndjson.gz" % n) % LANES == 3][:2]
    stored(tmp_path, f"orders/{names[0]}.ndjson.gz", b"".join(accepted(minute) for minute in range(300, 600)))
    slow = [accepted(100 + number % 7, f"{number * 7919 % 10007:x}") for number in range(300)]
    stored(tmp_path, f"orders/{names[1]}.ndjson.gz", refused + b"".join(slow))
    with sizes(STRIPE=2000, STORED_PIECE=16, PIECE=500):
        marks = [one.watermark for one, _ in reading(tmp_path, 3)]
    assert max(mark for mark in marks if mark) > START + 400 * MINUTE
    known = [mark for mark in marks if mark]
    assert known == sorted(known)


def test_new_files_are_read_and_finished_ones_may_go(tmp_path: Path) -> None:
    old = stored(tmp_path, "orders/old.ndjson", accepted(1))
    lanes = [lane_of(tmp_path, lane) for lane in range(LANES)]
    ids = [event.id for lane in lanes for result in lane.read(NOW) for event in result.events]
    stored(tmp_path, "orders/new.ndjson", accepted(2))
    old.path.unlink()
    lanes = [lane_of(tmp_path, number, lane.position()) for number, lane in enumerate(lanes)]
    ids += [event.id for lane in lanes for result in lane.read(NOW) for event in result.events]
    stored(tmp_path, "orders/old.ndjson", accepted(1))
    lanes = [lane_of(tmp_path, number, lane.position()) for number, lane in enumerate(lanes)]
    assert ids == ["1", "2"]
    assert [lane.read(NOW) for lane in lanes] == [[]] * LANES
    assert max(lane.greatest for lane in lanes if lane.greatest) == START + 2 * MINUTE


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_what_vanished_or_shrank_is_refused_with_words(tmp_path: Path, ending: str) -> None:
    file = stored(tmp_path, f"orders/a.ndjson{ending}", b"".join(accepted(minute) for minute in range(500)))
    stored(tmp_path, "returns.ndjson", b"")
    lanes = [lane_of(tmp_path, lane) for lane in range(LANES)]
    with sizes(STRIPE=1000):
        number = next(number for number, lane in enumerate(lanes) if lane.bytes_total)
        position = lanes[number].position()
        file.path.write_bytes(file.path.read_bytes()[:-1])
        with pytest.raises(Terminal, match="was cut or replaced since the state was saved"):
            lane_of(tmp_path, number, json.loads(json.dumps(position)) | {"stripe": 1000})
        file.path.unlink()
        with pytest.raises(
            Terminal, match=rf"orders/a\.ndjson{ending} was not read to its end and has vanished"
        ):
            lane_of(tmp_path, number, position | {"stripe": 1000})


def test_a_position_of_other_stripes_is_refused_with_words(tmp_path: Path) -> None:
    stored(tmp_path, "orders.ndjson", accepted(1))
    position = lane_of(tmp_path, 0).position()
    assert position["stripe"] == STRIPE
    with pytest.raises(Terminal, match="position of lane 3 cannot be used: its files were cut differently"):
        lane_of(tmp_path, 3, position | {"stripe": STRIPE * 2})


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_hundreds_of_files_are_not_all_held_open(tmp_path: Path, ending: str) -> None:
    for number in range(200):
        stored(tmp_path, f"orders/{number}.ndjson{ending}", accepted(number) * 30)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with sizes(STRIPE=1000):
        lanes = [lane_of(tmp_path, lane) for lane in range(LANES)]
        for lane in lanes:
            for _ in range(40):
                lane.read(NOW)
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
        assert sum(lane.bytes_read for lane in lanes) > 0
