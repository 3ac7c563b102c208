"""The laws of the throttle, tried on stories of all kinds: what may be told, when, and what is true in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from canonical.channel_news import ChannelNews
from canonical.outputs import ChannelUpdate
from tests.operators.throttle.telling import Message, Shop, ack, at, news, offer, reject, sold

SKUS = "abcde"
CHANNELS = ("market", "web")
ANSWERS = st.sampled_from(["ack", "ack", "reject", "retry", "silence"])


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "rate": draw(st.sampled_from([0.1, 0.5, 3.0])),
        "burst": draw(st.integers(1, 4)),
        "batch": draw(st.integers(1, 3)),
        "fair_share": draw(st.sampled_from([0.05, 0.5])),
        "answer_within": "20s",
        "lowers_on_sale": draw(st.booleans()),
    }


@st.composite
def shops(draw: st.DrawFn, *, answered: bool | None = None, live: bool | None = None) -> Shop:
    answered = draw(st.booleans()) if answered is None else answered
    live = draw(st.booleans()) if live is None else live
    return Shop(answered=answered, live=live, **{channel: draw(settings()) for channel in CHANNELS})


@st.composite
def stories(draw: st.DrawFn, shop: Shop) -> Shop:
    """Offers, sales and answers come to the shop one after another; what it told can be read from it."""
    seconds = 0.0
    waiting: list[ChannelUpdate] = []
    for version in range(1, draw(st.integers(2, 30))):
        seconds += draw(st.sampled_from([0, 0.5, 3, 40]))
        things: list[Any] = []
        if draw(st.booleans()):
            things.append(
                offer(draw(st.sampled_from(SKUS)), draw(st.integers(0, 6)), version, seconds=seconds)
            )
        if draw(st.booleans()):
            channel = draw(st.sampled_from(CHANNELS))
            things.append(sold(draw(st.sampled_from(SKUS)), draw(st.integers(1, 4)), channel, seconds))
        while draw(st.booleans()) and waiting:
            things += _answer(draw(ANSWERS), waiting.pop(0), seconds)
        waiting += shop.hear(news(seconds, *things))
    return shop


def _answer(kind: str, update: ChannelUpdate, seconds: float) -> list[Any]:
    match kind:
        case "ack":
            return [ack(update, seconds)]
        case "reject":
            return [reject(update, seconds)]
        case "retry":
            return [reject(update, seconds, retry_after=25)]
    return []


def by_listing(updates: Iterable[ChannelUpdate]) -> dict[tuple[str, str], list[ChannelUpdate]]:
    told: dict[tuple[str, str], list[ChannelUpdate]] = defaultdict(list)
    for update in updates:
        told[update.channel, update.sku].append(update)
    return told


def calls(shop: Shop, channel: str) -> list[datetime]:
    """When the calls of a channel were made."""
    return sorted(
        {update.call: update.released_at for update in shop.told if update.channel == channel}.values()
    )


def end(shop: Shop, seconds: float) -> None:
    shop.hear(news(seconds, ended=True))


def truth(shop: Shop) -> dict[str, int]:
    """The last quantity offered of every SKU, by what was heard."""
    offers = [offered for message in shop.heard for offered in getattr(message, "offers", ())]
    return {offered.sku: offered.pools[0][1] for offered in offers}


@given(st.data())
def test_no_window_holds_more_calls_than_the_rate_and_a_burst(data: st.DataObject) -> None:
    shop = data.draw(stories(data.draw(shops())))
    end(shop, 10_000)
    for channel in CHANNELS:
        policy, made = shop.policy.channels[channel], calls(shop, channel)
        for first, begun in enumerate(made):
            for count, ended in enumerate(made[first:], 1):
                assert count <= policy.rate * (ended - begun).total_seconds() + policy.burst + 1e-9


@given(st.data())
def test_no_call_carries_more_than_a_batch(data: st.DataObject) -> None:
    shop = data.draw(stories(data.draw(shops())))
    carried: dict[tuple[str, int], list[ChannelUpdate]] = defaultdict(list)
    for update in shop.told:
        carried[update.channel, update.call].append(update)
    for (channel, _), updates in carried.items():
        assert len(updates) <= shop.policy.channels[channel].batch
        assert len({update.sku for update in updates}) == len(updates)
        assert len({update.released_at for update in updates}) == 1


@given(st.data())
def test_no_call_is_made_inside_a_retry_after(data: st.DataObject) -> None:
    shop = data.draw(stories(data.draw(shops())))
    end(shop, 10_000)
    for message in shop.heard:
        for event in getattr(message, "answers", ()):
            seconds = getattr(event.data, "retry_after_seconds", None) or 0
            forbidden = event.time, event.time + timedelta(seconds=seconds)
            inside = [c for c in calls(shop, event.data.channel) if forbidden[0] < c < forbidden[1]]
            assert inside == []


@given(st.data())
def test_no_older_version_and_no_older_call_after_a_newer(data: st.DataObject) -> None:
    shop = data.draw(stories(data.draw(shops())))
    end(shop, 10_000)
    for updates in by_listing(shop.told).values():
        assert [update.version for update in updates] == list(range(1, len(updates) + 1))
        assert all(a.call < b.call and a.released_at <= b.released_at for a, b in pairwise(updates))


@given(st.data())
def test_one_version_is_in_flight_per_listing(data: st.DataObject) -> None:
    shop = data.draw(stories(data.draw(shops(answered=True))))
    answered = {
        (event.data.channel, event.data.sku, event.data.version): event.time
        for message in shop.heard
        for event in getattr(message, "answers", ())
    }
    for (channel, sku), updates in by_listing(shop.told).items():
        for update, following in pairwise(updates):
            given_up = update.released_at + timedelta(seconds=20)
            assert following.released_at >= min(
                given_up, answered.get((channel, sku, update.version), given_up)
            )


@given(st.data())
def test_nothing_is_told_before_it_was_queued(data: st.DataObject) -> None:
    shop = data.draw(stories(data.draw(shops())))
    assert all(update.queued_at <= update.released_at for update in shop.told)


@given(st.data())
def test_a_finished_replay_ends_at_the_true_quantities(data: st.DataObject) -> None:
    shop = data.draw(stories(data.draw(shops(answered=False, live=False))))
    end(shop, 10_000)
    last = {listing: updates[-1].quantity for listing, updates in by_listing(shop.told).items()}
    assert last == {(channel, sku): units for channel in CHANNELS for sku, units in truth(shop).items()}
    assert all(health.waiting == health.units_at_risk == 0 for health in shop.health.values())


@given(st.data())
def test_when_inputs_stop_and_channels_answer_they_end_at_the_true_quantities(data: st.DataObject) -> None:
    shop = data.draw(stories(data.draw(shops(answered=True, live=True))))
    updates: list[ChannelUpdate] = []
    seconds = 2_000.0
    while (due := shop.shard.due) is not None:
        seconds = max(seconds, (due - at(0)).total_seconds())
        updates = shop.hear(news(seconds, *(ack(update, seconds) for update in updates)))
        assert seconds < 400_000, "it goes on for ever"
    last = {listing: updates[-1].quantity for listing, updates in by_listing(shop.told).items()}
    assert last == {(channel, sku): units for channel in CHANNELS for sku, units in truth(shop).items()}


@given(st.data())
def test_a_failing_channel_delays_the_others_by_nothing(data: st.DataObject) -> None:
    both = data.draw(stories(data.draw(shops())))
    alone = Shop(live=both.live, answered=both.answered, web=both.policy.channels["web"].model_dump())
    for message in both.heard:
        assert isinstance(message, ChannelNews)
        sales = [sale for sale in message.sold if sale.channel == "web"]
        answers = [event for event in message.answers if event.data.channel == "web"]
        alone.hear(ChannelNews(message.offers, sales, answers, message.time))
    assert alone.told == [update for update in both.told if update.channel == "web"]


@given(st.data())
def test_batches_and_crashes_change_no_call(data: st.DataObject) -> None:
    calm = data.draw(stories(data.draw(shops())))
    other = Shop(
        live=calm.live,
        answered=calm.answered,
        **{channel: policy.model_dump() for channel, policy in calm.policy.channels.items()},
    )
    batch: list[Message] = []
    for message in calm.heard:
        batch.append(message)
        if data.draw(st.booleans()):
            other.hear(*batch)
            batch = []
            if data.draw(st.booleans()):
                other.crash()
    other.hear(*batch)
    end(calm, 10_000)
    end(other, 10_000)
    assert other.told == calm.told
    assert other.health == calm.health


@given(st.integers(1, 5), st.integers(0, 4), st.sampled_from([0.05, 0.2, 0.5]))
def test_no_update_waits_for_ever(meek: int, seed: int, fair_share: float) -> None:
    """However loud the others are: the oldest has its share, so k that wait are told within k/share calls."""
    shop = Shop(web={"rate": 1, "burst": 1, "fair_share": fair_share})
    loud = [f"loud{number}" for number in range(3)]
    for sku in loud:
        shop.hear(news(0, *(sold(sku, 5 + seed) for _ in range(20))))
    shop.hear(
        news(0, *(offer(f"meek{number}", 500) for number in range(meek)), *(offer(sku, 9) for sku in loud))
    )
    needed = (meek + len(loud)) * round(1 / fair_share)
    for second in range(1, needed + 1):
        shop.hear(news(second, *(offer(sku, second % 2 * 3, second + 1) for sku in loud)))
    assert {f"meek{number}" for number in range(meek)} <= {update.sku for update in shop.told}
