"""Reading what was published: which snapshots there are, what one holds, whether all is as its manifest says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256

import msgspec
import polars
import pyarrow
import pyarrow.parquet

from canonical.tables import TABLES
from sinks.parquet.encoding import decode
from sinks.parquet.manifest import (
    Compaction,
    File,
    Manifest,
    Pointer,
    load,
    manifest_path,
    pointer_path,
    snapshots,
)
from sinks.parquet.store import Store


def published(store: Store) -> list[Manifest]:
    """Every snapshot that stands, oldest first; one that retention takes meanwhile is left out."""
    return [manifest for each in snapshots(store) if (manifest := load(store, each)) is not None]


def standing_at(store: Store, time: datetime | None) -> Manifest | None:
    """The newest snapshot, or the newest whose watermark is not after `time`; None if there is none."""
    fitting = [m for m in published(store) if time is None or m.watermark <= time]
    return fitting[-1] if fitting else None


def rows_of(store: Store, manifest: Manifest, table: str) -> polars.DataFrame:
    """The whole state of one table at a snapshot."""
    return decode(store.open(manifest.tables[table].path))


def faults(store: Store) -> Iterator[str]:
    """A sentence for everything that is not as its manifest says; nothing if all is well."""
    manifests = published(store)
    compactions = list(_compactions(store))
    moved = {path for compaction in compactions for path in compaction.replaced}
    for manifest in manifests:
        found = list(_of_manifest(store, manifest, moved))
        retired = bool(found) and store.read(manifest_path(manifest.snapshot)) is None
        yield from () if retired else found
    for compaction in compactions:
        yield from _of_files(store, compaction.files)
    newest = snapshots(store)[-1:]
    for table in TABLES if manifests else ():
        data = store.read(pointer_path(table.name))
        if data is None:
            yield f"{pointer_path(table.name)}: is missing"
        elif msgspec.json.decode(data, type=Pointer).snapshot not in {manifests[-1].snapshot, *newest}:
            yield f"{pointer_path(table.name)}: does not name the newest snapshot, {manifests[-1].snapshot}"


def _compactions(store: Store) -> Iterator[Compaction]:
    """Compactions that took place; one that a crash prevented still has its small files."""
    for name in store.names("meta/compactions"):
        data = store.read(name)
        if data is not None:
            compaction = msgspec.json.decode(data, type=Compaction)
            present = set(store.names(f"tables/{compaction.table}/date={compaction.date}"))
            if present and present.isdisjoint(compaction.replaced):
                yield compaction


def _of_manifest(store: Store, manifest: Manifest, moved: set[str]) -> Iterator[str]:
    yield from _of_files(store, manifest.tables.values())
    for files in manifest.history.values():
        for file in files:
            day = file.path.rpartition("/")[0]
            if file.path not in moved and store.names(day):  # else retention took the day
                yield from _of_files(store, [file])


def _of_files(store: Store, files: Iterable[File]) -> Iterator[str]:
    for file in files:
        try:
            with store.open(file.path) as opened:
                data = opened.read_buffer()
        except FileNotFoundError:
            yield f"{file.path}: is missing"
            continue
        if data.size != file.bytes:
            yield f"{file.path}: has {data.size} bytes, its manifest says {file.bytes}"
        elif sha256(data).hexdigest() != file.sha256:
            yield f"{file.path}: its bytes are not those that were published (SHA-256 differs)"
        elif (rows := pyarrow.parquet.read_metadata(pyarrow.BufferReader(data)).num_rows) != file.rows:
            yield f"{file.path}: has {rows} rows, its manifest says {file.rows}"
