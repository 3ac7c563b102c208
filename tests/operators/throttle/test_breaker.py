"""The breaker of one channel, played in seconds."""

from __future__ import annotations

from operators.throttle.breaker import FAILURES, FIRST_WAIT, LONGEST_WAIT, Breaker
from operators.throttle.instants import SECOND


def failing(times: int = FAILURES, at: int = 0) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.failed(at, SECOND)
    return breaker


def test_some_failures_leave_it_closed() -> None:
    assert failing(FAILURES - 1).ready == 0


def test_failures_in_a_row_open_it() -> None:
    assert failing(at=SECOND).ready == SECOND + FIRST_WAIT


def test_a_success_between_failures_keeps_it_closed() -> None:
    breaker = failing(FAILURES - 1)
    breaker.succeeded()
    breaker.failed(0, SECOND)
    assert not breaker.is_open


def test_failures_far_apart_are_not_in_a_row() -> None:
    breaker = failing(FAILURES - 1)
    breaker.failed(2 * SECOND, SECOND)
    assert not breaker.is_open


def test_one_probe_at_a_time() -> None:
    breaker = failing()
    breaker.called()
    assert breaker.ready is None


def test_a_probe_that_fails_doubles_the_wait() -> None:
    breaker = failing()
    breaker.called()
    breaker.failed(FIRST_WAIT, SECOND)
    assert breaker.ready == 3 * FIRST_WAIT


def test_the_wait_does_not_grow_for_ever() -> None:
    breaker = failing()
    for _ in range(20):
        breaker.called()
        breaker.failed(0, SECOND)
    assert breaker.ready == LONGEST_WAIT


def test_a_probe_that_succeeds_closes_it() -> None:
    breaker = failing()
    breaker.called()
    breaker.succeeded()
    assert (breaker.is_open, breaker.ready) == (False, 0)


def test_late_failures_of_older_calls_do_not_prolong_the_wait() -> None:
    breaker = failing()
    breaker.failed(SECOND, SECOND)
    assert breaker.ready == FIRST_WAIT
