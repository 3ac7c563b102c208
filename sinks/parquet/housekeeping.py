"""Old snapshots and histories leave, and a day's small history files become few large ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby

import polars
import pyarrow.parquet

from canonical.policy import Snapshots as Settings
from canonical.tables import TABLES, Table, history
from sinks.parquet.encoding import decode
from sinks.parquet.encoding import encode as encode_rows
from sinks.parquet.manifest import Compaction, File, encode, folder_of, manifest_path, snapshots, watermark_of
from sinks.parquet.publish import Publisher
from sinks.parquet.store import Store

GROUP_ROWS = 4_000_000
"""Rows of history brought together at a time: bounds the memory of a compaction."""


def retire(publisher: Publisher, settings: Settings, watermark: datetime) -> None:
    """Take away snapshots beyond the newest `keep`, save the last of each day within `keep_daily`, and old history."""
    store, ids = publisher.store, snapshots(publisher.store)
    last_of_day = {watermark_of(each).date(): each for each in ids}
    for old in ids[: -settings.keep]:
        time = watermark_of(old)
        if last_of_day[time.date()] != old or time < watermark - settings.keep_daily:
            store.remove(manifest_path(old))
            for table in TABLES:
                store.remove(folder_of(table.name, old))
    if settings.keep_history is not None:
        oldest = (watermark - settings.keep_history).date()
        for table in TABLES:
            *days, _newest = _days(store, history(table))
            for day, folder, _ in days:
                if day < oldest:
                    store.remove(folder)


def compact(store: Store, today: date) -> None:
    """Bring together the history files of every day before `today` that has several."""
    if not store.compacts:
        return
    for table in map(history, TABLES):
        for day, folder, paths in _days(store, table):
            groups = list(_groups(store, paths))
            if day < today and len(groups) < len(paths):
                _compact(store, table, day, folder, groups)


def _days(store: Store, table: Table) -> Iterator[tuple[date, str, list[str]]]:
    """Every day of a history: its date, folder and files."""
    names = store.names(f"tables/{table.name}")
    for folder, paths in groupby(names, key=lambda name: name.rpartition("/")[0]):
        yield date.fromisoformat(folder.rpartition("date=")[2]), folder, list(paths)


def _groups(store: Store, paths: list[str]) -> Iterator[list[str]]:
    """Neighbouring files of together at most GROUP_ROWS rows."""
    group: list[str] = []
    rows = 0
    for path in paths:
        with store.open(path) as file:
            more = pyarrow.parquet.read_metadata(file).num_rows
        if group and rows + more > GROUP_ROWS:
            yield group
            group, rows = [], 0
        group.append(path)
        rows += more
    yield group


def _compact(store: Store, table: Table, day: date, folder: str, groups: list[list[str]]) -> None:
    files = []
    for number, group in enumerate(groups):
        rows = polars.concat([decode(store.open(path)) for path in group])
        encoded = encode_rows(
            table, rows.sort(*table.order, "change", maintain_order=True), {"date": str(day)}
        )
        # The name is that of the last file within, so that a start takes neither for a rest of a killed run.
        last = group[-1].rpartition("/")[2].removeprefix("part-").removesuffix(".parquet")
        path = f"{folder}/part-{last}-day{number}.parquet"
        store.stage(path, encoded.data)
        files.append(File(path, encoded.rows, encoded.data.size, encoded.digest))
    replaced = [path for group in groups for path in group]
    # Told first: a reader who misses a file finds here where its rows went.
    told = Compaction(table.name, str(day), replaced, files)
    store.replace(f"meta/compactions/{table.name}.{day}.json", encode(told))
    store.supersede(folder)
