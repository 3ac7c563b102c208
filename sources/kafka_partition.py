"""One partition of a topic being read: where it is, what it decodes, and how far event time is complete in it."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition
from msgspec import Struct

from canonical.outputs import DeadLetter
from canonical.policy import Time
from sources.block import Decoded
from sources.decode import Decoder
from sources.judge import shifted
from sources.kafka_blocks import addressed, blocks
from sources.kafka_cluster import At, End


class Standing(Struct, frozen=True):
    """Where one partition is, for metrics: offsets (None where unknown), lag in messages, and event times.

    `low` and `high`: the first offset the broker keeps and the next it will give.
    """

    topic: str
    partition: int
    position: int | None
    low: int | None
    high: int | None
    lag: int | None
    greatest: datetime | None
    watermark: datetime | None


def _sent(letter: DeadLetter, messages: list[Message]) -> Message:
    """The message a letter is of; they are in the order of their offsets."""
    return messages[
        bisect_left(messages, letter.origin.offset or 0, key=lambda message: message.offset() or 0)
    ]


class Partition:
    """`next`: the offset after everything read, None at the start of what is kept. `stop`: where a run ends."""

    def __init__(self, at: At, time: Time, saved: list[Any] | None, stop: int | None) -> None:
        self.topic, self.number = self.at = at
        self.next: int | None = None
        self.decoder = Decoder(time)
        self._stop = stop
        self._lateness = time.allowed_lateness
        if saved is not None:
            self.next = saved[0]
            self.decoder.restore(saved[1])

    @property
    def done(self) -> bool:
        """Whether it has been read to where a finite run stops; never in a live one."""
        return self._stop is not None and (self.next or 0) >= self._stop

    def take(self, messages: list[Message], now: datetime) -> list[Decoded]:
        """Decode the next messages of this partition."""
        after = (messages[-1].offset() or 0) + 1
        if self._stop is not None and after > self._stop:
            messages, after = [m for m in messages if (m.offset() or 0) < self._stop], self._stop
        decoded = []
        for block in blocks(self.topic, self.number, messages):
            one = self.decoder.decode(block, now)
            if one.letters:
                one.letters = [addressed(letter, _sent(letter, messages)) for letter in one.letters]
            decoded.append(one)
        self.next = after
        return decoded

    def skip_to(self, offset: int) -> None:
        """Nothing is left to read before this offset, though no message told so."""
        self.next = max(self.next or 0, offset)

    def watermark(self, end: End | None) -> datetime | None:
        """Event time complete here: by what was read, or by having stood at the end when a broker was asked."""
        reached = self.decoder.greatest
        if end is not None and self.next is not None and self.next >= end.offset:
            reached = end.asked_at if reached is None else max(reached, end.asked_at)
        return None if reached is None else shifted(reached, -self._lateness)

    def target(self) -> TopicPartition:
        """Where reading goes on, in the client's words."""
        return TopicPartition(self.topic, self.number, OFFSET_BEGINNING if self.next is None else self.next)

    def standing(self, low: int | None, end: End | None) -> Standing:
        high = None if end is None else end.offset
        at = self.next if self.next is not None else low
        lag = None if high is None or at is None else max(0, high - at)
        times = self.decoder.greatest, self.watermark(end)
        return Standing(self.topic, self.number, self.next, low, high, lag, *times)
