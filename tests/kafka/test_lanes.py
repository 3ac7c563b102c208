"""Topics read by lanes: every message exactly one input, whatever stops and starts in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import NewPartitions

from canonical.broker import Connection
from canonical.errors import Terminal, Transient
from canonical.policy import Kafka, Time
from dataflows.brokers import connection as connect
from sinks.kafka import KafkaOutlet
from sources import kafka_cluster
from sources.block import Decoded
from sources.kafka import LANES, KafkaLane
from tests.kafka.broker import PASSWORD, USER, Broker, certified
from tests.kafka.desk import cluster, fresh, ids, lanes, lines, moved, put, read, until

ALL = [f"m-{number}" for number in range(3000)]


def told(connection: Connection, start: int = 0, end: int = 3000) -> None:
    outlet = KafkaOutlet(connection, "inventory")
    outlet.write([lines(moved(number) for number in range(start, end))])
    outlet.flush()


def at_least(count: int) -> Callable[[list[Decoded]], bool]:
    return lambda blocks: len(ids(blocks)) >= count


def test_every_event_is_read_once_and_keys_stay_in_order(connection: Connection) -> None:
    fresh(connection, partitions=11)
    told(connection)
    found = read(lanes(cluster(connection), until_end=True))
    assert sorted(ids(found)) == sorted(ALL)
    assert sum(block.read for block in found) == 3000
    assert [block.letters for block in found if block.letters] == []
    by_sku: dict[str, list[int]] = {}
    for block in found:
        for event in block.events:
            by_sku.setdefault(event.subject, []).append(int(event.id[2:]))
    assert all(numbers == sorted(numbers) for numbers in by_sku.values())


def test_a_finite_run_ends_where_the_topics_ended_at_its_start(connection: Connection) -> None:
    fresh(connection)
    told(connection, 0, 100)
    started = lanes(cluster(connection), until_end=True)
    told(connection, 100, 200)
    assert sorted(ids(read(started))) == sorted(ALL[:100])


def test_an_empty_finite_run_ends_at_once(connection: Connection) -> None:
    fresh(connection)
    assert read(lanes(cluster(connection), until_end=True)) == []


def test_resumed_from_any_position_nothing_is_missed_or_read_twice(connection: Connection) -> None:
    fresh(connection)
    told(connection)
    position: list[Any] | None = None
    found: list[str] = []
    while len(found) < 3000:
        some = lanes(cluster(connection), position)
        found += ids(read(some, at_least(min(700, 3000 - len(found)))))
        position = [lane.position() for lane in some]
    assert sorted(found) == sorted(ALL)
    greatest = max(lane.greatest for lane in some if lane.greatest is not None)
    assert greatest == datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=2999)


def test_an_offset_that_is_gone_is_refused_with_words(connection: Connection) -> None:
    admin = fresh(connection, partitions=1)
    told(connection, 0, 100)
    some = lanes(cluster(connection))
    read(some, lambda blocks: len(ids(blocks)) == 100)
    position = [lane.position() for lane in some]
    told(connection, 100, 200)
    for answer in admin.client.delete_records([TopicPartition("inventory", 0, 150)]).values():
        answer.result()
    with pytest.raises(
        Terminal, match=r"inventory partition 0: the saved offset 100 is gone.* keeps 150 to 200"
    ):
        read(lanes(cluster(connection), position))


def test_a_topic_made_anew_is_refused_with_words(connection: Connection) -> None:
    fresh(connection)
    told(connection, 0, 100)
    some = lanes(cluster(connection))
    read(some, lambda blocks: len(ids(blocks)) == 100)
    fresh(connection)
    with pytest.raises(Terminal, match=r"topic inventory is not the one .*made anew"):
        lanes(cluster(connection), [lane.position() for lane in some])


def test_a_position_of_other_inputs_is_refused(connection: Connection) -> None:
    fresh(connection)
    with pytest.raises(Terminal, match="another input"):
        lanes(cluster(connection), [{"stripe": 1, "lanes": LANES, "files": {}, "watermark": None}] * LANES)


def test_a_missing_topic_is_refused_with_the_command_that_makes_it(connection: Connection) -> None:
    fresh(connection, names=["orders"])
    with pytest.raises(Terminal, match=r"no topic inventory: .*sellable topics create --brokers"):
        cluster(connection)


def test_silent_brokers_are_the_worlds_fault() -> None:
    nobody = "127.0.0.1:9"
    connection = Connection(nobody, {"bootstrap.servers": nobody}, Kafka(start_timeout=timedelta(seconds=1)))
    with pytest.raises(
        Transient, match=r"no broker of 127.0.0.1:9 answered within 1 s; the last that was heard"
    ):
        cluster(connection)


def test_partitions_added_later_are_found(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_cluster, "TOPICS_EVERY", 0.05)
    admin = fresh(connection, partitions=2)
    told(connection, 0, 100)
    some = lanes(cluster(connection))
    added: list[bool] = []

    def enlarge(blocks: list[Any]) -> bool:
        count = len(ids(blocks))
        if count == 100 and not added:
            added.append(True)
            for answer in admin.client.create_partitions([NewPartitions("inventory", 3)]).values():
                answer.result()
            put(connection, "inventory", [lines([moved(100)]).strip()], partition=2)
        return count > 100

    assert sorted(ids(read(some, enlarge))) == sorted(ALL[:101])


def test_positions_are_shown_once_the_epoch_is_durable_and_never_read_back(connection: Connection) -> None:
    fresh(connection, partitions=1)
    told(connection, 0, 100)
    watcher = Consumer({**connection.settings, "group.id": connection.kafka.group})

    def shown() -> int:
        return int(watcher.committed([TopicPartition("inventory", 0)], timeout=10)[0].offset)

    lane = KafkaLane(cluster(connection), 0, Time())
    until(lambda: bool(lane.read(datetime.now(UTC))), "the first block")
    before = shown()
    lane.position()
    time.sleep(0.3)
    assert shown() == before, "a snapshot alone proves nothing"
    lane.read(datetime.now(UTC))
    until(lambda: bool(lane.read(datetime.now(UTC))) or shown() == 100, "the position is shown")
    lane.close()
    assert len(ids(read(lanes(cluster(connection), until_end=True)))) == 100, (
        "a new run begins at the beginning"
    )


def test_lag_and_low_and_high_are_told_of_every_partition(connection: Connection) -> None:
    fresh(connection, partitions=2)
    told(connection)
    some = lanes(cluster(connection))
    before = [standing for lane in some for standing in lane.standings()]
    assert sum(standing.lag or 0 for standing in before if standing.high) <= 3000
    read(some[1:], lambda _: True)
    until(lambda: bool(some[0].read(datetime.now(UTC))), "a block")
    until(lambda: not some[0].read(datetime.now(UTC)) and some[0].standings()[0].lag == 0, "all read")
    one = some[0].standings()[0]
    assert (one.topic, one.partition, one.low) == ("inventory", 0, 0)
    assert one.position == one.high
    some[0].close()


def stands(lane: KafkaLane, now: datetime) -> datetime:
    lane.read(now)
    return lane.watermark or datetime.min.replace(tzinfo=UTC)


def test_time_passes_on_idle_partitions_by_fresh_answers_only(connection: Connection) -> None:
    fresh(connection, partitions=1)
    put(connection, "inventory", [lines([moved(1)]).strip()])
    at = cluster(connection)
    busy, empty = KafkaLane(at, 0, Time()), KafkaLane(at, 1, Time())
    assert [busy.watermark] == [None]
    begin = datetime.now(UTC)
    until(lambda: bool(busy.read(begin)), "the first block")
    until(lambda: stands(busy, begin) >= begin - timedelta(minutes=10), "the end")
    later = begin + timedelta(hours=1)
    busy.read(later)
    assert (busy.watermark or later) <= begin, "nobody has answered at the later time yet"
    until(lambda: stands(busy, later) == later - timedelta(minutes=10), "a fresh answer")
    empty.read(later)
    assert empty.watermark == busy.watermark, "a lane without partitions holds nothing back"
    busy.read(begin)
    assert busy.watermark == later - timedelta(minutes=10), "time never falls"
    assert not busy.ended
    busy.close()


def test_a_broker_that_stops_and_starts_is_waited_for(broker: Broker) -> None:
    connection = Connection(broker.bootstrap, {"bootstrap.servers": broker.bootstrap})
    fresh(connection)
    told(connection, 0, 1000)
    some = lanes(cluster(connection))
    seen: dict[str, datetime | None] = {}

    def outage(blocks: list[Any]) -> bool:
        count = len(ids(blocks))
        if count == 1000 and "before" not in seen:
            broker.stop(kill=True)
            seen["before"] = some[0].watermark
            end = time.monotonic() + 2
            while time.monotonic() < end:
                assert [lane.read(datetime.now(UTC) + timedelta(hours=1)) for lane in some] == [[]] * LANES
            seen["after"] = some[0].watermark
            broker.start()
            told(connection, 1000, 2000)
        return count >= 2000

    found = read(some, outage)
    assert sorted(ids(found)) == sorted(ALL[:2000])
    assert seen["before"] == seen["after"], "time stands still while nobody answers"


def test_tls_and_scram_sign_in_and_what_is_wrong_is_refused_with_words(
    broker: Broker, tmp_path: Path
) -> None:
    plain = Connection(broker.bootstrap, {"bootstrap.servers": broker.bootstrap})
    fresh(plain)
    told(plain, 0, 10)
    for name, secret in {"user": USER, "right": PASSWORD, "wrong": "battery staple"}.items():
        (tmp_path / name).write_text(secret)
    other = certified(tmp_path)

    def signed_in(password: str, ca: Path) -> Connection:
        files = {"username_file": tmp_path / "user", "password_file": tmp_path / password, "ca_file": ca}
        table = {"security": "sasl_tls", "mechanism": "SCRAM-SHA-512", "start_timeout": "20s"}
        kafka = Kafka.model_validate({**table, **{key: str(path) for key, path in files.items()}})
        return connect(broker.sasl, kafka)

    right = signed_in("right", broker.ca)
    assert len(ids(read(lanes(cluster(right), until_end=True)))) == 10
    faults = [(signed_in("wrong", broker.ca), "_AUTHENTICATION"), (signed_in("right", other), "_SSL")]
    for wrong, words in faults:
        with pytest.raises(Terminal, match=f"refuse us: {words}") as refused:
            cluster(wrong)
        with pytest.raises(Terminal, match=f"refuse us: {words}"):
            KafkaOutlet(wrong, "inventory")
        assert "battery" not in f"{refused.value} {wrong!r}"
