"""The budget of one channel."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canonical.policy import Channel
from operators.throttle.instants import SECOND
from operators.throttle.pace import Pace


def pace(rate: float = 1.0, burst: int = 3) -> Pace:
    return Pace(Channel(rate=rate, burst=burst))


def times(budget: Pace, calls: int, now: int = 0) -> list[float]:
    """When so many calls are made, each as early as it may be, in seconds."""
    made = []
    for _ in range(calls):
        now = max(now, budget.ready)
        budget.call(now)
        made.append(now / SECOND)
    return made


def test_a_burst_then_the_rate() -> None:
    assert times(pace(), 5) == [0, 0, 0, 1, 2]


def test_saved_calls_are_no_more_than_the_burst() -> None:
    assert times(pace(), 5, 100 * SECOND) == [100, 100, 100, 101, 102]


def test_a_rate_that_divides_no_second_is_never_exceeded() -> None:
    assert times(pace(rate=3, burst=1), 4) == [0, 0.333334, 0.666668, 1.000002]


def test_nothing_is_called_inside_a_retry_after_and_nothing_saved_after_it() -> None:
    budget = pace()
    budget.block(0, 10 * SECOND)
    assert times(budget, 3) == [10, 11, 12]


def test_a_shorter_retry_after_does_not_cut_a_longer_one() -> None:
    budget = pace()
    budget.block(0, 10 * SECOND)
    budget.block(0, SECOND)
    assert budget.ready == 10 * SECOND


def test_a_refusal_halves_the_pace() -> None:
    budget = pace(burst=1)
    budget.refused()
    assert times(budget, 3) == [0, 2, 4]


def test_refusals_leave_a_thirty_second() -> None:
    budget = pace(burst=1)
    for _ in range(50):
        budget.refused()
    assert times(budget, 2) == [0, 32]


def test_acknowledgements_bring_the_pace_back_and_no_further() -> None:
    budget = pace()
    budget.refused()
    for _ in range(31):
        budget.accepted()
    assert budget.share < 1
    for _ in range(9):
        budget.accepted()
    assert budget.share == 1


def test_the_bucket_is_full_once_every_call_made_is_paid_for() -> None:
    budget = pace()
    times(budget, 2)
    assert budget.full == 2 * SECOND


def test_allowed_calls_grow_with_time_from_the_start() -> None:
    budget = pace(rate=0.5)
    budget.start(10 * SECOND)
    assert [budget.allowed(second * SECOND) for second in (0, 10, 11, 12, 20)] == [3, 3, 3, 4, 8]


@given(st.data(), st.floats(0.01, 20), st.integers(1, 6))
def test_no_window_holds_more_than_the_rate_and_a_burst(data: st.DataObject, rate: float, burst: int) -> None:
    budget, now, made = pace(rate, burst), 0, []
    for _ in range(data.draw(st.integers(2, 25))):
        now += data.draw(st.integers(0, 3 * SECOND))
        match data.draw(st.integers(0, 4)):
            case 0:
                budget.refused()
            case 1:
                budget.accepted()
            case 2:
                budget.block(now, data.draw(st.integers(0, SECOND)))
            case _:
                now = max(now, budget.ready)
                budget.call(now)
                made.append(now)
    for first, begun in enumerate(made):
        for last, ended in enumerate(made[first:], 1):
            assert last <= rate * (ended - begun) / SECOND + burst
