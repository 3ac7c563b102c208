"""What one channel is told, and when."""

from __future__ import annotations

from tests.operators.throttle.telling import Shop, at, brief, news, offer, sold


def shop(**settings: object) -> Shop:
    return Shop(web={"rate": 1, "burst": 1, **settings})


def known(made: Shop, **quantities: int) -> Shop:
    """The shop after its channel was told these quantities, long ago."""
    made.hear(news(-10_000, *(offer(sku, quantity) for sku, quantity in quantities.items())))
    made.hear(*(news(second) for second in range(-9_000, 0, 500)))
    assert {update.sku: update.quantity for update in made.told} == quantities
    return made


def test_a_first_offer_is_told_at_once() -> None:
    update = shop().hear(news(0, offer("a", 5)))[0]
    assert (update.channel, update.sku, update.quantity, update.previous_quantity) == ("web", "a", 5, None)
    assert (update.version, update.ats, update.call, update.correlationid) == (1, 5, 1, "cause-1")
    assert update.queued_at == update.released_at == at(0)


def test_reasons_say_what_changed() -> None:
    made = known(shop(burst=9), a=5, b=5, c=5)
    told = made.hear(news(0, offer("a", 0, 2), offer("b", 4, 2), offer("c", 6, 2)), news(9))
    assert sorted(brief(told)) == [("a", 0, "zero"), ("b", 4, "decrease"), ("c", 6, "increase")]


def test_latest_wins() -> None:
    made = known(shop(), a=5, b=5)
    made.hear(news(0, offer("a", 0, 2)), news(0.1, offer("b", 4, 2)), news(0.2, offer("b", 3, 3)))
    assert brief(made.hear(news(1)))[0][:2] == ("b", 3)


def test_latest_wins_keeps_its_place_in_time() -> None:
    made = known(shop(), a=5, b=5)
    made.hear(news(0, offer("a", 0, 2)), news(0.1, offer("b", 4, 2)), news(0.2, offer("b", 3, 3)))
    assert made.hear(news(1))[0].queued_at == at(0.1)


def test_a_value_that_is_true_again_is_withdrawn() -> None:
    made = known(shop(), a=5, b=5)
    made.hear(news(0, offer("a", 0, 2)), news(0.1, offer("b", 4, 2)), news(0.2, offer("b", 5, 3)))
    assert made.hear(news(100)) == []
    assert made.health["web"].waiting == 0


def test_the_most_harmful_is_told_first() -> None:
    made = known(shop(), a=5, b=5, c=50, d=5)
    sales = [sold(sku, 2) for sku in "abcd"]
    made.hear(news(0, offer("d", 0, 2), *sales))
    told = made.hear(
        news(0.5, offer("c", 40, 2), offer("a", 9, 2), offer("b", 0, 2)), news(1), news(2), news(90)
    )
    assert [update.sku for update in told] == ["b", "a", "c"]


def test_an_older_offer_changes_nothing() -> None:
    made = known(shop(), a=5)
    made.hear(news(0, offer("a", 3, 7)), news(5, offer("a", 4, 6)))
    assert brief(made.hear(news(100))) == []


def test_a_call_carries_a_batch() -> None:
    told = shop(batch=2).hear(news(0, *(offer(sku, 1) for sku in "abc")), news(10))
    assert [update.call for update in told] == [1, 1, 2]
    assert [update.released_at for update in told] == [at(0), at(0), at(1)]


def test_what_matters_to_nobody_waits_in_need() -> None:
    made = known(shop(burst=3), a=5, b=500, c=500)
    made.hear(news(0, sold("b", 2), sold("a", 2), offer("a", 0, 2)))
    told = made.hear(news(0.1, offer("b", 499, 2)), news(0.9))
    assert told == []
    assert brief(made.hear(news(1))) == [("b", 499, "decrease")]


def test_what_matters_does_not_wait_for_a_full_bucket() -> None:
    made = known(shop(burst=3), a=5, b=5)
    made.hear(news(0, offer("a", 0, 2)))
    assert made.hear(news(0.1, offer("b", 0, 2)))[0].released_at == at(0.1)


def test_a_channel_that_lowers_itself_need_not_be_told_of_its_own_sales_in_need() -> None:
    made = known(shop(lowers_on_sale=True, burst=3), a=5, b=5)
    made.hear(news(0, offer("b", 0, 2)))
    assert made.hear(news(0.1, sold("a", 2), offer("a", 3, 2))) == []
    assert made.health["web"].waiting == 0


def test_it_is_told_so_in_words_when_calls_are_ample() -> None:
    made = known(shop(lowers_on_sale=True), a=5)
    assert brief(made.hear(news(0, sold("a", 2), offer("a", 3, 2)))) == [("a", 3, "decrease")]


def test_a_channel_that_lowers_itself_is_told_of_the_sales_of_others() -> None:
    made = known(shop(lowers_on_sale=True), a=5)
    made.hear(news(0, sold("a", 2, "other"), offer("a", 3, 2)))
    assert made.health["web"].units_at_risk == 0
    assert brief(made.told)[-1] == ("a", 3, "decrease")


def test_units_at_risk_are_those_shown_too_many() -> None:
    made = known(shop(), a=5, b=5, c=5, d=5)
    made.hear(news(0, offer("a", 0, 2)), news(0.1, offer("b", 3, 2), offer("c", 9, 2), offer("d", 1, 2)))
    health = made.health["web"]
    assert (health.units_at_risk, health.waiting, health.oldest) == (6, 3, at(0.1))


def test_calls_are_counted_against_those_allowed() -> None:
    made = shop(rate=0.5, burst=2)
    made.hear(news(0, offer("a", 1)), news(9))
    assert (made.health["web"].calls, made.health["web"].allowed) == (1, 6)


def test_a_replay_drains_at_its_end_on_the_budgets_schedule() -> None:
    made = Shop(live=False, web={"rate": 0.1, "burst": 1})
    told = made.hear(news(0, *(offer(sku, 1) for sku in "abc")), news(1, ended=True))
    assert [update.released_at for update in told] == [at(0), at(10), at(20)]


def test_what_comes_after_the_end_is_told_after_what_was_drained() -> None:
    made = Shop(live=False, web={"rate": 0.1, "burst": 1})
    made.hear(news(1, offer("a", 1), offer("b", 1), ended=True))
    assert made.hear(news(1, offer("a", 2, 2), ended=True))[0].released_at == at(21)
