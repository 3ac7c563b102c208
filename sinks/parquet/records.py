"""Lines of an output stream → a frame of records, strictly typed, without holding the interpreter's lock."""

from __future__ import annotations

from typing import NamedTuple

import polars
import pyarrow
import pyarrow.json

from canonical import tables
from canonical.errors import Terminal
from canonical.lifecycle import BESIDE, CHAIN
from canonical.tables import Table

MILESTONES = (*CHAIN, *BESIDE)
STATUS_RANK = {"opened": 0, "escalated": 1, "cleared": 2}
ONE_RELEASE = "snapshots and the job that tells the records must be of one release"
BLOCK = 4 << 20
"""Bytes one thread reads at a time; a record longer than this makes one block of all."""


class Stream(NamedTuple):
    """One output stream. `lists`: table → the list field whose elements are its rows ("" = the record is the row).

    `rank` orders the records of one key in time: whole numbers, never falling; what ranks lower is told again.
    """

    stem: str
    key: tuple[str, ...]
    schema: pyarrow.Schema
    lists: dict[str, str]
    rank: polars.Expr

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(tables.TABLE[name] for name in self.lists)

    @property
    def required(self) -> set[str]:
        """Fields every record has."""
        optional = {column.name for table in self.tables for column in table.columns if column.optional}
        return set(self.schema.names) - optional


def _element(table: Table, *beside: str) -> pyarrow.DataType:
    """The list of a table's own columns, that is without those of the record around it."""
    outside = {*table.key, *beside}
    return pyarrow.list_(pyarrow.struct([(c.name, c.type) for c in table.columns if c.name not in outside]))


def _record(table: Table) -> list[tuple[str, pyarrow.DataType]]:
    return [(c.name, c.type) for c in table.columns]


VERSION = polars.col("version")
AVAILABILITY = Stream(
    "availability",
    ("sku",),
    pyarrow.schema(
        [
            ("sku", tables.TEXT),
            ("version", tables.WHOLE),
            ("as_of", tables.TIME),
            ("pools", _element(tables.AVAILABILITY, "version", "as_of", "shortage", "correlationid")),
            ("shortage", tables.WHOLE),
            ("locations", _element(tables.LOCATIONS, "version", "as_of")),
            ("correlationid", tables.TEXT),
        ]
    ),
    {"availability": "pools", "locations": "locations"},
    VERSION,
)
LIFECYCLE = Stream(
    "lifecycle",
    ("order_id",),
    pyarrow.schema(
        [
            ("order_id", tables.TEXT),
            ("version", tables.WHOLE),
            ("channel", tables.TEXT),
            ("state", tables.TEXT),
            ("milestones", pyarrow.struct([(name, tables.TIME) for name in MILESTONES])),
            ("lines", _element(tables.ORDER_LINES, "channel", "state", "version")),
            ("exceptions", tables.TEXTS),
        ]
    ),
    {"lifecycle": "", "order_lines": "lines"},
    VERSION,
)
EXCEPTIONS = Stream(
    "exceptions",
    ("exception_id",),
    pyarrow.schema(_record(tables.EXCEPTIONS)),
    {"exceptions": ""},
    # An exception is told once per change, without a version: its detection ranks it, a clearing after an opening.
    polars.col("detected_at").to_physical() * 4
    + polars.col("status").replace_strict(STATUS_RANK, return_dtype=polars.Int64),
)
CHANNEL_UPDATES = Stream(
    "channel-updates",
    ("channel", "sku"),
    pyarrow.schema(_record(tables.CHANNEL_UPDATES)),
    {"channel_updates": ""},
    VERSION,
)
STREAMS = {stream.stem: stream for stream in (AVAILABILITY, LIFECYCLE, EXCEPTIONS, CHANNEL_UPDATES)}


def decode(stream: Stream, blocks: list[bytes]) -> polars.DataFrame:
    """Whole lines → records in the order told. Raises Terminal where a line is not what this release writes."""
    data = b"".join(blocks)
    if not data.strip():
        read = stream.schema.empty_table()
    else:
        try:
            read = _read(stream, data, BLOCK)
        except pyarrow.ArrowInvalid:  # perhaps only a record longer than a block
            read = _read(stream, data, len(data) + 1)
    for name in stream.required:
        if read.column(name).null_count:
            raise Terminal(f"{stream.stem}: a record has no {name!r}: {ONE_RELEASE}")
    records = polars.DataFrame(read)
    if "milestones" in records.columns:
        times = [polars.col("milestones").struct.field(name).alias(f"{name}_at") for name in MILESTONES]
        records = records.with_columns(times).drop("milestones")
    return records


def _read(stream: Stream, data: bytes, block: int) -> pyarrow.Table:
    strictly = pyarrow.json.ParseOptions(explicit_schema=stream.schema, unexpected_field_behavior="error")
    options = pyarrow.json.ReadOptions(block_size=block)
    try:
        return pyarrow.json.read_json(
            pyarrow.BufferReader(data), read_options=options, parse_options=strictly
        )
    except pyarrow.ArrowInvalid as error:
        if block < len(data):
            raise
        raise Terminal(
            f"{stream.stem}: a record is not of schema {tables.SCHEMA_VERSION} ({error}): {ONE_RELEASE}"
        ) from error


def rows(stream: Stream, table: Table, records: polars.DataFrame) -> polars.DataFrame:
    """The rows of one table, in the order of the records; a record with an empty list is one row of nulls.

    Columns are the table's, and `change` where the records have it.
    """
    field = stream.lists[table.name]
    names = [c.name for c in table.columns]
    if "change" in records.columns:
        names.append("change")
    if not field:
        return records.select(names)
    around = [name for name in names if name in records.columns]
    return records.select(*around, field).explode(field, empty_as_null=True).unnest(field).select(names)
