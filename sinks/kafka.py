"""Topics as outlets: every line a message, and none lost in silence.

The client's own report of every failed delivery makes the next call here raise; `flush` returns only when all
that was written is acknowledged by all in-sync replicas. After a crash some lines are told again, in order.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from canonical.broker import NEEDS_A_PERSON, Connection, fault
from canonical.errors import Terminal, Transient
from sinks.kafka_messages import messages_of
from sinks.topics import limit_of

QUEUE_KIB = 32 * 1024
"""Waiting for the brokers at most; then writing waits too."""
BATCH_BYTES = 1_000_000
WAIT = 0.002
GRACE_SECONDS = 10.0
LOG = logging.getLogger("sellable.kafka")


class KafkaOutlet:
    """One topic. Raises Transient when the brokers were silent for `delivery_timeout`, Terminal when they refuse.

    Messages are keyed as the table of topics says and partitioned as Java's clients do, so that topics of the
    same key and number of partitions lie together whoever writes them.
    """

    def __init__(self, connection: Connection, topic: str) -> None:
        self._topic = topic
        self._brokers = connection.brokers
        self._seconds = connection.kafka.delivery_timeout.total_seconds()
        limit = limit_of(connection, topic)
        self._messages_of = messages_of(topic, limit)
        self._failure: Terminal | Transient | None = None
        self._heard = ""
        settings: dict[str, Any] = {
            **connection.settings,
            "client.id": f"sellable-{topic}",
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "compression.type": "zstd",
            "linger.ms": 5,
            "message.timeout.ms": int(self._seconds * 1000),
            "message.max.bytes": max(limit, 1000),
            "batch.size": min(BATCH_BYTES, limit),  # a broker refuses a whole batch that is over the limit
            "queue.buffering.max.kbytes": QUEUE_KIB,
            "reconnect.backoff.max.ms": 2000,
            "delivery.report.only.error": True,  # a report for each would double the cost; flush counts the rest
            "on_delivery": self._lost,
            "error_cb": self._hear,
        }
        self._producer = Producer(settings, logger=LOG)

    def write(self, blocks: list[bytes]) -> None:
        """Hand over blocks of whole lines; waits while the client's queue is full."""
        produce, topic = self._producer.produce, self._topic
        for block in blocks:
            for message in self._messages_of(block):
                try:
                    produce(topic, *message)
                except (BufferError, KafkaException) as error:
                    self._insist(message, error)
        self._producer.poll(0)
        self._check()

    def flush(self) -> int:
        """Wait until everything written is acknowledged. The position means nothing and is 0."""
        deadline = time.monotonic() + self._seconds + GRACE_SECONDS
        while self._producer.flush(1.0):
            self._check()
            if time.monotonic() > deadline:
                raise Transient(
                    f"{self._topic}: {len(self._producer)} records are not acknowledged{self._last()}"
                )
        self._check()
        return 0

    def close(self) -> None:
        """Everything written is acknowledged, or this raises."""
        self.flush()

    def _insist(self, message: tuple[Any, ...], error: BufferError | KafkaException) -> None:
        """Hand over what the client did not take: wait for room in its queue, or raise its complaint."""
        while isinstance(error, BufferError):
            self._producer.poll(WAIT)
            self._check()
            try:
                self._producer.produce(self._topic, *message)
            except (BufferError, KafkaException) as again:
                error = again
            else:
                return
        self._lost(error.args[0], None)
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _lost(self, error: KafkaError | None, _: Message | None) -> None:
        """A message that will not arrive: nothing after it counts as written."""
        if error is not None and self._failure is None:
            words = f"{self._topic}: a record was not delivered: {error.str()} ({error.name()}){self._last()}"
            self._failure = fault(error.name(), words)

    def _hear(self, error: KafkaError) -> None:
        """The client mends most failures by itself; the others end this outlet."""
        if error.name() != "_ALL_BROKERS_DOWN" or not self._heard:
            self._heard = f"{error.str()} ({error.name()})"
        if self._failure is None and (error.fatal() or error.name() in NEEDS_A_PERSON):
            self._failure = fault(error.name(), f"{self._topic}: writing stopped: {self._heard}")

    def _last(self) -> str:
        return f"; last heard from {self._brokers}: {self._heard}" if self._heard else ""
