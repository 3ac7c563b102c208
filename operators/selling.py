"""What orders have for the channels: each sale once, to learn demand from (DESIGN section 7)."""

from __future__ import annotations

from typing import Any

from canonical import events as e
from canonical.channel_news import ChannelNews, Sold
from canonical.messages import Time

DOCUMENTS = frozenset({e.OrderPlaced, e.OrderChanged})
"""What states an order whole; the first of them to arrive tells of the sale, later ones tell of nothing new."""


class Selling:
    """The sales of one order shard: gathered while a batch is applied, taken once after it."""

    def __init__(self) -> None:
        self._sold: list[Sold] = []

    def first(self, event: Any) -> None:
        """The first document of an order."""
        stated = event.data
        self._sold += [Sold(stated.channel, line.sku, line.quantity, event.time) for line in stated.lines]

    def take(self, time: Time, *, beat: bool) -> ChannelNews | None:
        """All sales since the last time; with `beat` at least the time."""
        if not (beat or self._sold):
            return None
        news = ChannelNews([], self._sold, [], time)
        self._sold = []
        return news
