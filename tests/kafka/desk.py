"""What tests do at a broker: topics made anew, messages put in and taken out by a plain client."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from canonical.broker import Connection
from canonical.policy import Time
from canonical.topics import BY_NAME, INPUTS
from sinks import topics
from sources.block import Decoded
from sources.kafka import LANES, KafkaLane
from sources.kafka_cluster import Cluster

START = datetime(2026, 3, 1, tzinfo=UTC)
STEMS = tuple(topic.name for topic in INPUTS)
PATIENCE = 30.0


def moved(number: int, sku: str | None = None, **more: Any) -> dict[str, Any]:
    """A whole movement, `number` seconds into the day."""
    sku = sku or f"SKU-{number % 50}"
    time_of_it = (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    data = {"sku": sku, "location": "east", "quantity": 1 + number, "reason": "receipt"}
    return {
        "specversion": "1.0",
        "id": f"m-{number}",
        "source": "/wms/east",
        "type": "inventory.moved",
        "subject": sku,
        "time": time_of_it,
        "data": data,
        **more,
    }


def lines(events: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def fresh(connection: Connection, partitions: int = 4, names: Iterable[str] = BY_NAME) -> topics.Admin:
    """The named topics of the contract, empty, and no other of them."""
    admin = topics.Admin(connection)
    for answer in admin.client.delete_topics(list(BY_NAME)).values():
        answer.exception()
    until(lambda: not topics.found(admin, list(BY_NAME)), "the topics are gone")
    topics.create(admin, dict.fromkeys(names, partitions), 1, dry_run=False)
    until(lambda: len(topics.found(admin, list(names))) == len(list(names)), "the topics are there")
    return admin


def set_(admin: topics.Admin, topic: str, name: str, value: str) -> None:
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for answer in admin.client.incremental_alter_configs([resource]).values():
        answer.result()
    until(lambda: admin.settings([topic])[topic][name] == value, f"{topic} has {name}={value}")


def put(
    connection: Connection, topic: str, values: Iterable[bytes | None], partition: int = 0, **more: Any
) -> None:
    """Values as they are into one partition."""
    producer = Producer(dict(connection.settings))
    for value in values:
        producer.produce(topic, value, partition=partition, **more)
    assert producer.flush(PATIENCE) == 0


def taken(connection: Connection, topic: str, count: int | None = None) -> list[Message]:
    """All messages a topic has; fails when there are not `count`."""
    settings = {"group.id": "tests", "auto.offset.reset": "error", "enable.auto.commit": False}
    consumer = Consumer({**connection.settings, **settings})
    number = len(consumer.list_topics(topic, timeout=PATIENCE).topics[topic].partitions)
    places = [TopicPartition(topic, partition, 0) for partition in range(number)]
    total = sum(_end(consumer, place) for place in places)
    consumer.assign(places)
    found: list[Message] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < total and time.monotonic() < deadline:
        found += sound(consumer.consume(10_000, 0.1))
    consumer.close()
    assert len(found) == (total if count is None else count)
    return found


def _end(consumer: Consumer, place: TopicPartition) -> int:
    """Where a partition ends, as soon as its leader knows that it leads: it may be new."""
    ends: list[int] = []

    def asked() -> bool:
        with suppress(KafkaException):
            ends.append(consumer.get_watermark_offsets(place, timeout=PATIENCE)[1])
        return bool(ends)

    until(asked, f"{place.topic} has a leader")
    return ends[0]


def sound(messages: list[Message]) -> list[Message]:
    for message in messages:
        if (error := message.error()) is not None:
            raise KafkaException(error)
    return messages


def until(true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Wait for something to become true; fail when it does not."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def cluster(connection: Connection, names: tuple[str, ...] = ("inventory",)) -> Cluster:
    one = Cluster(connection, names)
    one.open()
    return one


def lanes(at: Cluster, resume: list[Any] | None = None, **more: Any) -> list[KafkaLane]:
    """All lanes of a cluster's topics, resumed where positions are given."""
    return [KafkaLane(at, n, Time(), resume and resume[n], **more) for n in range(LANES)]


def read(some: Iterable[KafkaLane], enough: Callable[[list[Decoded]], bool] | None = None) -> list[Decoded]:
    """What the lanes decode until they end, or until it is enough; then they are closed."""
    some, found = list(some), list[Decoded]()
    try:
        until(lambda: _turn(some, found) or (enough is not None and enough(found)), "the lanes end")
    finally:
        for lane in some:
            lane.close()
    return found


def _turn(some: list[KafkaLane], found: list[Decoded]) -> bool:
    for lane in some:
        if not lane.ended:
            found += lane.read(datetime.now(UTC))
    return all(lane.ended for lane in some)


def ids(decoded: Iterable[Decoded]) -> list[str]:
    return [event.id for block in decoded for event in block.events]
