"""Stripes of a file pass in the order of the file, and no lane's time runs ahead of what still waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from canonical.messages import Parcel, Time
from operators.turnstile import Turnstile

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def parcel(lane: str, minute: int, file: str | None, first: int, last: int, *events: str) -> Parcel:
    at = DAY + timedelta(minutes=minute)
    return Parcel(list(events), Time(lane, at, at, ended=False, now=DAY), file, first, last)


def beat(lane: str, minute: int) -> Parcel:
    return parcel(lane, minute, None, 0, 0)


def passed(admitted: list[Parcel]) -> list[tuple[str, int | None]]:
    """(events, the minute its lane stands at) of what went in; heartbeats are without events."""
    return [
        (
            "".join(p.events),
            None if p.time.watermark is None else int((p.time.watermark - DAY).total_seconds() // 60),
        )
        for p in admitted
    ]


def test_in_order_everything_passes_at_once() -> None:
    gate = Turnstile()
    assert passed(gate.admit([parcel("a", 1, "f", 0, 9, "x"), parcel("b", 2, "f", 9, 20, "y")])) == [
        ("x", 1),
        ("y", 2),
    ]


def test_an_early_stripe_waits_for_the_one_before_it() -> None:
    gate = Turnstile()
    assert gate.admit([parcel("b", 2, "f", 9, 20, "y")]) == []
    assert passed(gate.admit([parcel("a", 1, "f", 0, 9, "x")])) == [("x", 1), ("y", 2)]


def test_a_stripe_without_events_lets_the_next_one_pass() -> None:
    gate = Turnstile()
    gate.admit([parcel("b", 2, "f", 9, 20, "y")])
    assert passed(gate.admit([parcel("a", 1, "f", 0, 9)])) == [("y", 2)]


def test_another_file_passes_but_its_lanes_time_waits() -> None:
    gate = Turnstile()
    waiting = [
        parcel("b", 1, "g", 0, 5, "w"),
        parcel("b", 2, "f", 9, 20, "y"),
        parcel("b", 3, "g", 5, 9, "z"),
    ]
    assert passed(gate.admit(waiting)) == [("w", 1), ("z", 1)]
    assert passed(gate.admit([parcel("a", 1, "f", 0, 9, "x")])) == [("x", 1), ("y", 3)]


def test_a_heartbeat_waits_behind_what_its_lane_still_holds() -> None:
    gate = Turnstile()
    assert passed(gate.admit([parcel("b", 2, "f", 9, 20, "y"), beat("b", 3), beat("a", 1)])) == [("", 1)]
    assert passed(gate.admit([parcel("a", 4, "f", 0, 9, "x")])) == [("x", 4), ("y", 3), ("", 3)]


def test_what_is_of_no_file_passes_as_it_comes() -> None:
    gate = Turnstile()
    assert passed(gate.admit([parcel("a", 1, None, 0, 0, "k"), beat("a", 2)])) == [("k", 1), ("", 2)]


@pytest.mark.parametrize("seed", range(100))
def test_any_interleaving_of_lanes_passes_every_file_in_order_also_across_a_crash(seed: int) -> None:
    rng = Random(seed)
    lanes: dict[str, list[Parcel]] = {"a": [], "b": [], "c": []}
    for file in ("f", "g"):
        for stripe in range(12):
            lane = rng.choice(list(lanes))
            lanes[lane].append(
                parcel(lane, stripe, file, stripe * 10, stripe * 10 + 10, f"{file}{stripe:02d}")
            )
    gate, seen = Turnstile(), []
    while any(lanes.values()):
        lane = rng.choice([name for name, queue in lanes.items() if queue])
        seen += [event for p in gate.admit([lanes[lane].pop(0)]) for event in p.events]
        if rng.random() < 0.2:
            saved, gate = gate.snapshot(), Turnstile()
            gate.restore(saved)
    for file in ("f", "g"):
        assert [event for event in seen if event[0] == file] == [
            f"{file}{stripe:02d}" for stripe in range(12)
        ]
