"""kill -9 at any instant, with readers at every instant: whole snapshots only, and nothing left behind.

`make soak` sets SELLABLE_KILLS=200.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import polars
import pyarrow.parquet
import pytest

from canonical.errors import Terminal
from canonical.tables import TABLES
from sinks.parquet.catalog import faults
from sinks.parquet.manifest import Pointer
from sinks.parquet.snapshots import Snapshots
from sinks.parquet.store import store_of
from tests.sinks.parquet.lives import SKUS
from tests.sinks.parquet.telling import manifests, policy, replayed, table

KILLS = int(os.environ.get("SELLABLE_KILLS", "30"))
LIFE_SECONDS = 0.5
ROWS = {
    "availability": 1,
    "locations": 2,
    "lifecycle": 1,
    "order_lines": 1,
    "exceptions": 0,
    "channel_updates": 0,
}


class Readers:
    """Threads that read all the while; what any of them finds torn is kept. `seen` counts good reads by kind."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._over = threading.Event()
        self.torn: list[str] = []
        self.seen: Counter[str] = Counter()

    @contextmanager
    def reading(self) -> Iterator[None]:
        threads = [
            threading.Thread(target=self._again, args=(read,))
            for read in (self.by_pointer, self.by_folder, self.by_history)
        ]
        for thread in threads:
            thread.start()
        yield
        self._over.set()
        for thread in threads:
            thread.join()

    def _again(self, read: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                read()
            except FileNotFoundError:
                self.seen["gone meanwhile"] += (
                    1  # retention or compaction took a file between listing and opening
                )
            except Exception as fault:  # noqa: BLE001  because whatever a reader meets is a finding
                self.torn.append(f"{read.__name__}: {fault!r}")
            time.sleep(0.01)

    def whole(self, name: str, path: Path) -> int:
        """The one version of all rows of a snapshot's table."""
        rows = pyarrow.parquet.read_table(path).to_pylist()
        versions = {row["version"] for row in rows}
        if len(rows) != len(SKUS) * ROWS[name] or len(versions) > 1:
            self.torn.append(f"{path}: {len(rows)} rows of versions {versions}")
        return versions.pop() if versions else 0

    def by_pointer(self) -> None:
        last = 0
        for name in ("availability", "locations", "lifecycle", "order_lines", "exceptions"):
            pointer = msgspec.json.decode(
                (self._root / f"meta/{name}.latest.json").read_bytes(), type=Pointer
            )
            version = self.whole(name, self._root / pointer.path)
            manifest = json.loads((self._root / pointer.manifest).read_bytes())
            if version and (
                version != manifest["positions"]["version"] or pointer.rows != len(SKUS) * ROWS[name]
            ):
                self.torn.append(f"{name}: version {version} under {pointer} and {manifest['positions']}")
            last = max(last, version)
        self.seen["pointer"] += 1

    def by_folder(self) -> None:
        for name in ("locations", "lifecycle"):
            for path in sorted((self._root / "tables" / name).glob("*/*/*")):
                self.whole(name, path)
        self.seen["folder"] += 1

    def by_history(self) -> None:
        history = self._root / "tables/availability_history"
        if not history.exists():
            return  # no life has come so far yet
        told = polars.read_parquet(history / "**/*.parquet", columns=["sku", "change"])
        if told["change"].n_unique() != told.height:
            self.torn.append("availability_history: a change was read twice")
        gaps = told["change"].sort().diff().drop_nulls()
        if gaps.len() and gaps.max() != 1:
            self.torn.append("availability_history: changes are missing between others")
        self.seen["history"] += 1


@pytest.fixture
def root() -> Iterator[Path]:
    """In memory where there is such a place: SIGKILL does not ask the disk, and lives are lived faster."""
    memory = Path("/dev/shm")  # noqa: S108  only a place, the directory in it is fresh
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        yield Path(place)


def test_killed_at_any_instant_only_whole_snapshots_are_seen(root: Path) -> None:
    Snapshots(root, policy()).finish(None, {})
    rng = random.Random(9)
    nursery = subprocess.Popen(
        [sys.executable, "-m", "tests.sinks.parquet.lives", str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    readers = Readers(root)
    with nursery, readers.reading():
        for _ in range(KILLS):
            nursery.stdin.write("\n")
            nursery.stdin.flush()
            child = int(nursery.stdout.readline())
            time.sleep(rng.uniform(0.0, LIFE_SECONDS))
            os.kill(child, signal.SIGKILL)
            assert nursery.stdout.readline() == "gone\n"
        nursery.stdin.close()
    assert readers.torn == []
    for kind in ("pointer", "folder", "history"):
        assert readers.seen[kind] > KILLS / 2, readers.seen
    _whole_after_all(root)


def _whole_after_all(root: Path) -> None:
    """The next start leaves nothing that no manifest names; histories replay to every snapshot kept."""
    try:
        Snapshots(root, policy(keep=4, keep_daily="3d")).close()
    except Terminal as fault:
        raise AssertionError("the lock outlived its process") from fault
    assert list(faults(store_of(root))) == []
    kept = manifests(root)
    assert len(kept) >= 4
    assert kept[-1].number > KILLS / 4, "few snapshots were made between kills"
    for kind in TABLES:
        folders = {path.name.partition("=")[2] for path in (root / "tables" / kind.name).glob("*/*")}
        assert folders == {manifest.snapshot for manifest in kept}
    assert not any((root / "staging").rglob("*"))
    for manifest in kept:
        for name in ("availability", "locations", "order_lines"):
            assert table(root, name, manifest) == replayed(root, name, manifest)
