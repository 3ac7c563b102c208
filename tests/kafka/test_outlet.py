"""Lines written to topics: each arrives, with its key, where Java would put it; a loss is never silent."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from canonical.broker import Connection
from canonical.errors import Terminal, Transient
from canonical.policy import Kafka
from sinks import kafka
from sinks.kafka import KafkaOutlet
from tests.kafka.broker import Broker
from tests.kafka.desk import fresh, lines, moved, set_, taken

JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""What `org.apache.kafka.common.utils.Utils.murmur2` says, from Kafka's own test of it."""


def availability(sku: str, **more: Any) -> bytes:
    return json.dumps({"sku": sku, "version": 1, **more}).encode() + b"\n"


def letter(**more: Any) -> bytes:
    record = {
        "key": "O-1",
        "code": "missing_field",
        "reason": "data.order_id is absent",
        "field": "data.order_id",
        "stem": "orders",
        "origin": {"topic": "orders", "partition": 3, "offset": 17},
        "first_seen": "2026-03-01T00:00:00Z",
        **(more or {"input": "{}"}),
    }
    return json.dumps(record).encode() + b"\n"


def test_every_line_is_a_message_and_durable_after_flush(connection: Connection) -> None:
    fresh(connection)
    outlet = KafkaOutlet(connection, "availability")
    expected = [availability(f"S-{n}") for n in range(5000)]
    outlet.write([b"".join(expected[:2000]), b"".join(expected[2000:])])
    assert outlet.flush() == 0
    found = taken(connection, "availability", 5000)
    assert sorted(message.value() or b"" for message in found) == sorted(line.strip() for line in expected)
    assert all(json.loads(message.value() or b"")["sku"].encode() == message.key() for message in found)


def test_keys_lie_where_java_would_put_them(connection: Connection) -> None:
    fresh(connection, partitions=7)
    outlet = KafkaOutlet(connection, "availability")
    outlet.write([availability(key.decode()) for key in JAVA])
    outlet.close()
    found = {message.key(): message.partition() for message in taken(connection, "availability", len(JAVA))}
    assert found == {key: (value & 0x7FFFFFFF) % 7 for key, value in JAVA.items()}


def test_events_are_keyed_by_subject_and_updates_by_channel_and_sku(connection: Connection) -> None:
    fresh(connection)
    events, updates = KafkaOutlet(connection, "inventory"), KafkaOutlet(connection, "channel-updates")
    events.write([lines([moved(1, "S-1")])])
    updates.write([b'{"channel":"web","sku":"S-1"}\n'])
    events.close()
    updates.close()
    assert taken(connection, "inventory", 1)[0].key() == b"S-1"
    assert taken(connection, "channel-updates", 1)[0].key() == b"web|S-1"


def test_dead_letters_carry_key_and_headers_and_what_went_wrong(connection: Connection) -> None:
    fresh(connection)
    outlet = KafkaOutlet(connection, "dead-letters")
    own = [{"name": "trace", "value": "abc"}, {"name": "raw", "value_base64": b64encode(b"\xff").decode()}]
    odd = letter(
        input="{}", key="", key_base64=b64encode(b"\xfe").decode(), headers=own, reason="the ü is missing"
    )
    outlet.write([letter(input="{}", key=""), odd])
    outlet.close()
    found = {message.key(): message for message in taken(connection, "dead-letters", 2)}
    assert found.keys() == {None, b"\xfe"}
    assert found[b"\xfe"].value() == odd.strip()
    headers = dict(found[b"\xfe"].headers() or [])
    assert (headers["trace"], headers["raw"]) == (b"abc", b"\xff")
    names = ["topic", "partition", "offset", "exception.message", "exception.class.name"]
    told = [headers[f"__connect.errors.{name}"] for name in names]
    assert told == [b"orders", b"3", b"17", "the ü is missing".encode(), b"sellable.missing_field"]
    assert headers["sellable.error.field"] == b"data.order_id"


def test_the_largest_input_fits_into_a_dead_letter_whole(connection: Connection) -> None:
    fresh(connection)
    outlet = KafkaOutlet(connection, "dead-letters")
    whole = letter(input="\x01" * (1 << 20))
    outlet.write([whole])
    outlet.close()
    assert taken(connection, "dead-letters", 1)[0].value() == whole.strip()


def test_a_dead_letter_too_large_for_its_topic_keeps_the_head_of_its_input(connection: Connection) -> None:
    set_(fresh(connection), "dead-letters", "max.message.bytes", "20000")
    outlet = KafkaOutlet(connection, "dead-letters")
    whole = b64encode(b"\xff" * 50_000).decode()
    outlet.write([letter(input="é" * 30_000), letter(), letter(input_base64=whole)])
    outlet.close()
    found = [json.loads(message.value() or b"") for message in taken(connection, "dead-letters", 3)]
    sizes = {record.get("size"): len(record.get("input") or record["input_base64"]) for record in found}
    assert sizes == {60_000: 4096, None: 2, 50_000: 5464}


def test_a_record_too_large_for_its_topic_stops_the_job_with_words(connection: Connection) -> None:
    fresh(connection)
    outlet = KafkaOutlet(connection, "availability")
    with pytest.raises(
        Terminal, match=r"availability: the record of 'BIG' has 3,0\d\d,\d+ bytes, more\s+than"
    ):
        outlet.write([availability("S") + availability("BIG", pad="x" * 3_000_000)])


def test_a_refused_delivery_stops_the_job_before_the_snapshot(connection: Connection) -> None:
    admin = fresh(connection)
    outlet = KafkaOutlet(connection, "availability")
    set_(admin, "availability", "max.message.bytes", "1000")
    outlet.write([availability("S", pad=Random(1).randbytes(5000).hex())])  # not to be compressed
    with pytest.raises(Terminal, match=r"availability: a record was not delivered: .*MSG_SIZE_TOO_LARGE"):
        outlet.flush()
    with pytest.raises(Terminal, match="was not delivered"):
        outlet.write([availability("S")])


def test_a_missing_topic_is_refused_with_the_command_that_makes_it(connection: Connection) -> None:
    fresh(connection, names=["orders"])
    with pytest.raises(Terminal, match=r"no topic availability: .*sellable topics create --brokers"):
        KafkaOutlet(connection, "availability")


def test_a_full_queue_makes_writing_wait_and_loses_nothing(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh(connection)
    monkeypatch.setattr(kafka, "QUEUE_KIB", 16)
    outlet = KafkaOutlet(connection, "availability")
    outlet.write([availability(f"S-{n}", pad="x" * 300) for n in range(3000)])
    outlet.close()
    taken(connection, "availability", 3000)


def test_silent_brokers_stop_the_job_after_the_time_allowed(broker: Broker) -> None:
    allowed = Kafka(delivery_timeout=timedelta(seconds=1))
    connection = Connection(broker.bootstrap, {"bootstrap.servers": broker.bootstrap}, allowed)
    fresh(connection)
    outlet = KafkaOutlet(connection, "availability")
    broker.stop()
    try:
        outlet.write([availability("S")])
        with pytest.raises(Transient, match=r"availability: a record was not delivered.*_MSG_TIMED_OUT"):
            outlet.flush()
    finally:
        broker.start()


def test_brokers_back_in_time_lose_nothing_and_tell_nothing_twice(broker: Broker) -> None:
    connection = Connection(broker.bootstrap, {"bootstrap.servers": broker.bootstrap})
    fresh(connection)
    outlet = KafkaOutlet(connection, "availability")
    outlet.write([availability(f"S-{n}") for n in range(1000)])
    broker.stop(kill=True)
    outlet.write([availability(f"S-{n}") for n in range(1000, 2000)])
    broker.start()
    outlet.flush()
    found = taken(connection, "availability", 2000)
    assert {message.key() for message in found} == {f"S-{n}".encode() for n in range(2000)}
