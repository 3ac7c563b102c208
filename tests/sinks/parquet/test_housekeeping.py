"""Old snapshots leave, small files become large ones, and verify sees what was touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from canonical.errors import Terminal
from sinks.parquet.catalog import faults, standing_at
from sinks.parquet.snapshots import Snapshots
from sinks.parquet.store import store_of
from tests.sinks.parquet.telling import at, changes, lines, manifests, policy, publish, snapshots_at, stock


def test_retention_keeps_the_newest_and_the_last_of_each_day(tmp_path: Path) -> None:
    day = 24 * 60
    sink = snapshots_at(tmp_path, keep=2, keep_daily="2d", keep_history="2d")
    for number in range(8):
        sink.write("availability", lines(stock("s1", number + 1)))
        publish(sink, 10 + number * day / 2)
    sink.close()
    times = [10 + number * day / 2 for number in (3, 5, 6, 7)]  # the last of each day, and the newest two
    assert [m.watermark for m in manifests(tmp_path)] == [at(minutes) for minutes in times]
    folders = sorted((tmp_path / "tables/locations").glob("*/snapshot=*"))
    assert [folder.name.partition("=")[2] for folder in folders] == [m.snapshot for m in manifests(tmp_path)]
    assert changes(tmp_path, "availability")["version"].to_list() == list(range(3, 9))
    assert list(faults(store_of(tmp_path))) == []
    held = standing_at(store_of(tmp_path), at(10 + 2.6 * day))
    assert held is not None
    assert held.watermark == at(10 + 2.5 * day)


def test_when_a_day_is_over_its_small_files_become_one(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    day = tmp_path / "tables/availability_history/date=2026-03-02"
    for number in range(1, 5):
        sink.write("availability", lines(stock("s1", number), stock(f"t{number}", 1)))
        publish(sink, 5 * number)
    small = sorted(path.name for path in day.iterdir())
    assert len(small) == 4
    before = changes(tmp_path, "availability")
    publish(sink, 24 * 60)
    [merged] = day.iterdir()
    assert merged.name not in small
    assert changes(tmp_path, "availability").equals(before)
    assert pyarrow.parquet.read_table(merged)["sku"].to_pylist() == ["s1"] * 4 + ["t1", "t2", "t3", "t4"]
    assert list(faults(store_of(tmp_path))) == []
    sink.close()
    Snapshots(tmp_path, policy()).close()
    assert merged.exists()


def test_where_folders_cannot_be_exchanged_small_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.parquet.local.EXCHANGE", 1 << 20)  # a step no file system knows
    said: list[str] = []
    sink = Snapshots(tmp_path, policy(), say=said.append)
    sink.tick(at(0), at(0), {})
    for number in range(1, 4):
        sink.write("availability", lines(stock("s1", number)))
        publish(sink, 5 * number)
    publish(sink, 24 * 60)
    publish(sink, 24 * 60 + 5)
    sink.close()
    assert len(said) == 1
    assert "cannot exchange folders" in said[0]
    assert changes(tmp_path, "availability")["version"].to_list() == [1, 2, 3]
    assert len(list((tmp_path / "tables/availability_history/date=2026-03-02").iterdir())) == 3
    assert list(faults(store_of(tmp_path))) == []


def test_a_manifest_that_was_touched_is_refused_with_words(tmp_path: Path) -> None:
    sink = snapshots_at(tmp_path)
    publish(sink, 5)
    sink.close()
    (tmp_path / f"meta/manifests/{manifests(tmp_path)[0].snapshot}.json").write_text("{")
    for _ in range(2):  # the second time shows that the first has let go of the place
        with pytest.raises(Terminal, match="is not a manifest of ours"):
            Snapshots(tmp_path, policy())


def test_verify_finds_what_was_touched(tmp_path: Path) -> None:
    def damaged(path: Path, content: bytes) -> list[str]:
        whole = path.read_bytes()
        path.write_bytes(content)
        found = list(faults(store_of(tmp_path)))
        path.write_bytes(whole)
        return found

    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("s1", 1)))
    publish(sink, 5)
    sink.write("availability", lines(stock("s1", 2)))
    publish(sink, 10)
    sink.close()
    first, last = manifests(tmp_path)
    part = tmp_path / last.tables["locations"].path
    good = part.read_bytes()
    assert list(faults(store_of(tmp_path))) == []
    assert "bytes" in damaged(part, good[:-9])[0]
    assert "SHA-256" in damaged(part, bytes([good[0] ^ 1]) + good[1:])[0]
    pointer = tmp_path / "meta/locations.latest.json"
    assert (
        "newest"
        in damaged(pointer, pointer.read_bytes().replace(b"000002-20260302T0910", b"000001-20260302T0905"))[0]
    )
    wrong: dict[str, Any] = json.loads((tmp_path / "meta/manifests" / f"{first.snapshot}.json").read_bytes())
    wrong["tables"]["lifecycle"]["rows"] = 7
    assert "7" in damaged(tmp_path / f"meta/manifests/{first.snapshot}.json", json.dumps(wrong).encode())[0]
    (tmp_path / last.history["availability_history"][0].path).unlink()
    assert "missing" in next(faults(store_of(tmp_path)))
