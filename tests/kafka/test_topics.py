"""`sellable topics` at a real broker: made once, compared to the last setting."""

from __future__ import annotations

import json

import pytest
from confluent_kafka.admin import NewPartitions

from canonical.broker import Connection
from canonical.topics import BY_NAME
from dataflows.__main__ import main
from tests.kafka.desk import fresh, set_


def topics(action: str, connection: Connection, *more: str) -> int:
    return main(["topics", action, "--brokers", connection.brokers, *more])


def test_created_once_they_are_as_they_should_be(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh(connection, names=[])
    assert topics("check", connection) == 1
    missing = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[:2] for line in missing] == [[name, "missing"] for name in BY_NAME]
    assert topics("create", connection, "--dry-run") == 0
    assert capsys.readouterr().out.count("would make") == len(BY_NAME)
    assert topics("check", connection) == 1
    assert topics("create", connection) == 0
    assert topics("create", connection) == 0
    assert topics("check", connection, "--partitions", "8") == 0
    assert capsys.readouterr().out.endswith(f"{len(BY_NAME)} topics are as they should be\n")


def test_every_difference_is_told(connection: Connection, capsys: pytest.CaptureFixture[str]) -> None:
    admin = fresh(connection)
    set_(admin, "availability", "cleanup.policy", "delete")
    set_(admin, "orders", "retention.ms", "1000")
    set_(admin, "dead-letters", "max.message.bytes", "1000000")
    for answer in admin.client.create_partitions([NewPartitions("returns", 6)]).values():
        answer.result()
    assert topics("check", connection, "--json", "--replication", "1") == 1
    told = json.loads(capsys.readouterr().out)["differences"]
    assert {(one["topic"], one["what"]): (one["found"], one["wanted"]) for one in told} == {
        ("availability", "cleanup.policy"): ("delete", "compact"),
        ("orders", "retention.ms"): ("1000", "2592000000"),
        ("dead-letters", "max.message.bytes"): ("1000000", "8388608"),
        ("orders", "co-partitioning"): ("4", "6"),
        ("shipments", "co-partitioning"): ("4", "6"),
        ("postings", "co-partitioning"): ("4", "6"),
    }


def test_topics_keyed_by_order_are_made_like_those_that_exist(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh(connection, partitions=3, names=["orders"])
    assert topics("create", connection, "--partitions", "5") == 2
    assert "there are already: orders 3" in capsys.readouterr().err
    assert topics("create", connection, "--json") == 0
    made = json.loads(capsys.readouterr().out)["made"]
    assert (made["returns"], made["inventory"]) == (3, 8)
    assert topics("check", connection) == 0


def test_what_the_cluster_cannot_do_is_told(
    connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh(connection, names=[])
    assert topics("create", connection, "--replication", "3") == 2
    assert "cannot be made" in capsys.readouterr().err
    assert main(["topics", "check", "--brokers", "nonsense"]) == 2
    assert "write HOST:PORT" in capsys.readouterr().err
