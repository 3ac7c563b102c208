"""The snapshots job, as one sentence.

    output files are followed from where the latest snapshot stands  →  their records become tables
        →  published every so often, and at the end.

It runs by itself (`sellable run --job snapshots`) or beside a run, in a thread whose work leaves the interpreter to
the run. It reads what is on disk only, so a crash of either loses nothing: positions are in the manifests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from canonical.policy import Policy
from canonical.tables import STEMS
from dataflows.following import GrowingFile, Standing
from sinks.parquet.snapshots import Snapshots

PAUSE_SECONDS = 0.2


class Following(Struct, frozen=True):
    """What a snapshots job was asked for: the output directory it reads, and where snapshots go by default.

    `watermark` tells the watermark of the run that writes the files, None if it is not known: then it is the
    greatest event time told, less the allowed lateness until the end. `as_of` is where time stands at the end.
    `anew`: the run has no state and has removed its earlier outputs, so earlier snapshots go too.
    """

    output: Path
    policy: Policy
    watermark: Callable[[], datetime | None] = lambda: None
    as_of: datetime | None = None
    anew: bool = False

    @property
    def root(self) -> str:
        return self.policy.snapshots.root or str(self.output)


def follow(
    plan: Following,
    ended: Callable[[], bool] = lambda: True,
    complete: Callable[[], bool] = lambda: True,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Follow the files until `ended` and all is read; publish on the way and at the end.

    `complete` says at the end whether the run had read all its input, so that time stands at `as_of`.
    """
    reader = _Reader(plan)
    try:
        while True:
            over = ended()  # asked first: what was told before the end is read after it
            watermark = plan.watermark()
            read = reader.read()
            if over and not read:
                break
            if reader.at_end:  # only then the records reach up to the watermark
                reader.snapshots.tick(watermark or reader.believed(), clock(), reader.positions())
            if not read:
                time.sleep(PAUSE_SECONDS)
        reader.finish(clock(), complete=complete())
    finally:
        reader.snapshots.close()


@contextmanager
def beside(plan: Following) -> Iterator[None]:
    """While inside, follow in a thread; at the end publish the last snapshot and raise what went wrong there."""
    over, failed = threading.Event(), threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            follow(plan, over.is_set, lambda: not failed.is_set())
        except BaseException as fault:  # noqa: BLE001  because it is raised again by the thread that waits
            faults.append(fault)

    thread = threading.Thread(target=work, name="follow", daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        failed.set()
        raise
    finally:
        over.set()
        thread.join()
    if faults:
        raise faults[0]


class _Reader:
    """The files of one output directory, and the sink they go to."""

    def __init__(self, plan: Following) -> None:
        self._plan = plan
        self._open(resume=not plan.anew)

    def _open(self, *, resume: bool) -> None:
        self.snapshots = Snapshots(self._plan.root, self._plan.policy, resume=resume)
        saved = self.snapshots.positions
        self._files = {
            stem: GrowingFile(self._plan.output / f"{stem}.ndjson", saved.get(f"{stem}.ndjson"))
            for stem in STEMS
        }

    def read(self) -> bool:
        """Hand on the next lines of every file; False at the end of all. A full disk is not read into."""
        if self.snapshots.full:
            return False
        standings = [file.standing() for file in self._files.values()]
        if Standing.REPLACED in standings:
            self.snapshots.close()
            self._open(resume=False)
        for file, standing in zip(self._files.values(), standings, strict=True):
            if standing is Standing.CUT_BACK:
                file.rewind()
        read = False
        for stem, file in self._files.items():
            lines = file.read()
            if lines:
                self.snapshots.write(stem, [lines])
                read = True
        return read

    @property
    def at_end(self) -> bool:
        """Whether the last `read` came to the end of every file."""
        return all(file.at_end for file in self._files.values())

    def positions(self) -> dict[str, Any]:
        return {f"{stem}.ndjson": file.position() for stem, file in self._files.items() if file.offset}

    def believed(self) -> datetime | None:
        """A watermark from the records themselves."""
        greatest = self.snapshots.greatest
        return None if greatest is None else greatest - self._plan.policy.time.allowed_lateness

    def finish(self, now: datetime, *, complete: bool) -> None:
        """Publish the last snapshot; at the end of a whole input all there was to read has been read."""
        self.snapshots.take_in()
        told = self._plan.watermark()
        watermark = (
            self._plan.as_of or told or self.snapshots.greatest if complete else told or self.believed()
        )
        self.snapshots.finish(watermark, self.positions(), now)
