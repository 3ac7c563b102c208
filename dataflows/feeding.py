"""How channels are fed: what orders and SKUs tell the channel shards, and what those tell the world.

Offers and time go to every channel shard, because any may see a channel of its own for the first time; sales and
answers go to the shard of their channel.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from canonical import topics
from canonical.channel_news import ChannelHealth, ChannelNews, Staleness
from canonical.keys import shard_of
from canonical.outputs import ExceptionRecord
from canonical.policy import Policy
from dataflows.hosting import Host, Hosted, Mail, Stage
from dataflows.shards import CHANNEL_SHARDS, ORDER_SHARDS, SKU_SHARDS
from operators.feeds_shard import FeedsShard, encode
from operators.throttle.channel_shard import ChannelShard

HEALTH = "meta/channels.json"
UPSTREAMS = (
    *(f"orders-{shard:02d}" for shard in range(ORDER_SHARDS)),
    *(f"skus-{shard:02d}" for shard in range(SKU_SHARDS)),
)
"""Who tells the channel shards the time."""
_lines = msgspec.json.Encoder().encode_lines


def stages(policy: Policy, as_of: datetime | None, *, live: bool) -> tuple[Stage, Stage]:
    """Channels with their budgets, and one place that knows how all of them do.

    `live`: the input has no end, so budgets go by the wall-clock; else by event time.
    """

    def channels(shard: int) -> Host:
        return Channels(ChannelShard(shard, CHANNEL_SHARDS, UPSTREAMS, policy, as_of, live=live))

    return Stage("channels", channels), Stage("feeds", lambda _: Feeds(FeedsShard()))


def mails(news: ChannelNews | None) -> list[Mail]:
    """What one upstream has for the channels, to the shards it concerns."""
    if news is None:
        return []
    shards = range(CHANNEL_SHARDS)
    if not (news.sold or news.answers):
        return [Mail("channels", shard, news) for shard in shards]
    parts = [ChannelNews(news.offers, [], [], news.time) for _ in shards]
    for sale in news.sold:
        parts[shard_of(sale.channel, CHANNEL_SHARDS)].sold.append(sale)
    for event in news.answers:
        parts[shard_of(event.data.channel, CHANNEL_SHARDS)].answers.append(event)
    return [Mail("channels", shard, part) for shard, part in zip(shards, parts, strict=True)]


def silence(records: list[ExceptionRecord], stale: list[str]) -> list[Mail]:
    """The sources silent at present, to every channel shard, where these records bring news of them."""
    if not any(record.code == "source_stale" for record in records):
        return []
    return [Mail("channels", shard, Staleness(stale, None)) for shard in range(CHANNEL_SHARDS)]


class Channels(Hosted):
    """Updates leave for their file, word of how channels do for the one place that gathers it."""

    def apply(self, messages: list[Any]) -> list[Mail]:
        told = self.shard.apply(messages)
        mails = [Mail("feeds", 0, health) for health in told.health]
        if told.updates:
            mails.append(Mail(topics.CHANNEL_UPDATES.name, 0, _lines(told.updates)))
        return mails


class Feeds(Hosted):
    """Always the whole, so the latest is all a reader needs."""

    def apply(self, messages: list[Any]) -> list[Mail]:
        return [Mail(HEALTH, 0, encode(self.shard.apply(messages)))]


def feeds_of(output: Path) -> dict[str, ChannelHealth]:
    """Channel → how its feed did at the end of the run that wrote `output`; empty where there is none."""
    path = output / HEALTH
    if not path.exists():
        return {}
    feeds: dict[str, dict[str, Any]] = msgspec.json.decode(path.read_bytes())
    names = ChannelHealth.__struct_fields__
    return {
        channel: msgspec.convert([fields[name] for name in names], ChannelHealth)
        for channel, fields in feeds.items()
    }
