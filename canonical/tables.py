"""The Parquet tables analysts read: every column with its type, unit and meaning, once (DESIGN section 8).

The one file of canonical that knows Arrow. Columns are only ever added, at the end; SCHEMA_VERSION rises when one is.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import pyarrow

from canonical.lifecycle import BESIDE, CHAIN

SCHEMA_VERSION = 1

TEXT = pyarrow.string()
TEXTS = pyarrow.list_(pyarrow.string())
WHOLE = pyarrow.int64()
TIME = pyarrow.timestamp("us", tz="UTC")
MONEY = pyarrow.decimal128(38, 6)


class Column(NamedTuple):
    """`unit` is "" for names and texts; `optional` columns may be null, `meaning` then says what null says."""

    name: str
    type: pyarrow.DataType
    unit: str
    meaning: str
    optional: bool = False


class Table(NamedTuple):
    """`key` names one thing and is what rows are sorted by first; `row` says which part of it is a row ("" = all)."""

    name: str
    stem: str
    key: tuple[str, ...]
    row: str
    summary: str
    columns: tuple[Column, ...]

    @property
    def order(self) -> tuple[str, ...]:
        return (*self.key, self.row) if self.row else self.key


def _units(name: str, meaning: str) -> Column:
    return Column(name, WHOLE, "units", meaning)


VERSION = Column("version", WHOLE, "changes", "changes applied to this key so far; a higher one is newer")
SKU = Column("sku", TEXT, "", "the retailer's own stock-keeping unit")
ORDER = Column("order_id", TEXT, "", "the order, by its channel's number")
AS_OF = Column("as_of", TIME, "UTC", "time of the latest fact the record rests on")
CAUSE = Column("correlationid", TEXT, "", "the order or SKU whose event caused the latest change")
CHANGE = Column(
    "change",
    WHOLE,
    "",
    "running number of the change; the rows of one change share it, a later change has a higher one",
)

AVAILABILITY = Table(
    "availability",
    "availability",
    ("sku",),
    "pool",
    "what can still be sold: a row per SKU and pool",
    (
        SKU,
        Column("pool", TEXT, "", "set of locations that may serve a channel"),
        _units("ats", "available to sell: more units the pool may promise, never negative"),
        _units("unallocated", "promised units of the pool's channels that have no location yet"),
        _units("shortage", "promised units of the SKU that no stock can keep (the same in each of its rows)"),
        VERSION,
        AS_OF,
        CAUSE,
    ),
)
LOCATIONS = Table(
    "locations",
    "availability",
    ("sku",),
    "location",
    "the terms behind the number: a row per SKU and location",
    (
        SKU,
        Column("location", TEXT, "", "place that holds stock"),
        _units("on_hand", "units in the location's book, any condition; below zero the book is wrong"),
        _units("unavailable", "the part of on_hand that is damaged, in quality control or on hold"),
        _units("committed", "promised from here and not yet physically gone"),
        _units("pending_issue", "shipped from here, goods issue not in the book yet"),
        _units("safety_stock", "withheld from sale"),
        _units("free", "on_hand - unavailable - committed - pending_issue; negative: promised and not there"),
        VERSION,
        AS_OF,
    ),
)
LIFECYCLE = Table(
    "lifecycle",
    "lifecycle",
    ("order_id",),
    "",
    "where each order stands: a row per order, until it is closed for longer than the retention",
    (
        ORDER,
        Column(
            "channel",
            TEXT,
            "",
            "sales channel; null while only other systems have named the order",
            optional=True,
        ),
        Column("state", TEXT, "", "the furthest the order has come, or cancelled, rejected, unknown"),
        VERSION,
        *(
            Column(
                f"{name}_at",
                TIME,
                "UTC",
                f"when the order was {name}; null: not yet, or never",
                optional=True,
            )
            for name in (*CHAIN, *BESIDE)
        ),
        Column("exceptions", TEXTS, "", "ids of the exceptions open on the order"),
    ),
)
ORDER_LINES = Table(
    "order_lines",
    "lifecycle",
    ("order_id",),
    "line_id",
    "the lines of the orders in lifecycle: a row per order line",
    (
        ORDER,
        Column("line_id", TEXT, "", "the line within the order"),
        SKU,
        _units("ordered", "as the order states it; 0 where a shipment names a line the order does not have"),
        _units("cancelled", "cancelled so far, at most ordered"),
        _units("shipped", "shipped by the warehouse's word"),
        _units("issued", "booked out of stock"),
        _units("open", "promised and not yet physically gone"),
        Column("channel", TEXT, "", "the order's channel; null: not known yet", optional=True),
        Column("state", TEXT, "", "the order's state"),
        VERSION,
    ),
)
EXCEPTIONS = Table(
    "exceptions",
    "exceptions",
    ("exception_id",),
    "",
    "what needs a person: a row per exception, cleared ones until the retention has passed",
    (
        Column("exception_id", TEXT, "", "stable: code, subject and ordinal of the episode"),
        Column("code", TEXT, "", "what is wrong; `sellable report` explains the codes"),
        Column("status", TEXT, "", "opened, escalated or cleared"),
        Column(
            "severity",
            TEXT,
            "",
            "critical, high, medium or low: by money and units at risk and the time left",
        ),
        Column("owner", TEXT, "", "whose job it is"),
        Column("opened_at", TIME, "UTC", "when the condition became true; of a deadline, the deadline"),
        Column("detected_at", TIME, "UTC", "watermark at which this change was noticed"),
        Column("cleared_at", TIME, "UTC", "when its cause was gone; null: still open", optional=True),
        _units("units", "units at risk"),
        Column("value", MONEY, "currency", "money at risk, in `currency`"),
        Column("currency", TEXT, "ISO 4217", "currency of `value`; null: no price is known", optional=True),
        Column("order_id", TEXT, "", "the order it is about, if one", optional=True),
        Column("sku", TEXT, "", "the SKU it is about, if one", optional=True),
        Column("location", TEXT, "", "the location it is about, if one", optional=True),
        Column("channel", TEXT, "", "the channel it is about, if one", optional=True),
        Column("shipment_id", TEXT, "", "the shipment it is about, if one", optional=True),
        Column("evidence", TEXTS, "", "ids of the events it rests on"),
        CAUSE,
        Column("message", TEXT, "", "one sentence a person can act on"),
    ),
)
CHANNEL_UPDATES = Table(
    "channel_updates",
    "channel-updates",
    ("channel", "sku"),
    "",
    "what each channel was told last: a row per channel and SKU",
    (
        Column("channel", TEXT, "", "sales channel"),
        SKU,
        Column("listing_id", TEXT, "", "the channel's own name of the offer"),
        _units("quantity", "what the channel was told"),
        Column("previous_quantity", WHOLE, "units", "what it was told before; null: nothing", optional=True),
        Column("version", WHOLE, "changes", "version of this listing; a higher one is newer"),
        _units("ats", "available to sell of the channel's pool at that time"),
        Column("reason", TEXT, "", "zero, decrease, increase, refresh or correction"),
        Column("call", WHOLE, "", "number of the call it rode in"),
        Column("queued_at", TIME, "UTC", "since when it had waited"),
        Column("released_at", TIME, "UTC", "when it was sent"),
        CAUSE,
    ),
)

TABLES = (AVAILABILITY, LOCATIONS, LIFECYCLE, ORDER_LINES, EXCEPTIONS, CHANNEL_UPDATES)
TABLE: dict[str, Table] = {table.name: table for table in TABLES}
STEMS = tuple(dict.fromkeys(table.stem for table in TABLES))


def history(table: Table) -> Table:
    """The twin that holds every change: `<table>_history`, the same columns and `change`.

    A change after which nothing is left of a key (an order without lines, say) is one row in which all that belongs
    to a row is null; so columns outside the key are optional there.
    """
    inside = {column.name for column in table.columns if column.name not in table.key}
    columns = tuple(
        column._replace(optional=column.optional or bool(table.row and column.name in inside))
        for column in table.columns
    )
    summary = f"every change of {table.name}; the highest `change` of a {', '.join(table.key)} is its latest"
    return table._replace(name=f"{table.name}_history", summary=summary, columns=(*columns, CHANGE))


EVERY_TABLE = tuple(each for table in TABLES for each in (table, history(table)))


def schema(table: Table) -> pyarrow.Schema:
    """The Arrow schema; units and meanings ride in the metadata of schema and fields as `unit` and `meaning`."""
    fields = [
        pyarrow.field(c.name, c.type, nullable=c.optional, metadata={"unit": c.unit, "meaning": c.meaning})
        for c in table.columns
    ]
    about = {"table": table.name, "schema_version": str(SCHEMA_VERSION), "summary": table.summary}
    return pyarrow.schema(fields, {**about, "dictionary": json.dumps(_columns(table), ensure_ascii=False)})


def _columns(table: Table) -> dict[str, dict[str, str]]:
    return {c.name: {"type": str(c.type), "unit": c.unit, "meaning": c.meaning} for c in table.columns}


def dictionary() -> str:
    """The data dictionary of every table as JSON text: schema version, tables, keys, columns with unit and meaning."""
    tables = {
        table.name: {"summary": table.summary, "sorted_by": list(table.order), "columns": _columns(table)}
        for table in EVERY_TABLE
    }
    return json.dumps({"schema_version": SCHEMA_VERSION, "tables": tables}, indent=2, ensure_ascii=False)
