"""From records to published files, one step after the other; runs in the thread of `snapshots`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars

from canonical.errors import Transient
from canonical.policy import Policy
from canonical.tables import TABLES, Table, history
from sinks.parquet.encoding import Encoded, decode, empty, encode
from sinks.parquet.fold import Fold
from sinks.parquet.housekeeping import compact, retire
from sinks.parquet.local import is_full, lacks_exchange
from sinks.parquet.manifest import Manifest
from sinks.parquet.merge import closed_before, merged, sorted_rows
from sinks.parquet.publish import Publication, Publisher
from sinks.parquet.records import MILESTONES, STREAMS, Stream, rows
from sinks.parquet.records import decode as decode_records
from sinks.parquet.store import store_of

EVENT_TIMES = ("as_of", *(f"{name}_at" for name in MILESTONES))
CHUNK_ROWS = 250_000
"""Records of news kept as a frame before they are packed into a history file's bytes."""


class Builder:
    """`take` records, `publish` snapshots. A publication that fails leaves everything as it was, to be tried again."""

    def __init__(self, root: str | Path, policy: Policy, *, resume: bool, say: Callable[[str], None]) -> None:
        self._settings, self._retention, self._say = policy.snapshots, policy.time.retention, say
        self._publisher = Publisher(store_of(root), resume=resume)
        changes = self.latest.changes if self.latest else {}
        self._folds = {
            stem: Fold(stream, self._base, changes.get(stem, 0)) for stem, stream in STREAMS.items()
        }
        self._news: dict[str, list[polars.DataFrame]] = {stem: [] for stem in STREAMS}
        self._packed: list[tuple[str, Encoded]] = []
        self._compacted: date | None = None
        self.full = False
        self.greatest: datetime | None = None

    @property
    def latest(self) -> Manifest | None:
        return self._publisher.latest

    def close(self) -> None:
        self._publisher.store.close()

    def take(self, stem: str, blocks: list[bytes]) -> None:
        """Fold records in: what is news is kept for the history, the latest of every key for the next snapshot."""
        news = self._folds[stem].accept(decode_records(STREAMS[stem], blocks))
        if news.height:
            self._news[stem].append(news)
            self.greatest = _greatest(self.greatest, news)
            if sum(frame.height for frame in self._news[stem]) >= CHUNK_ROWS:
                self._pack(stem)

    def _pack(self, stem: str) -> None:
        """News → the bytes of a history file per table: a tenth of the room."""
        stream = STREAMS[stem]
        news = polars.concat(self._news[stem])
        self._news[stem] = []
        for table in stream.tables:
            twin = history(table)
            packed = encode(twin, rows(stream, table, news).sort(*twin.order, "change"), {})
            self._packed.append((table.name, packed))

    def publish(self, watermark: datetime, now: datetime, positions: dict[str, Any]) -> None:
        """Make the next snapshot stand; on a full disk the old one stays, and the policy says what then.

        A watermark never goes back, whatever is told after a restart; where nothing is new there is nothing to do.
        """
        if self.latest is not None:
            watermark = max(watermark, self.latest.watermark)
            if watermark == self.latest.watermark and not self._has_news():
                return
        try:
            self._publish(watermark, now, positions)
            self.full = False
        except OSError as error:
            if not is_full(error):
                raise
            self.full = True
            self._publisher.store.abandon([])
            stands = self.latest.snapshot if self.latest else "none"
            words = f"{self._publisher.store.root}: the disk is full; the snapshot that stands is {stands}"
            if self._settings.on_full_disk == "stop":
                raise Transient(f"{words}; free some space and start again") from error
            self._say(f"{words}; trying again in {self._settings.every}")

    def _has_news(self) -> bool:
        return bool(self._packed) or any(self._news.values())

    def _publish(self, watermark: datetime, now: datetime, positions: dict[str, Any]) -> None:
        for stem, news in self._news.items():
            if news:
                self._pack(stem)
        if self.latest is None:
            self._begin_histories()
        publication = self._publisher.begin(watermark, now)
        try:
            for name, packed in self._packed:
                publication.add_history(name, packed)
            for stream in STREAMS.values():
                self._add(publication, stream, watermark)
            changes = {stem: fold.changes for stem, fold in self._folds.items()}
            self._publisher.commit(publication, positions, changes)
        except BaseException:
            publication.abandon()
            raise
        self._packed.clear()
        for fold in self._folds.values():
            fold.settle()
        self._publisher.point()
        self._tidy(watermark)

    def _begin_histories(self) -> None:
        """A history of no changes is a file without rows, so that a query finds it on a day without trouble."""
        for table in TABLES:
            if all(name != table.name for name, _ in self._packed):
                twin = history(table)
                self._packed.append((table.name, encode(twin, empty(twin), {})))

    def _add(self, publication: Publication, stream: Stream, watermark: datetime) -> None:
        """Stage the tables of one stream."""
        latest = self._folds[stream.stem].latest()
        gone: polars.DataFrame | None = None
        for table in stream.tables:
            frame = self._base(table, None)
            if latest is not None:
                frame = merged(table, frame, latest, sorted_rows(stream, table, latest))
            if gone is None:
                gone = closed_before(table, frame, watermark - self._retention)
            if gone.height:
                frame = frame.join(gone, on=list(table.key), how="anti", maintain_order="left")
            publication.add(table.name, encode(table, frame, publication.about))

    def _base(self, table: Table, columns: list[str] | None) -> polars.DataFrame:
        """A table of the latest snapshot."""
        if self.latest is None or table.name not in self.latest.tables:
            return empty(table, columns)
        return decode(self._publisher.store.open(self.latest.tables[table.name].path), columns)

    def _tidy(self, watermark: datetime) -> None:
        """Retention after every snapshot, compaction when a day is over."""
        retire(self._publisher, self._settings, watermark)
        if self._settings.compact_history and self._compacted != watermark.date():
            try:
                compact(self._publisher.store, watermark.date())
            except OSError as error:
                if not lacks_exchange(error):
                    raise
                self._publisher.store.abandon([])
                words = "this file system cannot exchange folders, so histories stay in small files"
                self._say(f"{self._publisher.store.root}: {words}")
            self._compacted = watermark.date()


def _greatest(known: datetime | None, news: polars.DataFrame) -> datetime | None:
    """The greatest event time in records of availability and lifecycle; the others are told at times of their own."""
    names = [name for name in EVENT_TIMES if name in news.columns]
    if names:
        found: datetime | None = news.select(polars.max_horizontal(polars.col(names).max())).item()
        if found is not None and (known is None or found > known):
            return found
    return known
