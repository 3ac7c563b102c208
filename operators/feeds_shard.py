"""How every channel's feed does, gathered from all channel shards."""

from __future__ import annotations

import msgspec

from canonical.channel_news import ChannelHealth
from operators.seal import seal, unseal


class FeedsShard:
    """The only one of its stage. What a channel shard tells is absolute: the latest of a channel wins."""

    def __init__(self) -> None:
        self._feeds: dict[str, ChannelHealth] = {}

    def apply(self, told: list[ChannelHealth]) -> dict[str, ChannelHealth]:
        """Channel → how it does now, all of them."""
        for health in told:
            self._feeds[health.channel] = health
        return self._feeds

    def check(self) -> None:
        """Raise AssertionError if a channel did what cannot be."""
        for name, health in self._feeds.items():
            assert health.calls <= health.allowed, f"{name}: more calls than allowed"
            assert min(health.waiting, health.units_at_risk) >= 0, f"{name}: fewer than none wait"

    def snapshot(self) -> bytes:
        return seal("feeds", 0, 1, self._feeds)

    def restore(self, sealed: bytes) -> None:
        self._feeds = unseal("feeds", 0, 1, sealed, dict[str, ChannelHealth])


def encode(feeds: dict[str, ChannelHealth]) -> bytes:
    """Channel → its fields by name, as one JSON object, channels in order."""
    named = {channel: msgspec.structs.asdict(health) for channel, health in feeds.items()}
    return msgspec.json.encode(named, order="sorted")
