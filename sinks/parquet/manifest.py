"""What a snapshot says of itself. It exists from the moment its manifest does; pointers follow the newest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from canonical.errors import Terminal
from sinks.parquet.store import Store

MANIFESTS = "meta/manifests"


class File(Struct, frozen=True):
    """A Parquet file: its path below the root, rows, bytes and the SHA-256 of its bytes."""

    path: str
    rows: int
    bytes: int
    sha256: str


class Manifest(Struct, frozen=True):
    """`positions`: where in the inputs the snapshot stands. `changes`: per stream, the greatest `change` in it.

    `tables` has one file each; `history` those with the changes since the snapshot before.
    """

    snapshot: str
    schema_version: int
    watermark: datetime
    published_at: datetime
    positions: dict[str, Any]
    changes: dict[str, int]
    tables: dict[str, File]
    history: dict[str, list[File]]

    @property
    def number(self) -> int:
        return number_of(self.snapshot)


class Pointer(Struct, frozen=True):
    """`meta/<table>.latest.json`: where the newest snapshot of one table is."""

    table: str
    snapshot: str
    path: str
    rows: int
    watermark: datetime
    schema_version: int
    manifest: str


class Compaction(Struct, frozen=True):
    """`meta/compactions/<table>.<date>.json`: the files that took the place of a day's small ones."""

    table: str
    date: str
    replaced: list[str]
    files: list[File]


def snapshot_id(number: int, watermark: datetime) -> str:
    """Ids sort by age; the text cannot be taken for a number or a time by a reader of folder names."""
    return f"{number:06d}-{watermark:%Y%m%dT%H%M%SZ}"


def number_of(snapshot: str) -> int:
    """Snapshots of a root are numbered from 1 without end."""
    return int(snapshot.partition("-")[0])


def watermark_of(snapshot: str) -> datetime:
    """To the second."""
    return datetime.strptime(snapshot.partition("-")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def folder_of(table: str, snapshot: str) -> str:
    """Where one table of a snapshot lies."""
    return f"tables/{table}/snapshot_date={watermark_of(snapshot):%Y-%m-%d}/snapshot={snapshot}"


def manifest_path(snapshot: str) -> str:
    """Where a snapshot's manifest is."""
    return f"{MANIFESTS}/{snapshot}.json"


def pointer_path(table: str) -> str:
    """Where a table's pointer is."""
    return f"meta/{table}.latest.json"


def pointers(manifest: Manifest) -> dict[str, bytes]:
    """Path → content of every table's pointer."""
    return {
        pointer_path(table): msgspec.json.format(
            msgspec.json.encode(
                Pointer(
                    table,
                    manifest.snapshot,
                    file.path,
                    file.rows,
                    manifest.watermark,
                    manifest.schema_version,
                    manifest_path(manifest.snapshot),
                )
            )
        )
        for table, file in manifest.tables.items()
    }


def snapshots(store: Store) -> list[str]:
    """Ids of all published snapshots, oldest first."""
    names = store.names(MANIFESTS)
    return sorted((name.rpartition("/")[2].removesuffix(".json") for name in names), key=number_of)


def load(store: Store, snapshot: str) -> Manifest | None:
    """A published snapshot's manifest; None once retention has taken it."""
    data = store.read(manifest_path(snapshot))
    try:
        return None if data is None else msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise Terminal(
            f"{store.root}/{manifest_path(snapshot)}: is not a manifest of ours ({error})"
        ) from error


def encode(thing: Struct) -> bytes:
    """JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(thing))
