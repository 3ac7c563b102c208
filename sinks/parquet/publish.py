"""How a snapshot comes to be seen: staged, renamed in, then its manifest, then the pointers.

A crash before the manifest leaves things no manifest names; they are whole, and taken away at the next start. A
crash after it leaves pointers that lag by one; they are set at the next start.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from canonical.tables import SCHEMA_VERSION, TABLE, history
from sinks.parquet.encoding import Encoded
from sinks.parquet.manifest import (
    File,
    Manifest,
    encode,
    folder_of,
    load,
    manifest_path,
    number_of,
    pointers,
    snapshot_id,
    snapshots,
)
from sinks.parquet.store import Store


class Publisher:
    """Publishes to one store, alone. `latest` is the newest manifest, None before the first snapshot."""

    def __init__(self, store: Store, *, resume: bool) -> None:
        self.store = store
        self.latest: Manifest | None = None
        store.fence()
        try:
            self._take_over(resume=resume)
        except BaseException:
            store.close()
            raise

    def _take_over(self, *, resume: bool) -> None:
        if not resume:
            self._start_anew()
        ids = snapshots(self.store)
        self.latest = load(self.store, ids[-1]) if ids else None
        self._clean()
        self.point()

    def _start_anew(self) -> None:
        """Take away what an earlier run told: first what points to it, then the tables."""
        for name in self.store.names("meta"):
            if name.endswith(".latest.json"):
                self.store.remove(name)
        for folder in ("meta/manifests", "meta/compactions", "tables"):
            self.store.remove(folder)

    def _clean(self) -> None:
        """Take away what a killed run landed without a manifest, and snapshots whose manifest retention took."""
        number = self.latest.number if self.latest else 0
        named = set(snapshots(self.store))
        for path in self.store.names("tables"):
            folder, _, file = path.rpartition("/")
            if file.startswith("part-") and "/snapshot=" not in path:
                if number_of(file.removeprefix("part-")) > number:
                    self.store.remove(path)
            elif folder.rpartition("snapshot=")[2] not in named:
                self.store.remove(folder)

    def begin(self, watermark: datetime, now: datetime) -> Publication:
        number = self.latest.number + 1 if self.latest else 1
        return Publication(self.store, snapshot_id(number, watermark), watermark, now)

    def commit(
        self, publication: Publication, positions: dict[str, Any], changes: dict[str, int]
    ) -> Manifest:
        """Let the publication be seen. Once this has raised nothing it stands, whatever comes after."""
        manifest = publication.seal(positions, changes)
        self.latest = manifest
        return manifest

    def point(self) -> None:
        """Let the pointers name the latest snapshot; safe to repeat."""
        if self.latest is not None:
            for path, content in pointers(self.latest).items():
                if self.store.read(path) != content:
                    self.store.replace(path, content)


class Publication:
    """One snapshot under way."""

    def __init__(self, store: Store, snapshot: str, watermark: datetime, now: datetime) -> None:
        self.snapshot = snapshot
        self.about = {"snapshot": snapshot, "watermark": watermark.isoformat()}
        self._store, self._watermark, self._now = store, watermark, now
        self._tables: dict[str, File] = {}
        self._history: dict[str, list[File]] = {}

    def add(self, table: str, encoded: Encoded) -> None:
        """Stage the whole state of one table."""
        self._tables[table] = self._stage(f"{folder_of(table, self.snapshot)}/part-0.parquet", encoded)

    def add_history(self, table: str, encoded: Encoded) -> None:
        """Stage some changes of one table; `table` is its plain name."""
        name = history(TABLE[table]).name
        files = self._history.setdefault(name, [])
        path = f"tables/{name}/date={self._watermark:%Y-%m-%d}/part-{self.snapshot}-{len(files)}.parquet"
        files.append(self._stage(path, encoded))

    def _stage(self, path: str, encoded: Encoded) -> File:
        self._store.stage(path, encoded.data)
        return File(path, encoded.rows, encoded.data.size, encoded.digest)

    def seal(self, positions: dict[str, Any], changes: dict[str, int]) -> Manifest:
        """Land all that is staged, then the manifest that makes it a snapshot."""
        self._store.land(list(self._places()))
        manifest = Manifest(
            self.snapshot,
            SCHEMA_VERSION,
            self._watermark,
            self._now,
            positions,
            changes,
            self._tables,
            self._history,
        )
        self._store.replace(manifest_path(self.snapshot), encode(manifest))
        return manifest

    def _places(self) -> Iterator[str]:
        """What is renamed in: a folder per table, and the files of histories."""
        for file in self._tables.values():
            yield file.path.rpartition("/")[0]
        for files in self._history.values():
            yield from (file.path for file in files)

    def abandon(self) -> None:
        """Take everything back, landed or not."""
        self._store.abandon([manifest_path(self.snapshot), *self._places()])
