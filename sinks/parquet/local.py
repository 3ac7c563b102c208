"""A directory of this machine: files are staged beside `tables/`, made durable, then renamed in."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow

from canonical.errors import Terminal

STAGING = "staging"
AT_FDCWD, EXCHANGE = -100, 2
_libc = ctypes.CDLL(None, use_errno=True)


class LocalStore:
    """What is half done lies in `staging/`, where no reader looks; `fence` empties it after a crash."""

    compacts = True

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self._root = root
        self._lock: int | None = None

    def fence(self) -> None:
        """Be the only one who publishes here, until `close`. Raises Terminal if another does."""
        self._folder(self._root / "meta")
        self._lock = os.open(self._root / "meta" / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Terminal(f"{self.root}: another process publishes snapshots here; stop it first") from error
        shutil.rmtree(self._root / STAGING, ignore_errors=True)

    def stage(self, path: str, data: pyarrow.Buffer) -> None:
        """Write the file durably where no reader sees it; a rest of a failed attempt is overwritten."""
        staged = self._root / STAGING / path
        staged.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
            os.fsync(file)
        finally:
            os.close(file)
        _sync(staged.parent)

    def land(self, paths: Sequence[str]) -> None:
        """Rename staged files or whole folders in: each is there as a whole or not at all."""
        for path in paths:
            final = self._root / path
            self._folder(final.parent)
            (self._root / STAGING / path).rename(final)
        for folder in {(self._root / path).parent for path in paths}:
            _sync(folder)

    def supersede(self, folder: str) -> None:
        """Put the staged folder in the place of the one that is there, in one step.

        A reader that had listed the old files and opens them now finds none: it fails aloud, and a second try
        succeeds; nobody reads a row twice or misses one. Raises OSError where the file system has no such step.
        """
        staged, final = (os.fsencode(self._root / part / folder) for part in (STAGING, ""))
        if _libc.renameat2(AT_FDCWD, staged, AT_FDCWD, final, EXCHANGE) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), folder)
        _sync((self._root / folder).parent)
        shutil.rmtree(self._root / STAGING / folder)

    def abandon(self, paths: Sequence[str]) -> None:
        """Forget what was staged or landed and will not be published."""
        shutil.rmtree(self._root / STAGING, ignore_errors=True)
        for path in paths:
            self.remove(path)

    def replace(self, path: str, data: bytes) -> None:
        """Put a small file in place, whole, over what was there."""
        self.stage(path, pyarrow.py_buffer(data))
        self.land([path])

    def read(self, path: str) -> bytes | None:
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            return None

    def open(self, path: str) -> pyarrow.NativeFile:
        return pyarrow.memory_map(str(self._root / path))

    def names(self, folder: str) -> list[str]:
        """Every file below the folder, sorted."""
        found = (self._root / folder).rglob("*")
        return sorted(path.relative_to(self._root).as_posix() for path in found if path.is_file())

    def remove(self, path: str) -> None:
        """Take a file or a folder away, at once, and the folders it leaves empty below `tables/<table>`."""
        final = self._root / path
        grave = self._root / STAGING / "removed"
        shutil.rmtree(grave, ignore_errors=True)
        grave.parent.mkdir(parents=True, exist_ok=True)
        try:
            final.rename(grave)
        except FileNotFoundError:
            return
        if grave.is_dir():
            shutil.rmtree(grave)
        else:
            grave.unlink()
        with contextlib.suppress(OSError):  # it holds others, or is gone already
            if final.parent.name.startswith(("snapshot_date=", "date=")):
                final.parent.rmdir()

    def close(self) -> None:
        if self._lock is not None:
            shutil.rmtree(self._root / STAGING, ignore_errors=True)
            os.close(self._lock)
            self._lock = None

    def _folder(self, folder: Path) -> None:
        """Make a folder and those above it, durably."""
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        for each in missing:
            _sync(each.parent)


def is_full(error: OSError) -> bool:
    """Whether the disk or the quota is used up."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def lacks_exchange(error: OSError) -> bool:
    """Whether the file system cannot put one folder in the place of another in one step."""
    return error.errno in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
