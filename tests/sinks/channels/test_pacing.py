"""Calls kept apart on the wire, by a clock the tests hold."""

from __future__ import annotations

import threading

from canonical.api import Limit
from sinks.channels.pacing import Gate, Pause


def test_a_gate_never_lets_more_through_than_its_limit() -> None:
    now = [0.0]
    gate = Gate(Limit(rate=2, burst=3), Pause(threading.Event(), lambda: now[0]))
    passed = []
    for _ in range(400):
        if gate.seconds <= 0:
            passed.append(now[0])
            now[0] += 0.03  # the answer takes its time
            gate.leave()
        now[0] += 0.05
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= 3 + 2 * (passed[last] - start) + 1e-6
    assert len(passed) >= 2 * now[0] * 0.9


def test_pauses_grow_while_nothing_is_said_and_shrink_when_it_goes_well() -> None:
    pause = Pause(threading.Event(), lambda: 0.0)
    assert [pause.back_off() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    pause.ease()
    assert pause.back_off() == 1
    assert pause.until == 60, "a shorter word lifts no longer one"
