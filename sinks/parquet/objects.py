"""An object store: no rename and no lock, but an object appears whole or not at all, and lists are true.

So every table of a snapshot is one object, put under its final name; the manifest and the pointers come last, as
everywhere. A set of objects cannot be superseded in one step, so histories are not compacted here: a larger `every`
makes fewer, larger files. Two publishers on one root are not fenced from each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import pyarrow
from pyarrow import fs

from canonical.errors import Terminal


class ObjectStore:
    """`s3://bucket/prefix`, with `?region=…` or `?endpoint_override=host:port&scheme=http` where needed.

    Credentials come from the environment, its files or the machine's role, never from the address.
    """

    compacts = False

    def __init__(self, root: str) -> None:
        address = urlsplit(root)
        if address.scheme != "s3" or not address.hostname:
            raise Terminal(f"{root}: not a place for snapshots; write a directory or s3://bucket/prefix")
        if address.username or address.password:
            raise Terminal(
                "an s3:// address must not hold credentials: set AWS_ACCESS_KEY_ID and its like instead"
            )
        self.root = root
        try:
            self._fs, base = fs.FileSystem.from_uri(root)
        except pyarrow.ArrowInvalid as error:
            raise Terminal(f"{root}: is no address of an object store: {error}") from error
        self._base = base.rstrip("/")

    def fence(self) -> None:
        """There is nothing to fence with."""

    def stage(self, path: str, data: pyarrow.Buffer) -> None:
        """Put the object; only whole ones are ever seen."""
        with self._fs.open_output_stream(self._at(path)) as stream:
            stream.write(data)

    def land(self, paths: Sequence[str]) -> None:
        """Everything stands where it belongs since it was staged."""

    def supersede(self, folder: str) -> None:
        raise NotImplementedError(f"{folder}: an object store cannot supersede a folder in one step")

    def abandon(self, paths: Sequence[str]) -> None:
        """Take away what was put and will not be published."""
        for path in paths:
            self.remove(path)

    def replace(self, path: str, data: bytes) -> None:
        self.stage(path, pyarrow.py_buffer(data))

    def read(self, path: str) -> bytes | None:
        try:
            with self._fs.open_input_stream(self._at(path)) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None

    def open(self, path: str) -> pyarrow.NativeFile:
        return self._fs.open_input_file(self._at(path))

    def names(self, folder: str) -> list[str]:
        """Every object below the folder, sorted."""
        selector = fs.FileSelector(self._at(folder), recursive=True, allow_not_found=True)
        found = [info.path for info in self._fs.get_file_info(selector) if info.type == fs.FileType.File]
        return sorted(path[len(self._base) + 1 :] for path in found)

    def remove(self, path: str) -> None:
        """Take an object, or all below a prefix, away."""
        for name in self.names(path) or [path]:
            try:
                self._fs.delete_file(self._at(name))
            except FileNotFoundError:
                continue

    def close(self) -> None:
        """Nothing is held open."""

    def _at(self, path: str) -> str:
        return f"{self._base}/{path}"
