"""The broker's client, for one lane: what it has fetched, what it could not, and what it is to show others."""

from __future__ import annotations

import logging
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from canonical.broker import Connection, fault
from canonical.errors import Terminal, Transient
from sources.kafka_cluster import At

MESSAGES = 2000
"""Taken at once, at most: a block of some hundred kilobytes, which the decoder's caches like."""

PASSING = frozenset({"_ALL_BROKERS_DOWN", "_TRANSPORT", "_RESOLVE", "_TIMED_OUT"})
"""Failures the client mends by itself; while they last nothing is read and time stands still."""

END, LOST = KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001  so the client names them
LOG = logging.getLogger("sellable.kafka")


class Fetcher:
    """Reads partitions from given offsets, in its own threads, holding no more than `lane_memory_mib`.

    `ends` collects (partition, offset) of partitions read to their end, `lost` those whose offset is gone.
    """

    def __init__(self, connection: Connection, lane: int) -> None:
        self.ends: list[tuple[At, int]] = []
        self.lost: list[At] = []
        self.commit_failures = 0
        self._failed: Terminal | Transient | None = None
        settings: dict[str, Any] = {
            **connection.settings,
            "client.id": f"sellable-lane-{lane}",
            "group.id": connection.kafka.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",  # the default goes on at the end when the offset is gone, in silence
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": connection.kafka.lane_memory_mib * 1024,
            "fetch.queue.backoff.ms": 5,  # by default a client whose queue was full looks again after 1 s
            "fetch.wait.max.ms": 250,
            "reconnect.backoff.max.ms": 2000,
            "error_cb": self._hear,
            "on_commit": self._note_commit,
        }
        self._consumer = Consumer(settings, logger=LOG)

    def begin(self, targets: list[TopicPartition]) -> None:
        """Read these partitions too, each from its offset."""
        self._consumer.incremental_assign(targets)

    def fetch(self) -> list[Message]:
        """What is ready now; never waits. Raises what the client cannot mend by itself."""
        try:
            messages = self._consumer.consume(MESSAGES, 0)
        except KafkaException as failure:
            self._hear(failure.args[0])
            messages = []
        sound = [message for message in messages if message.error() is None]
        if len(sound) < len(messages):
            for message in messages:
                self._heed(message.error(), message)
        if self._failed is not None:
            raise self._failed
        return sound

    def show(self, positions: list[TopicPartition]) -> None:
        """Tell the brokers how far we are, for lag monitors; never waits."""
        self._consumer.commit(offsets=positions, asynchronous=True)

    def low(self, at: At) -> int | None:
        """The first offset the broker keeps, as far as the client has heard."""
        low = self._consumer.get_watermark_offsets(TopicPartition(*at), cached=True)[0]
        return low if low >= 0 else None

    def kept(self, at: At) -> str:
        """`LOW to HIGH`: the offsets the broker keeps of a partition. Asks the broker."""
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(*at), timeout=5.0)
        except KafkaException:
            return "others"
        return f"{low} to {high}"

    def close(self) -> None:
        self._consumer.close()

    def _heed(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        at = place(message)
        if error.code() == END:
            self.ends.append((at, message.offset() or 0))
        elif error.code() == LOST:
            self.lost.append(at)
        else:
            self._hear(error, f"{at[0]} partition {at[1]}: " if at[0] else "")

    def _hear(self, error: KafkaError, where: str = "") -> None:
        """Remember a failure that the client does not mend; the next fetch raises it."""
        if self._failed is None and (
            error.fatal() or not (error.retriable() or error.name() in PASSING or error.code() == LOST)
        ):
            self._failed = fault(error.name(), f"{where}reading stopped: {error.str()} ({error.name()})")

    def _note_commit(self, error: KafkaError | None, _: list[TopicPartition]) -> None:
        # Positions are shown for information only: that they could not be is counted, not raised.
        self.commit_failures += error is not None


def place(message: Message) -> At:
    """The topic and partition a message came from."""
    number = message.partition()
    return message.topic() or "", -1 if number is None else number
