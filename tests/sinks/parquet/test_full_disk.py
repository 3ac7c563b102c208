"""A full disk: the old snapshot stays, the job says so, and nothing is lost once there is room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from canonical.errors import Transient
from sinks.parquet.catalog import faults
from sinks.parquet.snapshots import Snapshots
from sinks.parquet.store import store_of
from tests.sinks.parquet.telling import at, changes, lines, manifests, policy, stock, table

SIZE = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)],  # noqa: S607  found on the PATH
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"NOT TESTED, a full disk needs leave to mount a tmpfs: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S607  found on the PATH


def fill(disk: Path, leave: int) -> Path:
    filler = disk / "filler"
    free = os.statvfs(disk)
    filler.write_bytes(b"\0" * (free.f_bavail * free.f_bsize - leave))
    return filler


@pytest.mark.parametrize("leave", [0, 4096, 16384, 40960, 61440])
def test_the_old_snapshot_stays_and_the_job_goes_on(disk: Path, leave: int) -> None:
    said: list[str] = []
    root = disk / "root"
    sink = Snapshots(root, policy(on_full_disk="continue"), say=said.append)
    sink.tick(at(0), at(0), {})
    sink.write("availability", lines(stock("s1", 1)))
    sink.tick(at(5), at(5), {})
    sink.settle()
    filler = fill(disk, leave)
    sink.write("availability", lines(stock("s1", 2)))
    sink.tick(at(10), at(10), {})
    sink.settle()
    assert (sink.full, len(said)) == (True, 1)
    assert "the disk is full; the snapshot that stands is 000001-20260302T090500Z" in said[0]
    assert [r["version"] for r in table(root, "availability")] == [1]
    assert changes(root, "availability")["version"].to_list() == [1]
    assert list(faults(store_of(root))) == []
    filler.unlink()
    sink.write("availability", lines(stock("s2", 1)))
    sink.tick(at(15), at(15), {"version": 2})
    sink.settle()
    assert not sink.full
    assert [(r["sku"], r["version"]) for r in table(root, "availability")] == [("s1", 2), ("s2", 1)]
    assert changes(root, "availability")["version"].to_list() == [1, 2, 1]
    assert list(faults(store_of(root))) == []
    sink.close()


def test_by_default_the_job_stops_with_words(disk: Path) -> None:
    root = disk / "root"
    sink = Snapshots(root, policy())
    sink.tick(at(0), at(0), {})
    sink.write("availability", lines(stock("s1", 1)))
    filler = fill(disk, 8192)
    with pytest.raises(
        Transient, match="the disk is full; the snapshot that stands is none; free some space"
    ):
        sink.finish(at(5), {})
    sink.close()
    assert manifests(root) == []
    filler.unlink()
    again = Snapshots(root, policy())
    again.write("availability", lines(stock("s1", 1)))
    again.finish(at(5), {})
    assert len(table(root, "availability")) == 1
