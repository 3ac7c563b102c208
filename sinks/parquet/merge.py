"""The next snapshot of a table: the last one with the changed keys replaced and what is long closed left out."""

from __future__ import annotations

from datetime import datetime

import polars

from canonical.tables import Table
from sinks.parquet.records import MILESTONES, Stream, rows

CLOSED = ("delivered", "cancelled", "rejected", "returned", "refunded")


def sorted_rows(stream: Stream, table: Table, records: polars.DataFrame) -> polars.DataFrame:
    """Rows of records that are sorted by key; sorted by the table's whole order."""
    exploded = rows(stream, table, records)
    if not table.row:
        return exploded
    exploded = exploded.filter(polars.col(table.row).is_not_null())
    part, whole = polars.col(table.row), polars.struct(table.key)
    backwards = (part < part.shift(1)) & (whole == whole.shift(1))
    if exploded.select(backwards.any()).item():
        return exploded.sort(table.order, maintain_order=True)
    return exploded


def merged(
    table: Table, base: polars.DataFrame, changed: polars.DataFrame, new: polars.DataFrame
) -> polars.DataFrame:
    """`base` without the keys of `changed`, together with the rows in `new`; all sorted."""
    key = list(table.key)
    rest = (
        base.join(changed.select(key), on=key, how="anti", maintain_order="left") if changed.height else base
    )
    if not new.height or not rest.height:
        return new if new.height else rest
    if len(key) == 1:
        return rest.merge_sorted(new, key=key[0])
    return polars.concat([rest, new]).sort(table.order, maintain_order=True)


def closed_before(table: Table, frame: polars.DataFrame, time: datetime) -> polars.DataFrame:
    """Keys of the rows whose story ended before `time`: cleared exceptions and orders with nothing left to come."""
    if table.name == "exceptions":
        over = polars.col("cleared_at") < time
    elif table.name == "lifecycle":
        last = polars.max_horizontal([f"{name}_at" for name in MILESTONES])
        quiet = polars.col("exceptions").list.len() == 0
        over = polars.col("state").is_in(CLOSED) & quiet & (last < time)
    else:
        return frame.select(table.key).clear()
    return frame.filter(over.fill_null(value=False)).select(table.key)
