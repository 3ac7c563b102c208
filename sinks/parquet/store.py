"""Where snapshots live: what publishing needs of a place, and which place a root names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pyarrow

from sinks.parquet.local import LocalStore
from sinks.parquet.objects import ObjectStore


class Store(Protocol):
    """Paths are relative to the root, with "/". Whatever is written is durable when the call returns."""

    root: str
    compacts: bool
    """Whether the files of a folder can be superseded in one step; where not, small files stay."""

    def fence(self) -> None: ...
    def stage(self, path: str, data: pyarrow.Buffer) -> None: ...
    def land(self, paths: Sequence[str]) -> None: ...
    def supersede(self, folder: str) -> None: ...
    def abandon(self, paths: Sequence[str]) -> None: ...
    def replace(self, path: str, data: bytes) -> None: ...
    def read(self, path: str) -> bytes | None: ...
    def open(self, path: str) -> pyarrow.NativeFile: ...
    def names(self, folder: str) -> list[str]: ...
    def remove(self, path: str) -> None: ...
    def close(self) -> None: ...


def store_of(root: str | Path) -> Store:
    """A directory, or `s3://bucket/prefix`. Raises Terminal for an address that cannot be one."""
    text = str(root)
    return ObjectStore(text) if "://" in text else LocalStore(Path(text))
