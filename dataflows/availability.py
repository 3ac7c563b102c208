"""The main job, as one sentence.

    lanes read files or topics and route events  →  sources are heard  →  orders join them and claim
        →  SKUs keep books and claims  →  kits follow their parts
        →  availability, lifecycle, exceptions and dead letters are written,
    and the tally accounts for every input.

An event goes to the shard of its order, or of its SKU when it belongs to none. Time travels with the data: every
parcel carries its lane's watermark, order shards pass theirs on with their claims.
"""

from __future__ import annotations

from typing import Any

import msgspec

from canonical import topics
from canonical.channel_news import ChannelNews
from dataflows import feeding
from dataflows.edges import Edges, Plan
from dataflows.hosting import Host, Hosted, Job, Mail, Ordered, Stage
from dataflows.shards import LANES, NAMES, ORDER_SHARDS, SKU_SHARDS
from operators.kit_shard import KitShard
from operators.order_shard import OrderShard
from operators.sku_shard import SkuShard
from operators.sources_shard import SourcesShard
from operators.tally import TallyShard, encode

COUNTS = "meta/counts.json"
LINES = tuple(topic.name for topic in topics.OUTPUTS)
_lines = msgspec.json.Encoder().encode_lines


def availability_job(plan: Plan) -> Job:
    """From canonical events, in files or topics, to availability, lifecycle, exceptions and dead letters."""
    policy, as_of = plan.policy, plan.as_of
    shards = range(ORDER_SHARDS)
    watched = {
        name: source.expected_every for name, source in policy.sources.items() if source.expected_every
    }
    edges = Edges(plan, watched)
    upstreams = LANES + tuple(f"orders-{shard:02d}" for shard in shards)

    def orders(shard: int) -> Host:
        return Orders(OrderShard(shard, ORDER_SHARDS, SKU_SHARDS, LANES, policy, as_of))

    def sources(_: int) -> Host:
        return Sources(SourcesShard(LANES, policy, watched, as_of))

    def skus(shard: int) -> Host:
        return Skus(SkuShard(shard, SKU_SHARDS, upstreams, policy, as_of))

    def kits(shard: int) -> Host:
        return Kits(KitShard(shard, SKU_SHARDS, policy))

    stages = (
        Stage("sources", sources),
        Stage("orders", orders),
        Stage("skus", skus),
        Stage("kits", kits),
        *feeding.stages(policy, as_of, live=plan.read_from is not None and not plan.until_end),
        Stage("tally", lambda _: Counts()),
    )
    return Job("availability", LANES, edges.lane, stages, (*LINES, COUNTS, feeding.HEALTH), edges.outlet)


class Sources(Hosted):
    def apply(self, messages: list[Any]) -> list[Mail]:
        records = self.shard.apply(messages)
        if not records:
            return []
        return [Mail(topics.EXCEPTIONS.name, 0, _lines(records)), *feeding.silence(records, self.shard.stale)]


class Orders(Ordered):
    def mails(self, told: Any) -> list[Mail]:
        mails = [Mail("skus", shard, claims) for shard, claims in told.claims.items()]
        mails += feeding.mails(told.news)
        if told.lifecycle:
            mails.append(Mail(topics.LIFECYCLE.name, 0, _lines(told.lifecycle)))
        if told.exceptions:
            mails.append(Mail(topics.EXCEPTIONS.name, 0, _lines(told.exceptions)))
        if told.tally is not None:
            mails.append(Mail("tally", 0, told.tally))
        return mails


class Skus(Ordered):
    def mails(self, told: Any) -> list[Mail]:
        mails = [Mail("kits", shard, parts) for shard, parts in told.parts.items()]
        mails += feeding.mails(told.news)
        if told.availability:
            mails.append(Mail(topics.AVAILABILITY.name, 0, _lines(told.availability)))
        if told.exceptions:
            mails.append(Mail(topics.EXCEPTIONS.name, 0, _lines(told.exceptions)))
        if told.tally is not None:
            mails.append(Mail("tally", 0, told.tally))
        return mails


class Kits(Hosted):
    def apply(self, messages: list[Any]) -> list[Mail]:
        told = self.shard.apply(messages)
        if not told:
            return []
        offers = ChannelNews([self.shard.offer(record) for record in told], [], [], None)
        return [Mail(topics.AVAILABILITY.name, 0, _lines(told)), *feeding.mails(offers)]


class Counts(Hosted):
    def __init__(self) -> None:
        super().__init__(TallyShard())

    def apply(self, messages: list[Any]) -> list[Mail]:
        return [Mail(COUNTS, 0, encode(self.shard.apply(messages)))]


__all__ = ["COUNTS", "LINES", "NAMES", "Plan", "availability_job"]
