"""How channels do: the latest word on each, all of them at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from canonical.channel_news import ChannelHealth
from dataflows.feeding import HEALTH, feeds_of
from operators.feeds_shard import FeedsShard, encode

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def health(channel: str, calls: int, waiting: int = 0) -> ChannelHealth:
    oldest = DAY if waiting else None
    return ChannelHealth(channel, DAY, waiting, oldest, 0, calls, 9, {"BAD": 1}, 0.5, breaker_open=False)


def test_the_latest_of_every_channel_survives_restarts_and_is_read_back(tmp_path: Path) -> None:
    feeds, again = FeedsShard(), FeedsShard()
    feeds.apply([health("web", 1), health("shop", 2, waiting=3)])
    again.restore(feeds.snapshot())
    told = again.apply([health("web", 4)])
    again.check()
    (tmp_path / HEALTH).parent.mkdir()
    (tmp_path / HEALTH).write_bytes(encode(told))
    assert feeds_of(tmp_path) == {"web": health("web", 4), "shop": health("shop", 2, waiting=3)}


def test_more_calls_than_allowed_are_found() -> None:
    feeds = FeedsShard()
    feeds.apply([health("web", 10)])
    with pytest.raises(AssertionError, match="web: more calls than allowed"):
        feeds.check()
