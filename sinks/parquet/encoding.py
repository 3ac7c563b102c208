"""A frame of rows ↔ one Parquet file: zstd, row groups that a look-up can skip, the data dictionary inside."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

import polars
import pyarrow
import pyarrow.parquet

from canonical.errors import Terminal
from canonical.tables import TABLE, TEXT, TIME, WHOLE, Table, history, schema

ROW_GROUP = 128 * 1024
"""Rows: one group is the least a point look-up reads."""
ZSTD = 3


class Encoded(NamedTuple):
    """A Parquet file in memory, and its rows."""

    data: pyarrow.Buffer
    rows: int

    @property
    def digest(self) -> str:
        return sha256(self.data).hexdigest()


def table_named(name: str) -> Table:
    """`availability` or `availability_history`."""
    plain = name.removesuffix("_history")
    return TABLE[plain] if plain == name else history(TABLE[plain])


def encode(table: Table, rows: polars.DataFrame, about: dict[str, str]) -> Encoded:
    """Rows, sorted already, → a file's bytes; `about` (snapshot, watermark) joins the schema's metadata."""
    shape = schema(table)
    arrow = rows.select(shape.names).to_arrow(compat_level=polars.CompatLevel.oldest())
    for field in shape:
        if not field.nullable and arrow.column(field.name).null_count:
            raise Terminal(
                f"{table.name}.{field.name}: a record without it; job and snapshots must be of one release"
            )
    arrow = arrow.cast(shape).replace_schema_metadata({**(shape.metadata or {}), **about})
    out = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(
        arrow,
        out,
        compression="zstd",
        compression_level=ZSTD,
        row_group_size=ROW_GROUP,
        write_page_index=True,
        use_dictionary=[c.name for c in table.columns if not _delta(table, c.name, c.type)] or False,
        column_encoding={c.name: kind for c in table.columns if (kind := _delta(table, c.name, c.type))},
    )
    return Encoded(out.getvalue(), rows.height)


def _delta(table: Table, name: str, kind: pyarrow.DataType) -> str | None:
    """Numbers and times near each other, and the sorted key, take a quarter less room as differences."""
    if kind in {WHOLE, TIME}:
        return "DELTA_BINARY_PACKED"
    return "DELTA_BYTE_ARRAY" if kind == TEXT and name == table.order[0] else None


def decode(file: pyarrow.NativeFile, columns: list[str] | None = None) -> polars.DataFrame:
    """The rows of a Parquet file of ours, or some of their columns."""
    with file:
        return polars.DataFrame(pyarrow.parquet.read_table(file, columns=columns))


def empty(table: Table, columns: list[str] | None = None) -> polars.DataFrame:
    """No rows of a table, with the types of its columns."""
    frame = polars.DataFrame(schema(table).empty_table())
    return frame if columns is None else frame.select(columns)
