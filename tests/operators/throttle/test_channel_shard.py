"""Which channels a shard has, and what reaches them."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest

from canonical.channel_news import ChannelNews, Offer, Staleness
from canonical.errors import Terminal
from canonical.keys import shard_of
from canonical.messages import Time
from canonical.policy import Policy
from operators.throttle.channel_shard import ChannelShard
from tests.operators.throttle.telling import Shop, at, brief, news, observe, offer, sold, time


def test_a_channel_first_seen_is_told_everything_offered_before() -> None:
    made = Shop(web={"burst": 9})
    made.hear(news(0, offer("a", 5), offer("b", 6)))
    made.hear(news(1, sold("a", 1, "market")))
    assert sorted((u.sku, u.quantity) for u in made.told if u.channel == "market") == [("a", 5), ("b", 6)]


def test_a_channel_of_another_shard_is_left_alone() -> None:
    policy = Policy()
    mine = next(name for name in "abcdef" if shard_of(name, 2) == 0)
    other = next(name for name in "abcdef" if shard_of(name, 2) == 1)
    shard = ChannelShard(0, 2, ("up",), policy, None, live=True)
    told = shard.apply([news(0, offer("s", 1), sold("s", 1, mine), sold("s", 1, other))])
    assert [update.channel for update in told.updates] == [mine]


def test_a_channel_draws_on_its_pool() -> None:
    made = Shop(web={"burst": 9})
    made.hear(news(0, Offer("a", [("east", 9), ("all", 4)], True, 1, at(0), "r", "c")))
    assert brief(made.told) == [("a", 4, "refresh")]


def test_a_listing_goes_by_the_channels_own_id() -> None:
    made = Shop()
    made.hear(news(0, Offer("a", [("all", 4)], True, 1, at(0), "r", "c", {"web": "B00X"})))
    assert made.told[0].listing_id == "B00X"


def test_a_listing_with_another_id_is_told_anew() -> None:
    made = Shop(web={"burst": 9})
    for seconds, version, name in ((0, 1, "B00X"), (10, 2, "B00Y"), (20, 3, "B00Y")):
        made.hear(
            news(seconds, Offer("a", [("all", 4)], True, version, at(seconds), "r", "c", {"web": name}))
        )
    assert [(u.listing_id, u.quantity, u.previous_quantity) for u in made.told] == [
        ("B00X", 4, None),
        ("B00Y", 4, None),
    ]


def test_a_stale_source_lowers_what_is_shown_until_it_is_back() -> None:
    made = Shop(web={"burst": 9, "stale_buffer": 2})
    made.policy = Policy.model_validate({**made.policy.model_dump(), "sources": {"/wms": {"feeds": ["dc"]}}})
    made.shard = made._new()
    made.hear(news(0, offer("a", 5)), Staleness(["/wms"], time(10)), Staleness([], time(20)))
    assert [update.quantity for update in made.told] == [5, 3, 5]


def test_time_stands_still_until_every_upstream_has_spoken() -> None:
    shard = ChannelShard(0, 1, ("up", "down"), Policy.model_validate({"channels": {"web": {}}}), None)
    assert shard.apply([news(0, offer("a", 5))]).updates == []


def test_what_was_offered_from_ahead_of_the_watermark_was_queued_no_later_than_told() -> None:
    shard = ChannelShard(0, 1, ("up", "down"), Policy.model_validate({"channels": {"web": {}}}), None)
    shard.apply([news(60, offer("a", 5, seconds=60))])
    behind = ChannelNews([], [], [], Time("down", at(10), at(10), ended=False, now=at(10)))
    update = shard.apply([behind]).updates[0]
    assert (update.queued_at, update.released_at) == (at(10), at(10))


def test_a_listing_without_an_offer_is_told_nothing() -> None:
    made = Shop()
    assert made.hear(news(0, observe("a", 3, 0), sold("b", 1)), news(1000)) == []


def test_it_says_when_it_wants_to_be_woken() -> None:
    made = Shop(web={"rate": 0.1, "burst": 1})
    made.hear(news(0, offer("a", 1), offer("b", 1)))
    assert made.shard.due == at(10)
    made.hear(news(10))
    assert made.shard.due is None


def test_a_changed_configuration_takes_effect_after_a_restart() -> None:
    made = Shop(web={"burst": 9})
    made.hear(news(0, offer("a", 5)))
    made.policy = Policy.model_validate({"channels": {"web": {"burst": 9, "buffer": 2}}})
    made.crash()
    assert brief(made.hear(news(10))) == [("a", 3, "decrease")]


def test_a_snapshot_of_another_shard_is_refused() -> None:
    sealed = Shop().shard.snapshot()
    with pytest.raises(Terminal, match="mixed up"):
        ChannelShard(1, 2, ("up",), Policy(), None).restore(sealed)


@pytest.mark.parametrize(
    "message", [news(0, offer("a", 5), sold("a", 1), observe("a", 1, 0)), Staleness(["x"], None)]
)
def test_messages_cross_processes_as_packed_bytes(message: object) -> None:
    assert pickle.loads(pickle.dumps(message)) == message  # noqa: S301  our own bytes, of this very line


def test_health_crosses_processes_too() -> None:
    made = Shop()
    made.hear(news(0, offer("a", 5)))
    assert pickle.loads(pickle.dumps(made.health["web"])) == made.health["web"]  # noqa: S301  our own bytes


def test_the_end_may_come_with_the_last_offers() -> None:
    made = Shop(live=False)
    made.hear(news(0, offer("a", 5), ended=True))
    assert made.told[0].released_at - at(0) == timedelta(0)
