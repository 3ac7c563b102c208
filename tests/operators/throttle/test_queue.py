"""The queue of one channel against a plain list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operators.throttle.queue import Queue
from operators.throttle.risk import REFRESH


def queue(fair_share: float = 0.0, **scores: float) -> Queue:
    made = Queue(fair_share)
    for place, (sku, score) in enumerate(scores.items()):
        made.put(sku, score, place)
    return made


def taken(made: Queue) -> list[str]:
    return list(iter(made.take, None))


def test_the_most_harmful_comes_first() -> None:
    assert taken(queue(a=1, b=3, c=2)) == ["b", "c", "a"]


def test_of_equals_the_oldest_comes_first() -> None:
    assert taken(queue(a=1, b=1, c=1)) == ["a", "b", "c"]


def test_a_new_score_counts() -> None:
    made = queue(a=1, b=3)
    made.put("a", 5, 0)
    made.put("b", 0.5, 1)
    assert taken(made) == ["a", "b"]


def test_what_is_dropped_is_not_taken() -> None:
    made = queue(a=1, b=3)
    made.drop("b")
    assert taken(made) == ["a"]


def test_a_share_goes_to_the_oldest() -> None:
    assert taken(queue(0.5, a=1, b=2, c=3, d=4, e=5)) == ["e", "a", "d", "b", "c"]


def test_a_share_of_nothing_is_saved_for_one_only() -> None:
    made = queue(0.5, **dict.fromkeys("pqrst", REFRESH))
    taken(made)
    for place, sku in enumerate("abcde", 5):
        made.put(sku, ord(sku), place)
    assert taken(made) == ["a", "e", "b", "d", "c"]


def test_refreshes_come_last_and_have_no_age() -> None:
    assert taken(queue(0.5, r=REFRESH, a=0, b=1)) == ["b", "a", "r"]


@given(st.data(), st.sampled_from([0.0, 0.05, 0.3, 1.0]))
def test_a_queue_is_a_list_looked_through(data: st.DataObject, fair_share: float) -> None:
    made, plain, credit = Queue(fair_share), dict[str, tuple[float, int]](), 0
    for place in range(data.draw(st.integers(1, 60))):
        sku, score = (
            data.draw(st.sampled_from("abcdefg")),
            data.draw(st.sampled_from([REFRESH, 0.0, 1.0, 2.0])),
        )
        match data.draw(st.integers(0, 3)):
            case 0:
                made.drop(sku)
                plain.pop(sku, None)
            case 1:
                credit = min(1_000_000, credit + round(fair_share * 1e6)) if plain else credit
                aged = [known for known, (worth, _) in plain.items() if worth != REFRESH]
                expected = min(plain, key=lambda known: (-plain[known][0], plain[known][1]), default=None)
                if credit == 1_000_000 and aged:
                    expected, credit = min(aged, key=lambda known: plain[known][1]), 0
                assert made.take() == expected
                plain.pop(expected or "", None)
            case _:
                kept = plain[sku][1] if sku in plain else place
                made.put(sku, score, kept)
                plain[sku] = (score, kept)
        assert len(made) == len(plain)
