"""What one process knows of the topics it reads: their partitions, and where each of these ended when asked.

Brokers are asked now and then, never waited for: an answer says that at the moment of asking a partition
ended there. Only that proves that a reader who has come so far stands at the present. After an outage, or after
being frozen, there is no fresh answer, and time does not pass until everything that waited has been read.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from msgspec import Struct

from canonical.broker import NEEDS_A_PERSON, Connection, fault
from canonical.errors import Terminal, Transient

ENDS_EVERY, TOPICS_EVERY = 1.0, 30.0
ANSWER_SECONDS = 10.0
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client has no type for it
LOG = logging.getLogger("sellable.kafka")

At = tuple[str, int]


class End(Struct, frozen=True):
    """The next offset to be written when the broker was asked, and when that was."""

    offset: int
    asked_at: datetime


class Cluster:
    """The topics at one set of brokers. `partitions` and `ends` grow as answers come.

    `asked_at`: when the last answer that told every end was asked for. `generation` rises with new partitions.
    """

    def __init__(self, connection: Connection, topics: tuple[str, ...]) -> None:
        self.connection = connection
        self.ids: dict[str, str] = {}
        self.partitions: dict[str, int] = {}
        self.ends: dict[At, End] = {}
        self.asked_at: datetime | None = None
        self.generation = 0
        self._names = topics
        self._heard = ""
        self._asking: tuple[datetime, dict[TopicPartition, Future[Any]]] | None = None
        self._describing: dict[str, Future[Any]] | None = None
        self._ends_due = self._topics_due = 0.0
        self._admin: AdminClient | None = None

    def open(self) -> None:
        """Learn all topics and their ends, waiting no longer than `start_timeout`. Again is harmless."""
        if self._admin is not None:
            return
        seconds = self.connection.kafka.start_timeout.total_seconds()
        self._admin = self._client()
        deadline = time.monotonic() + seconds
        while self.asked_at is None:
            self.look(datetime.now(UTC))
            if self._heard.partition(":")[0] in NEEDS_A_PERSON:
                raise Terminal(f"brokers {self.connection.brokers} refuse us: {self._heard}")
            if time.monotonic() > deadline:
                raise Transient(self._silence(seconds))
            time.sleep(0.005)

    def look(self, now: datetime) -> None:
        """Take the answers that have come and ask again what is due. Never waits."""
        moment = time.monotonic()
        if self._admin is not None:
            self._admin.poll(0)  # lets it tell what it has heard
        self._take_topics()
        self._take_ends()
        if self._admin is not None and self._describing is None and moment >= self._topics_due:
            self._topics_due = moment + (TOPICS_EVERY if self.partitions else 0.2)
            names = TopicCollection(list(self._names))
            self._describing = self._admin.describe_topics(names, request_timeout=ANSWER_SECONDS)
        if self._admin is not None and self._asking is None and self.partitions and moment >= self._ends_due:
            self._ends_due = moment + ENDS_EVERY
            wanted = {TopicPartition(*at): LATEST for at in self.all_partitions()}
            self._asking = now, self._admin.list_offsets(wanted, request_timeout=ANSWER_SECONDS)

    def all_partitions(self) -> list[At]:
        """Every partition of every topic."""
        return [(name, number) for name, count in self.partitions.items() for number in range(count)]

    def _client(self) -> AdminClient:
        settings: dict[str, Any] = {
            **self.connection.settings,
            "client.id": "sellable-topics",
            "reconnect.backoff.max.ms": 2000,
            "error_cb": self._hear,
        }
        try:
            return AdminClient(settings, logger=LOG)
        except KafkaException as error:
            raise Terminal(f"the settings of [kafka] do not work: {error.args[0]}") from error

    def _hear(self, error: KafkaError) -> None:
        if error.name() != "_ALL_BROKERS_DOWN" or not self._heard:
            self._heard = f"{error.name()}: {error.str()}"

    def _silence(self, seconds: float) -> str:
        heard = f"; the last that was heard: {self._heard}" if self._heard else ""
        return f"no broker of {self.connection.brokers} answered within {seconds:.0f} s{heard}"

    def _take_topics(self) -> None:
        asked = self._describing
        if asked is None or not all(answer.done() for answer in asked.values()):
            return
        self._describing = None
        for name, answer in asked.items():
            failure = answer.exception()
            if failure is None:
                described = answer.result()
                self._learn(name, str(described.topic_id), len(described.partitions))
            elif isinstance(failure, KafkaException):
                self._complain(name, failure.args[0])

    def _complain(self, name: str, error: KafkaError) -> None:
        """Of a topic that cannot be described: a fault of configuration stops the job, silence does not."""
        if error.name() == "UNKNOWN_TOPIC_OR_PART":
            words = f"make it with `sellable topics create --brokers {self.connection.brokers}`"
            raise Terminal(f"there is no topic {name}: {words}")
        if error.name() in NEEDS_A_PERSON:
            raise fault(error.name(), f"topic {name} cannot be read: {error.str()}")
        self._hear(error)

    def _learn(self, name: str, identity: str, count: int) -> None:
        if self.ids.setdefault(name, identity) != identity:
            raise Terminal(f"topic {name} was deleted and made anew while it was being read: {AFRESH}")
        if self.partitions.get(name) != count:
            self.partitions[name] = count
            self.generation += 1

    def _take_ends(self) -> None:
        if self._asking is None or not all(answer.done() for answer in self._asking[1].values()):
            return
        asked_at, answers = self._asking
        self._asking = None
        for place, answer in answers.items():
            failure = answer.exception()
            if failure is None:
                self.ends[place.topic, place.partition] = End(answer.result().offset, asked_at)
            elif isinstance(failure, KafkaException):
                self._hear(failure.args[0])
        if all(answer.exception() is None for answer in answers.values()):
            self.asked_at = asked_at


AFRESH = "what was read of it and what is in it now do not belong together; start with an empty state"
