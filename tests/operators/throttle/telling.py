"""Drives a channel shard the way upstreams do, and plays the channels at the other end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from canonical import events as e
from canonical.channel_news import ChannelHealth, ChannelNews, Offer, Sold, Staleness
from canonical.envelope import Event
from canonical.messages import Time
from canonical.outputs import ChannelUpdate
from canonical.policy import Policy
from operators.throttle.channel_shard import ChannelShard

START = datetime(2026, 3, 2, tzinfo=UTC)
Message = ChannelNews | Staleness


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def time(seconds: float, *, ended: bool = False) -> Time:
    return Time("up", at(seconds), at(seconds), ended, at(seconds))


def news(seconds: float, *things: Any, ended: bool = False) -> ChannelNews:
    """What one upstream says at a time: offers, sales and answers, in any mixture."""
    return ChannelNews(
        [thing for thing in things if isinstance(thing, Offer)],
        [thing for thing in things if isinstance(thing, Sold)],
        [thing for thing in things if isinstance(thing, Event)],
        time(seconds, ended=ended),
    )


def offer(sku: str, ats: int, version: int = 1, *, active: bool = True, seconds: float = 0) -> Offer:
    return Offer(sku, [("all", ats)], active, version, at(seconds), "r", f"cause-{version}")


def sold(sku: str, units: int, channel: str = "web", seconds: float = 0) -> Sold:
    return Sold(channel, sku, units, at(seconds))


def _event(kind: Any, data: Any, seconds: float) -> Any:
    return kind(
        specversion="1.0", id=f"{seconds}-{data.sku}", source="/web", subject="s", time=at(seconds), data=data
    )


def ack(update: ChannelUpdate, seconds: float, quantity: int | None = None) -> Any:
    taken = update.quantity if quantity is None else quantity
    data = e.ListingAcknowledgement(update.channel, update.sku, update.version, taken)
    return _event(e.ListingAcknowledged, data, seconds)


def reject(update: ChannelUpdate, seconds: float, retry_after: float | None = None) -> Any:
    data = e.ListingRejection(
        update.channel, update.sku, update.version, "BAD", retry_after_seconds=retry_after
    )
    return _event(e.ListingRejected, data, seconds)


def observe(sku: str, quantity: int, seconds: float, channel: str = "web") -> Any:
    return _event(e.ListingObserved, e.ListingObservation(channel, sku, quantity, at(seconds)), seconds)


class Shop:
    """One shard of channels under a configuration; keeps all it was told and all it told."""

    def __init__(self, *, live: bool = True, answered: bool = False, **channels: dict[str, Any]) -> None:
        self.policy = Policy.model_validate({"channels": channels or {"web": {}}})
        self.live, self.answered = live, answered
        self.shard = self._new()
        self.heard: list[Message] = []
        self.told: list[ChannelUpdate] = []
        self.health: dict[str, ChannelHealth] = {}

    def _new(self) -> ChannelShard:
        return ChannelShard(0, 1, ("up",), self.policy, None, live=self.live, answered=self.answered)

    def hear(self, *messages: Message) -> list[ChannelUpdate]:
        """Apply the messages as one batch; returns what was told."""
        told = self.shard.apply(list(messages))
        self.heard += messages
        self.told += told.updates
        self.health = {health.channel: health for health in told.health}
        self.shard.check()
        return told.updates

    def crash(self) -> None:
        """Lose the shard and restore it from its snapshot."""
        sealed = self.shard.snapshot()
        self.shard = self._new()
        self.shard.restore(sealed)
        self.shard.check()


def brief(updates: list[ChannelUpdate]) -> list[tuple[str, int, str]]:
    return [(update.sku, update.quantity, update.reason) for update in updates]
