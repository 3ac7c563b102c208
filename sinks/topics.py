"""Topics at a broker against the table of `canonical.topics`: made where missing, told where different."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
from msgspec import Struct

from canonical.broker import NEEDS_A_PERSON, Connection, fault
from canonical.errors import Terminal, Transient
from canonical.topics import BY_NAME, CO_PARTITIONED, Topic

REPLICAS = 3
"""Wanted where the cluster has so many brokers; two of three must then have a record before it counts."""
IN_SYNC = "min.insync.replicas"
LOG = logging.getLogger("sellable.kafka")


class Found(Struct, frozen=True):
    """How a broker keeps a topic now; `settings` are empty where we may not see them."""

    partitions: int
    replicas: int
    settings: Mapping[str, str]


class Difference(Struct, frozen=True):
    """What is not as the table has it. `what`: missing, partitions, replication, or the name of a setting."""

    topic: str
    what: str
    wanted: str
    found: str
    words: str


class Admin:
    """A client for administration. Raises Terminal when its settings cannot work or the brokers refuse us."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.seconds = connection.kafka.start_timeout.total_seconds()
        self._heard = ""
        settings: dict[str, Any] = {
            **connection.settings,
            "client.id": "sellable-admin",
            "reconnect.backoff.max.ms": 2000,
            "error_cb": self._hear,
        }
        try:
            self.client = AdminClient(settings, logger=LOG)
        except KafkaException as error:
            raise Terminal(f"the settings of [kafka] do not work: {error.args[0].str()}") from error

    def settled(self, asked: Mapping[Any, Future[Any]]) -> Mapping[Any, Future[Any]]:
        """The answers, all of them there; each may still be a failure."""
        while not all(answer.done() for answer in asked.values()):
            self.client.poll(0.01)
            if self._heard.partition(":")[0] in NEEDS_A_PERSON:
                raise Terminal(f"brokers {self.connection.brokers} refuse us: {self._heard}")
        return asked

    def brokers(self) -> int:
        """How many brokers the cluster has. Raises Transient when none answers."""
        answer = self.settled({"": self.client.describe_cluster(request_timeout=self.seconds)})[""]
        failure = answer.exception()
        if isinstance(failure, KafkaException):
            raise self.fault(failure, f"no answer within {self.seconds:.0f} s")
        return len(answer.result().nodes)

    def fault(self, failure: KafkaException, words: str) -> Terminal | Transient:
        """The exception to raise for a failure, with what was heard of its cause."""
        error = failure.args[0]
        heard = f"; last heard: {self._heard}" if self._heard else ""
        return fault(error.name(), f"brokers {self.connection.brokers}: {words}: {error.str()}{heard}")

    def settings(self, names: list[str]) -> dict[str, dict[str, str]]:
        """The settings of existing topics; raises KafkaException."""
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        answers = self.client.describe_configs(asked, request_timeout=self.seconds) if asked else {}
        return {
            resource.name: {name: str(entry.value) for name, entry in answer.result().items()}
            for resource, answer in self.settled(answers).items()
        }

    def _hear(self, error: KafkaError) -> None:
        if error.name() != "_ALL_BROKERS_DOWN" or not self._heard:
            self._heard = f"{error.name()}: {error.str()}"


def limit_of(connection: Connection, topic: str) -> int:
    """The largest message the topic takes, by the broker's word, or by the table where we may not ask."""
    admin, wanted = Admin(connection), BY_NAME[topic].max_message_bytes
    try:
        settings = admin.settings([topic])[topic]
    except KafkaException as failure:
        name = failure.args[0].name()
        if name == "TOPIC_AUTHORIZATION_FAILED":
            return wanted
        if name == "UNKNOWN_TOPIC_OR_PART":
            words = (
                f"there is no topic {topic}: `sellable topics create --brokers {connection.brokers}` makes it"
            )
            raise Terminal(words) from failure
        raise admin.fault(failure, f"topic {topic} cannot be written") from failure
    return min(wanted, int(settings.get("max.message.bytes", wanted)))


def found(admin: Admin, names: list[str]) -> dict[str, Found]:
    """Those of the named topics that exist, as they are."""
    answers = admin.client.describe_topics(TopicCollection(names), request_timeout=admin.seconds)
    shapes = {}
    for name, answer in admin.settled(answers).items():
        failure = answer.exception()
        if failure is None:
            partitions = answer.result().partitions
            replicas = min((len(partition.replicas) for partition in partitions), default=0)
            shapes[name] = (len(partitions), replicas)
        elif not isinstance(failure, KafkaException):
            raise failure
        elif failure.args[0].name() != "UNKNOWN_TOPIC_OR_PART":
            raise admin.fault(failure, f"topic {name} cannot be described")
    settings: Mapping[str, Mapping[str, str]] = {}
    try:
        settings = admin.settings(list(shapes))
    except KafkaException as failure:
        if failure.args[0].name() not in {"TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART"}:
            raise admin.fault(failure, "settings of topics cannot be described") from failure
    return {name: Found(*shape, settings.get(name, {})) for name, shape in shapes.items()}


def wanted_settings(topic: Topic, replicas: int) -> dict[str, str]:
    """The topic's settings, and how many replicas must have a record before it counts."""
    return {**topic.settings(), **({IN_SYNC: "2"} if replicas >= REPLICAS else {})}


def differences(topic: Topic, now: Found | None, partitions: int | None, replicas: int) -> list[Difference]:
    """Everything about one topic that is not as it should be; `partitions` None: any number will do."""
    if now is None:
        return [Difference(topic.name, "missing", "a topic", "none", "`sellable topics create` makes it")]
    result = []
    if partitions is not None and now.partitions != partitions:
        words = "more can be added, but keys then move: best with the jobs stopped and an empty state"
        result.append(Difference(topic.name, "partitions", str(partitions), str(now.partitions), words))
    if now.replicas < replicas:
        words = "reassign its partitions to more brokers, or the loss of one loses records"
        result.append(Difference(topic.name, "replication", str(replicas), str(now.replicas), words))
    for name, value in wanted_settings(topic, replicas).items():
        is_now = now.settings.get(name, value)
        if is_now != value:
            words = f"kafka-configs.sh --alter --topic {topic.name} --add-config {name}={value}"
            result.append(Difference(topic.name, name, value, is_now, words))
    return result


def uneven(now: Mapping[str, Found]) -> list[Difference]:
    """Topics keyed by order must have the same number of partitions, or an order's events lie apart."""
    counts = {topic.name: now[topic.name].partitions for topic in CO_PARTITIONED if topic.name in now}
    most = max(counts.values(), default=0)
    words = f"as many as the most of {', '.join(counts)}: they are read together"
    return [
        Difference(name, "co-partitioning", str(most), str(count), words)
        for name, count in counts.items()
        if count != most
    ]


def create(admin: Admin, partitions: Mapping[str, int], replicas: int, *, dry_run: bool) -> None:
    """Make the topics named, each with so many partitions; with `dry_run` only let the broker say if it would."""
    new = [
        NewTopic(name, count, replicas, config=wanted_settings(BY_NAME[name], replicas))
        for name, count in partitions.items()
    ]
    answers = (
        admin.client.create_topics(new, validate_only=dry_run, request_timeout=admin.seconds) if new else {}
    )
    for name, answer in admin.settled(answers).items():
        failure = answer.exception()
        if isinstance(failure, KafkaException) and failure.args[0].name() != "TOPIC_ALREADY_EXISTS":
            raise admin.fault(failure, f"topic {name} cannot be made")
