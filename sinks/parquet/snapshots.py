"""The sink itself: takes blocks of records as they are told and publishes snapshots on a schedule.

All work is done by one thread, in libraries that leave the interpreter to others; `write` and `tick` only hand over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from canonical.policy import Policy
from sinks.parquet.building import Builder
from sinks.parquet.records import STREAMS

_log = logging.getLogger("sellable.snapshots")
CHUNK = 16 << 20
"""Bytes of records handed to the thread at a time."""
WAITING = 256 << 20
"""Bytes handed over and not yet taken in before `write` waits: bounds memory when told faster than it can fold."""


class Snapshots:
    """Publishes below `root` (a directory or an s3:// address) what is written to it.

    `resume` False starts anew: what an earlier run published there is taken away. Raises Terminal if another process
    publishes there, and Transient when the disk is full and the policy says stop.
    """

    def __init__(
        self,
        root: str | Path,
        policy: Policy,
        *,
        resume: bool = True,
        say: Callable[[str], None] = _log.warning,
    ) -> None:
        self._builder = Builder(root, policy, resume=resume, say=say)
        self._every = policy.snapshots.every
        self._thread = ThreadPoolExecutor(1, "snapshots")
        self._pending: dict[str, list[bytes]] = {}
        self._pending_bytes = 0
        self._work: list[tuple[Future[None], int]] = []
        self._publishing: Future[None] | None = None
        self._failure: BaseException | None = None
        latest = self._builder.latest
        self._last = latest.published_at if latest else None

    @property
    def positions(self) -> dict[str, Any]:
        """Where in its inputs the latest snapshot stands, to be read on from. Empty before the first."""
        latest = self._builder.latest
        return latest.positions if latest else {}

    @property
    def full(self) -> bool:
        """Whether the last attempt found the disk full; until one succeeds it is better not to read on."""
        return self._builder.full

    @property
    def greatest(self) -> datetime | None:
        """The greatest event time in what was written and taken in (see `take_in`) since the start, or None."""
        return self._builder.greatest

    @property
    def busy(self) -> bool:
        """Whether a snapshot is under way."""
        return self._publishing is not None and not self._publishing.done()

    def write(self, stem: str, blocks: list[bytes]) -> None:
        """Take whole lines of one stream, in the order told; streams that make no table are let pass."""
        if stem not in STREAMS:
            return
        self._heed()
        self._pending.setdefault(stem, []).extend(blocks)
        self._pending_bytes += sum(map(len, blocks))
        if self._pending_bytes >= CHUNK:
            self._hand_over()

    def tick(self, watermark: datetime | None, now: datetime, positions: dict[str, Any]) -> None:
        """Tell the time; publishes when `every` has passed since the last snapshot and none is under way.

        `positions` (plain JSON) is where the inputs stand after all that was written. No watermark, no snapshot.
        """
        self._heed()
        if self._last is None or now < self._last:
            self._last = now
        if watermark is not None and now - self._last >= self._every and self._publishing is None:
            self._publish(watermark, now, positions)

    def finish(
        self, watermark: datetime | None, positions: dict[str, Any], now: datetime | None = None
    ) -> None:
        """Publish what is left and wait until it stands; then `close`. `now` is the watermark where none is told."""
        self.settle()
        if watermark is not None:
            self._publish(watermark, now or watermark, positions)
            self.settle()
        self.close()

    def take_in(self) -> None:
        """Hand over what was written and wait until it is folded in."""
        self._hand_over()
        self.settle()

    def settle(self) -> None:
        """Wait until all that was handed over is done, also a snapshot under way."""
        for work, _ in self._work:
            work.exception()
        self._heed()

    def close(self) -> None:
        """Let go of the root; what was written since the last snapshot is in the streams, to be read again."""
        self._thread.shutdown(cancel_futures=True)
        self._builder.close()

    def _publish(self, watermark: datetime, now: datetime, positions: dict[str, Any]) -> None:
        self._hand_over()
        self._last = now
        self._publishing = self._thread.submit(self._do, self._builder.publish, watermark, now, positions)
        self._work.append((self._publishing, 0))

    def _hand_over(self) -> None:
        for stem, blocks in self._pending.items():
            size = sum(map(len, blocks))
            self._work.append((self._thread.submit(self._do, self._builder.take, stem, blocks), size))
        self._pending, self._pending_bytes = {}, 0
        while sum(size for _, size in self._work) > WAITING:
            self._work[0][0].exception()
            self._heed()

    def _do(self, work: Callable[..., None], *arguments: object) -> None:
        """Runs in the thread. After a failure nothing more is done: a snapshot without what failed would be a lie."""
        if self._failure is not None:
            raise self._failure
        try:
            work(*arguments)
        except BaseException as failure:
            self._failure = failure
            raise

    def _heed(self) -> None:
        """Forget work that is done; what went wrong in it is raised here."""
        while self._work and self._work[0][0].done():
            self._work.pop(0)[0].result()
        if self._publishing is not None and self._publishing.done():
            self._publishing = None
