"""Topics at a broker against the table of `canonical.topics`: made where missing, told where different."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType
from msgspec import Struct

from canonical.broker import Connection, fault
from canonical.errors import Terminal
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


def client(connection: Connection) -> AdminClient:
    """A client for administration. Raises Terminal when the settings cannot work."""
    settings: dict[str, Any] = {**connection.settings, "client.id": "sellable-admin"}
    try:
        return AdminClient(settings, logger=LOG)
    except KafkaException as error:
        raise Terminal(f"the settings of [kafka] do not work: {error.args[0].str()}") from error


def brokers(admin: AdminClient, connection: Connection) -> int:
    """How many brokers the cluster has. Raises Transient when none answers."""
    seconds = connection.kafka.start_timeout.total_seconds()
    try:
        return len(admin.list_topics(timeout=seconds).brokers)
    except KafkaException as error:
        words = f"no broker of {connection.brokers} answered within {seconds:.0f} s: {error.args[0].str()}"
        raise fault(error.args[0].name(), words) from error


def limit_of(connection: Connection, topic: str) -> int:
    """The largest message the topic takes, by the broker's word, or by the table where we may not ask."""
    admin, wanted = client(connection), BY_NAME[topic].max_message_bytes
    try:
        settings = _settings(admin, [topic], connection)[topic]
    except KafkaException as error:
        name = error.args[0].name()
        if name == "TOPIC_AUTHORIZATION_FAILED":
            return wanted
        if name == "UNKNOWN_TOPIC_OR_PART":
            words = (
                f"there is no topic {topic}: `sellable topics create --brokers {connection.brokers}` makes it"
            )
            raise Terminal(words) from error
        words = f"{topic}: brokers {connection.brokers} do not answer: {error.args[0].str()}"
        raise fault(name, words) from error
    return min(wanted, int(settings.get("max.message.bytes", wanted)))


def found(admin: AdminClient, connection: Connection, names: list[str]) -> dict[str, Found]:
    """Those of the named topics that exist, as they are."""
    answers = admin.describe_topics(TopicCollection(names), request_timeout=_patience(connection))
    shapes = {}
    for name, answer in answers.items():
        described = _unless_unknown(name, answer)
        if described is not None:
            replicas = min((len(partition.replicas) for partition in described.partitions), default=0)
            shapes[name] = (len(described.partitions), replicas)
    settings: Mapping[str, Mapping[str, str]] = {}
    try:
        settings = _settings(admin, list(shapes), connection)
    except KafkaException as error:
        if error.args[0].name() != "TOPIC_AUTHORIZATION_FAILED":
            raise fault(error.args[0].name(), f"topics cannot be described: {error.args[0].str()}") from error
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


def create(
    admin: AdminClient,
    connection: Connection,
    partitions: Mapping[str, int],
    replicas: int,
    *,
    dry_run: bool,
) -> None:
    """Make the topics named, each with so many partitions; with `dry_run` only let the broker say if it would."""
    new = [
        NewTopic(name, count, replicas, config=wanted_settings(BY_NAME[name], replicas))
        for name, count in partitions.items()
    ]
    if not new:
        return
    answers = admin.create_topics(new, validate_only=dry_run, request_timeout=_patience(connection))
    for name, answer in answers.items():
        failure = answer.exception()
        if isinstance(failure, KafkaException) and failure.args[0].name() != "TOPIC_ALREADY_EXISTS":
            error = failure.args[0]
            raise fault(error.name(), f"topic {name} cannot be made: {error.str()}")


def _unless_unknown(name: str, answer: Future[Any]) -> Any:
    failure = answer.exception()
    if failure is None:
        return answer.result()
    if isinstance(failure, KafkaException) and failure.args[0].name() == "UNKNOWN_TOPIC_OR_PART":
        return None
    if isinstance(failure, KafkaException):
        raise fault(failure.args[0].name(), f"topic {name} cannot be described: {failure.args[0].str()}")
    raise failure


def _settings(admin: AdminClient, names: list[str], connection: Connection) -> dict[str, dict[str, str]]:
    """The settings of existing topics; raises KafkaException."""
    if not names:
        return {}
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    answers = admin.describe_configs(asked, request_timeout=_patience(connection))
    return {
        resource.name: {name: str(entry.value) for name, entry in answer.result().items()}
        for resource, answer in answers.items()
    }


def _patience(connection: Connection) -> float:
    return connection.kafka.start_timeout.total_seconds()
