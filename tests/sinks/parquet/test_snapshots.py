"""What is written is what analysts find: whole states, every change once, and the way back to the inputs."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow.parquet
import pytest

from canonical.errors import Terminal
from canonical.outputs import Availability
from canonical.tables import TABLE, TABLES, dictionary, schema
from sinks.parquet.catalog import faults
from sinks.parquet.snapshots import Snapshots
from sinks.parquet.store import store_of
from tests.sinks.parquet.telling import (
    at,
    changes,
    lines,
    manifests,
    order,
    policy,
    publish,
    replayed,
    snapshots_at,
    stock,
    table,
    trouble,
    update,
)


def test_every_stream_becomes_its_tables(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("s1", 1, ats=4, pools="pq")))
    sink.write("lifecycle", lines(order("o-1", 1, skus="xy")))
    sink.write("exceptions", lines(trouble("e1", "opened", opened=1, detected=2, sku="s1")))
    sink.write("channel-updates", lines(update("web", "s1", 1)))
    sink.write("dead-letters", [b"not for analysts\n"])
    publish(sink, 5)
    assert [(r["sku"], r["pool"], r["ats"]) for r in table(tmp_path, "availability")] == [
        ("s1", "p", 4),
        ("s1", "q", 4),
    ]
    assert [(r["location"], r["free"]) for r in table(tmp_path, "locations")] == [("a", 4), ("b", 4)]
    assert [(r["order_id"], r["placed_at"], r["shipped_at"]) for r in table(tmp_path, "lifecycle")] == [
        ("o-1", at(0), None)
    ]
    assert [(r["line_id"], r["sku"], r["channel"]) for r in table(tmp_path, "order_lines")] == [
        ("0", "x", "web"),
        ("1", "y", "web"),
    ]
    [told] = table(tmp_path, "exceptions")
    assert (str(told["value"]), told["sku"], told["cleared_at"]) == ("19.900000", "s1", None)
    assert [(r["channel"], r["sku"], r["quantity"]) for r in table(tmp_path, "channel_updates")] == [
        ("web", "s1", 3)
    ]
    sink.close()


def test_only_parquet_lies_below_tables_and_all_of_it_is_sorted(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    for version, skus in enumerate(("dbca", "fad"), 1):
        sink.write("availability", lines(*(stock(sku, version, places="ba") for sku in skus)))
        publish(sink, 5 * version)
    files = [path for path in (tmp_path / "tables").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.suffix == ".parquet"
        kind = TABLE[path.relative_to(tmp_path / "tables").parts[0].removesuffix("_history")]
        keys = [
            tuple(row[name] for name in kind.order) for row in pyarrow.parquet.read_table(path).to_pylist()
        ]
        assert keys == sorted(keys)
    sink.close()
    assert not (tmp_path / "staging").exists()


def test_a_file_says_what_its_columns_mean(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("s1", 1)))
    publish(sink, 5)
    for kind in TABLES:
        stored = pyarrow.parquet.read_schema(tmp_path / manifests(tmp_path)[0].tables[kind.name].path)
        assert stored.equals(schema(kind))
        assert (
            json.loads(stored.metadata[b"dictionary"])
            == json.loads(dictionary())["tables"][kind.name]["columns"]
        )
        assert stored.metadata[b"watermark"] == at(5).isoformat().encode()
    sink.close()


def test_the_pointer_and_the_manifest_tie_a_snapshot_to_its_inputs(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("s1", 1)))
    publish(sink, 5, {"orders.ndjson": {"offset": 77}})
    pointer = json.loads((tmp_path / "meta/availability.latest.json").read_bytes())
    manifest = json.loads((tmp_path / pointer["manifest"]).read_bytes())
    assert pointer["rows"] == manifest["tables"]["availability"]["rows"] == 1
    assert pyarrow.parquet.read_metadata(tmp_path / pointer["path"]).num_rows == 1
    assert manifest["positions"] == {"orders.ndjson": {"offset": 77}}
    assert manifest["watermark"] == pointer["watermark"] == "2026-03-02T09:05:00Z"
    assert manifest["schema_version"] == 1
    sink.close()


def test_nothing_is_published_before_it_is_due_or_without_a_watermark(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("s1", 1)))
    publish(sink, 4.9)
    sink.tick(None, at(60), {})
    sink.settle()
    assert manifests(tmp_path) == []
    publish(sink, 60)
    publish(sink, 64.9)
    assert [m.watermark for m in manifests(tmp_path)] == [at(60)]
    sink.close()


def test_a_record_without_places_leaves_no_row_and_takes_those_before_away(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("s1", 1, places="ab"), stock("s2", 1)))
    publish(sink, 5)
    sink.write("availability", lines(stock("s1", 2, places="", pools="pq")))
    publish(sink, 10)
    assert {r["sku"] for r in table(tmp_path, "locations")} == {"s2"}
    assert len(table(tmp_path, "availability")) == 3
    assert [(r["change"], r["location"]) for r in changes(tmp_path, "locations").to_dicts()] == [
        (1, "a"),
        (1, "b"),
        (2, "a"),
        (2, "b"),
        (3, None),
    ]
    sink.close()


def test_history_replayed_gives_each_snapshot_and_none_goes_back(tmp_path: Path) -> None:
    rng = Random(6)
    sink = snapshots_at(tmp_path, keep=100)
    versions: dict[str, int] = {}
    now = 0
    for _ in range(12):
        for _ in range(rng.randrange(4)):
            batch: list[Availability] = []
            for sku in rng.choices("abcdefgh", k=5):
                versions[sku] = versions.get(sku, 0) + 1
                batch.append(stock(sku, versions[sku], rng.randrange(9), places=rng.choice(["", "a", "ab"])))
            sink.write("availability", lines(*batch))
            if rng.random() < 0.5:  # the end of it is told again, as after a crash
                sink.write("availability", lines(*batch[2:]))
            sink.write(
                "lifecycle", lines(*(order(f"o-{b.sku}", b.version, skus="xyz"[: b.version]) for b in batch))
            )
        if rng.random() < 0.3:
            sink.close()
            sink = Snapshots(tmp_path, policy(keep=100))
        now += 5
        publish(sink, now)
    sink.close()
    kept = manifests(tmp_path)
    assert len(kept) > 6
    for manifest in kept:
        for name in ("availability", "locations", "lifecycle", "order_lines"):
            assert table(tmp_path, name, manifest) == replayed(tmp_path, name, manifest)
    assert {r["sku"]: r["version"] for r in table(tmp_path, "availability")}.items() <= versions.items()
    assert list(faults(store_of(tmp_path))) == []


def test_what_was_not_published_before_a_stop_comes_from_the_stream_again(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("s1", 1)))
    publish(sink, 5, {"offset": 1})
    sink.write("availability", lines(stock("s1", 2)))
    sink.close()
    again = Snapshots(tmp_path, policy())
    assert again.positions == {"offset": 1}
    again.write("availability", lines(stock("s1", 2)))
    again.finish(at(6), {"offset": 2})
    assert [r["version"] for r in table(tmp_path, "availability")] == [2]
    assert changes(tmp_path, "availability")["version"].to_list() == [1, 2]


def test_the_end_publishes_once_and_a_watermark_never_goes_back(tmp_path: Path) -> None:
    for minutes in (30, 30, 10):
        sink = Snapshots(tmp_path, policy())
        sink.write("availability", lines(stock("s1", 1)))
        sink.finish(at(minutes), {})
    assert [m.watermark for m in manifests(tmp_path)] == [at(30)]
    sink = Snapshots(tmp_path, policy())
    sink.write("availability", lines(stock("s1", 2)))
    sink.finish(at(10), {})
    assert [m.watermark for m in manifests(tmp_path)] == [at(30), at(30)]


def test_starting_anew_takes_an_earlier_run_away(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("old", 9)))
    publish(sink, 5)
    sink.close()
    Snapshots(tmp_path, policy(), resume=False).finish(at(7), {})
    assert table(tmp_path, "availability") == []
    assert len(manifests(tmp_path)) == 1
    assert list(faults(store_of(tmp_path))) == []


def test_one_publisher_at_a_time(tmp_path: Path) -> None:
    first = Snapshots(tmp_path, policy())
    with pytest.raises(Terminal, match="another process"):
        Snapshots(tmp_path, policy())
    first.close()
    Snapshots(tmp_path, policy()).close()


def test_a_record_of_another_release_is_refused_with_words(tmp_path: Path) -> None:
    for line in (b'{"sku":"s1","colour":"red"}\n', b'{"sku":"s1","version":1.5}\n', b'{"sku":"s1"}\n'):
        sink = Snapshots(tmp_path, policy())
        sink.write("availability", [line])
        with pytest.raises(Terminal, match="of one release"):
            sink.finish(at(5), {})
        sink.close()
    assert manifests(tmp_path) == []


def test_a_record_longer_than_a_block_is_read(tmp_path: Path) -> None:
    sink = Snapshots(tmp_path, policy())
    long = order("o-long", 1)
    long.exceptions = ["e" * 1000] * 5000
    sink.write("lifecycle", lines(order("o-1", 1), long, order("o-2", 1)))
    sink.finish(at(5), {})
    assert [len(r["exceptions"]) for r in table(tmp_path, "lifecycle")] == [0, 0, 5000]


def test_what_is_long_closed_leaves_the_snapshot_and_stays_in_the_history(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("lifecycle", lines(order("o-done", 1, "delivered"), order("o-open", 1, "shipped")))
    sink.write("exceptions", lines(trouble("e1", "cleared", 0, 1, cleared=1), trouble("e2", "opened", 0, 1)))
    month = timedelta(days=30) / timedelta(minutes=1)
    publish(sink, month)
    assert len(table(tmp_path, "lifecycle")) == len(table(tmp_path, "exceptions")) == 2
    publish(sink, month + 10)
    for name, left in (("lifecycle", "o-open"), ("order_lines", "o-open"), ("exceptions", "e2")):
        assert [row[TABLE[name].key[0]] for row in table(tmp_path, name)] == [left]
        assert changes(tmp_path, name).height == 2
    sink.close()
