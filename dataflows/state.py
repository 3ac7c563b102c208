"""The state directory: one run at a time, and nothing missing, swapped, stale or damaged goes unnoticed.

    DIR/lock                    held by the run that is using it
    DIR/mark.json               how far the state had come when somebody last knew, outside the parts themselves
    DIR/parts/manifest.json     what job the parts are of, and a stamp for each
    DIR/parts/part-N.sqlite3*   the engine's own files; a lost -wal it would take for a fresh start

The engine numbers epochs: each one made durable raises the number every part has committed by exactly one. So what
a part says of itself can be held against `mark.json`. Nothing here touches a part while the engine has it open:
two copies of SQLite in one process would release each other's locks.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
from msgspec import Struct

from canonical.errors import Terminal

FORMAT = 1
WAY_OUT = "restore the directory from a copy, or start with an empty one: the inputs are then read again"


Kept = TypeVar("Kept", bound=Struct)


class Manifest(Struct, frozen=True):
    """`shape`: what of the job the state depends on. `stamps`: one for each part, also inside it."""

    format: int
    state: str
    shape: dict[str, Any]
    stamps: list[str]


class Mark(Struct):
    """Every part has committed epoch `base` + `durable` at least; unless `closed`, each still has its -wal."""

    state: str
    base: int
    durable: int = 0
    closed: bool = True


class State:
    """A state directory, locked and found whole; made if there is none. `make(parts, n)` makes n engine parts.

    Raises Terminal with words when another run uses it, when it is of another job, or when it is not whole.
    `lock` may be handed on to child processes, which then hold the lock too.
    """

    PARTS = "parts"

    def __init__(
        self, directory: Path, shape: Mapping[str, Any], parts: int, make: Callable[[Path, int], object]
    ) -> None:
        self.directory, self.parts = directory, directory / self.PARTS
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        directory.chmod(0o700)  # whoever can write here can run code as us: the engine keeps pickles
        self.lock = _locked(directory)
        try:
            self.is_new = not self.parts.exists()
            if self.is_new:
                self._make(dict(shape), parts, make)
            self.manifest = self._read_manifest(dict(shape))
            self.marker = Marker(directory, self._examined())
        except BaseException:
            os.close(self.lock)
            raise

    def close(self) -> None:
        """The engine has let go of its parts; another run may have them."""
        if not all(_wal(path).exists() for path in self._files()):
            Marker.of(
                self.directory
            ).close()  # as it is on disk: another process of the cluster may have noted
        os.close(self.lock)

    def _files(self) -> list[Path]:
        return [self.parts / f"part-{number}.sqlite3" for number in range(len(self.manifest.stamps))]

    def _make(self, shape: dict[str, Any], parts: int, make: Callable[[Path, int], object]) -> None:
        """Make the parts aside and put them in place at once, so that a crash leaves all or nothing."""
        if (self.directory / Marker.NAME).exists():
            raise Terminal(f"{self.parts} is missing, with all that was kept: {WAY_OUT}")
        aside = self.directory / "parts.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        make(aside, parts)
        manifest = Manifest(FORMAT, uuid4().hex, shape, [uuid4().hex for _ in range(parts)])
        for number, stamp in enumerate(manifest.stamps):
            with closing(sqlite3.connect(aside / f"part-{number}.sqlite3")) as part, part:
                part.execute("CREATE TABLE sellable (stamp TEXT NOT NULL) STRICT")
                part.execute("INSERT INTO sellable VALUES (?)", (stamp,))
        _write(aside / "manifest.json", manifest)
        aside.rename(self.parts)

    def _read_manifest(self, shape: dict[str, Any]) -> Manifest:
        path = self.parts / "manifest.json"
        manifest = _read(path, Manifest)
        if manifest is None:
            raise Terminal(f"{path} is missing: {WAY_OUT}")
        if manifest.format != FORMAT:
            raise Terminal(f"{path}: format {manifest.format}; this release reads {FORMAT}: {WAY_OUT}")
        kept = manifest.shape
        other = sorted(key for key in {*kept, *shape} if kept.get(key) != shape.get(key))
        if other:
            changes = "; ".join(f"{key} was {kept.get(key)!r}, is {shape.get(key)!r}" for key in other)
            raise Terminal(
                f"{self.directory} keeps the state of another job or release ({changes}): {WAY_OUT}"
            )
        return manifest

    def _examined(self) -> Mark:
        """Look at every part; returns where the state stands now, each -wal written back into its part."""
        mark = _read(self.directory / Marker.NAME, Mark) or Mark(self.manifest.state, 0)
        if mark.state != self.manifest.state:
            raise Terminal(f"{self.directory}: mark.json and parts are of different states: {WAY_OUT}")
        files = self._files()
        strangers = sorted({*self.parts.glob("part-*.sqlite3")} - {*files})
        if strangers:
            raise Terminal(f"{strangers[0]} does not belong to this state: {WAY_OUT}")
        for path in files:
            if not path.exists():
                raise Terminal(f"{path} is missing: {WAY_OUT}")
            if not mark.closed and mark.durable and not (_wal(path).exists() and _wal(path).stat().st_size):
                raise Terminal(f"{_wal(path)} is missing, and with it what was written last: {WAY_OUT}")
        reached = [self._look(path, stamp) for path, stamp in zip(files, self.manifest.stamps, strict=True)]
        for path, epoch in zip(files, reached, strict=True):
            if epoch < mark.base + mark.durable:
                words = f"is from epoch {epoch}, though epoch {mark.base + mark.durable} was kept"
                raise Terminal(
                    f"{path} {words}: it is older than the rest, or its -wal is damaged: {WAY_OUT}"
                )
        mark.closed = True  # before any -wal goes, so that a crash here is not taken for a loss
        _write(self.directory / Marker.NAME, mark)
        for path in files:
            with closing(sqlite3.connect(path)) as part:
                part.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return Mark(self.manifest.state, min(reached))

    def _look(self, path: Path, stamp: str) -> int:
        """The last epoch a part has committed, 0 if none; refuses a damaged part and one from elsewhere."""
        try:
            # Read only, because closing the last connection that may write takes the -wal away.
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as part:
                sound = part.execute("PRAGMA integrity_check(1)").fetchone()[0]
                found = part.execute("SELECT stamp FROM sellable").fetchall()
                epoch = part.execute("SELECT coalesce(max(commit_epoch), 0) FROM commits").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise Terminal(f"{path} is damaged ({error}): {WAY_OUT}") from error
        if sound != "ok":
            raise Terminal(f"{path} is damaged ({sound}): {WAY_OUT}")
        if found != [(stamp,)]:
            raise Terminal(
                f"{path} is not the part that belongs there, parts were swapped or mixed: {WAY_OUT}"
            )
        return int(epoch)


class Marker:
    """Writes down how far the state has come. `note` is called each time an epoch has proved durable."""

    NAME = "mark.json"

    def __init__(self, directory: Path, mark: Mark) -> None:
        self._path = directory / self.NAME
        self._mark = mark
        self.keep()

    @classmethod
    def of(cls, directory: Path) -> Marker:
        """For the one process of a cluster that notes, while another holds the `State`."""
        mark = _read(directory / cls.NAME, Mark)
        if mark is None:
            raise Terminal(f"{directory / cls.NAME} is missing: {WAY_OUT}")
        return cls(directory, mark)

    def note(self) -> None:
        """One more epoch is durable."""
        self._mark.durable += 1
        self._mark.closed = False
        self.keep()

    def close(self) -> None:
        """The engine wrote everything into its parts and took its -wal files away."""
        self._mark.closed = True
        self.keep()

    def keep(self) -> None:
        _write(self._path, self._mark)


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _locked(directory: Path) -> int:
    """The lock on a state directory; it goes with the process that holds it."""
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 100, 0).decode(errors="replace") or "another"
        os.close(lock)
        words = (
            "two runs on one state would destroy it; stop that one, or give this one a directory of its own"
        )
        raise Terminal(f"{directory} is in use by {holder}: {words}") from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"process {os.getpid()} on {os.uname().nodename}".encode(), 0)
    return lock


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    """What a file of ours holds; None where there is none. Raises Terminal when it holds something else."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Terminal(f"{path} is damaged ({error}): {WAY_OUT}") from error


def _write(path: Path, content: Struct) -> None:
    """Replace a file by an atomic rename, on the disk before this returns."""
    staged = path.with_suffix(".tmp")
    with staged.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(content)))
        file.flush()
        os.fsync(file.fileno())
    staged.replace(path)
