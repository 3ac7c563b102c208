"""What a channel answers, and what follows from it."""

from __future__ import annotations

from tests.operators.throttle.telling import Shop, ack, at, brief, news, observe, offer, reject


def shop(*, answered: bool = True, **settings: object) -> Shop:
    return Shop(answered=answered, web={"rate": 1, "burst": 1, "answer_within": "60s", **settings})


def test_nothing_newer_is_sent_while_a_version_is_in_flight() -> None:
    made = shop()
    made.hear(news(0, offer("a", 5)))
    assert made.hear(news(5, offer("a", 3, 2)), news(50)) == []


def test_an_acknowledgement_lets_the_next_version_go() -> None:
    made = shop()
    first = made.hear(news(0, offer("a", 5)))[0]
    update = made.hear(news(5, offer("a", 3, 2)), news(9, ack(first, 9)))[0]
    assert (update.version, update.quantity, update.queued_at, update.released_at) == (2, 3, at(5), at(9))


def test_an_acknowledgement_of_an_older_version_lets_nothing_go() -> None:
    made = shop()
    first = made.hear(news(0, offer("a", 5)))[0]
    made.hear(news(5, offer("a", 3, 2)), news(9, ack(first, 9)))
    assert made.hear(news(10, offer("a", 2, 3), ack(first, 10))) == []


def test_silence_counts_as_a_failure_and_the_value_is_told_again() -> None:
    made = shop()
    made.hear(news(0, offer("a", 5)))
    assert brief(made.hear(news(59))) == []
    assert brief(made.hear(news(70))) == [("a", 5, "correction")]


def test_without_drivers_a_release_counts_as_acknowledged() -> None:
    made = shop(answered=False)
    made.hear(news(0, offer("a", 5)))
    assert brief(made.hear(news(5, offer("a", 3, 2)))) == [("a", 3, "decrease")]


def test_a_refused_value_is_told_again_after_a_pause_that_doubles() -> None:
    made = shop()
    told = made.hear(news(0, offer("a", 5)))
    refused = []
    for second in range(1_000):
        refused += [second] * len(told)
        told = made.hear(news(second, *(reject(update, second) for update in told)))
    # Pauses of 60, 120, 240 and 480 s, and a second each until the refusal is heard.
    assert refused == [0, 61, 182, 423, 904]


def test_a_refusal_takes_back_what_was_told() -> None:
    made = shop()
    first = made.hear(news(0, offer("a", 5)))[0]
    second = made.hear(news(1, ack(first, 1)), news(2, offer("a", 3, 2)))[0]
    made.hear(news(3, reject(second, 3)))
    assert made.health["web"].units_at_risk == 2
    assert made.hear(news(500))[0].previous_quantity == 5


def test_a_refusal_told_twice_counts_once() -> None:
    made = shop()
    update = made.hear(news(0, offer("a", 5)))[0]
    made.hear(news(1, reject(update, 1), reject(update, 1)))
    assert made.health["web"].rejections == {"BAD": 1}


def test_refusals_slow_the_channel_down_once_per_call() -> None:
    made = shop(batch=9)
    updates = made.hear(news(0, *(offer(sku, 5) for sku in "abc")))
    made.hear(news(1, *(reject(update, 1) for update in updates)))
    assert made.health["web"].pace == 0.5


def test_nothing_is_called_inside_a_retry_after() -> None:
    made = shop(burst=5)
    update = made.hear(news(0, offer("a", 5)))[0]
    made.hear(news(1, reject(update, 1, retry_after=30), offer("b", 5)))
    assert [told.released_at for told in made.hear(news(30), news(40))] == [at(31)]


def test_a_channel_that_cuts_quantities_is_not_called_for_ever() -> None:
    made = shop()
    update = made.hear(news(0, offer("a", 5000)))[0]
    made.hear(news(1, ack(update, 1, quantity=999)))
    assert made.hear(news(60)) == []
    assert brief(made.hear(news(62))) == [("a", 5000, "correction")]


def test_a_channel_that_shows_something_else_is_corrected() -> None:
    made = shop(answered=False)
    made.hear(news(0, offer("a", 5)))
    told = made.hear(news(100, observe("a", 7, 100)), news(200))
    assert brief(told) == [("a", 5, "correction")]


def test_what_a_channel_showed_before_it_was_told_proves_nothing() -> None:
    made = shop(answered=False)
    made.hear(news(0, offer("a", 5)))
    assert made.hear(news(100, observe("a", 7, 59)), news(200)) == []


def test_five_failed_calls_open_the_breaker() -> None:
    made = shop(burst=9)
    updates = made.hear(news(0, *(offer(sku, 5) for sku in "abcde")))
    made.hear(news(1, *(reject(update, 1) for update in updates), offer("f", 5)))
    assert made.health["web"].breaker_open
    assert [update.released_at for update in made.hear(news(30), news(40))] == [at(31)]


def test_an_open_breaker_asks_with_one_update_at_a_time() -> None:
    made = shop(burst=9, batch=9)
    for second in (0, 50, 100, 150, 200):
        for update in made.hear(news(second, offer(f"s{second}", 5))):
            made.hear(news(second, reject(update, second)))
    assert made.health["web"].breaker_open
    probe = made.hear(news(290, *(offer(sku, 5) for sku in "abc")))
    assert len(probe) == 1
    assert made.hear(news(291)) == []
    assert len(made.hear(news(300, ack(probe[0], 300)))) > 1
