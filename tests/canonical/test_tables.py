"""The tables hold what the records hold, and say what it means."""

from __future__ import annotations

import json

import msgspec
import pytest

from canonical import outputs, tables, topics
from sinks.parquet.records import STREAMS

RECORDS: dict[str, type[msgspec.Struct]] = {
    "availability": outputs.Availability,
    "lifecycle": outputs.Lifecycle,
    "exceptions": outputs.ExceptionRecord,
    "channel-updates": outputs.ChannelUpdate,
}
INSIDE: dict[tuple[str, str], type[msgspec.Struct]] = {
    ("availability", "pools"): outputs.PoolAvailability,
    ("availability", "locations"): outputs.LocationAvailability,
    ("lifecycle", "lines"): outputs.LifecycleLine,
}


@pytest.mark.parametrize("stem", RECORDS)
def test_a_stream_is_read_with_the_fields_it_is_told_with(stem: str) -> None:
    assert set(STREAMS[stem].schema.names) == {field.name for field in msgspec.structs.fields(RECORDS[stem])}


@pytest.mark.parametrize(("stem", "field"), INSIDE)
def test_what_is_inside_a_record_is_read_whole(stem: str, field: str) -> None:
    element = STREAMS[stem].schema.field(field).type.value_type
    assert {element.field(i).name for i in range(element.num_fields)} == {
        f.name for f in msgspec.structs.fields(INSIDE[stem, field])
    }


def test_every_column_has_a_meaning_and_every_number_a_unit_or_a_reason() -> None:
    bare = {"change", "call"}  # running numbers, as their meanings say
    for table in tables.EVERY_TABLE:
        for column in table.columns:
            assert len(column.meaning) > 10, f"{table.name}.{column.name}"
            if column.type in {tables.WHOLE, tables.MONEY, tables.TIME}:
                assert column.unit or column.name in bare, f"{table.name}.{column.name}"


def test_every_stem_is_a_topic_and_every_key_a_column() -> None:
    assert set(tables.STEMS) == set(STREAMS) <= {topic.name for topic in topics.OUTPUTS}
    for table in tables.EVERY_TABLE:
        assert {*table.order} <= {column.name for column in table.columns}


def test_times_are_utc_and_money_is_decimal() -> None:
    assert str(tables.TIME) == "timestamp[us, tz=UTC]"
    assert str(tables.MONEY) == "decimal128(38, 6)"


def test_the_dictionary_tells_all_of_it() -> None:
    told = json.loads(tables.dictionary())
    assert told["schema_version"] == tables.SCHEMA_VERSION
    assert set(told["tables"]) == {table.name for table in tables.EVERY_TABLE}
    assert told["tables"]["locations"]["columns"]["free"]["unit"] == "units"
    assert told["tables"]["locations"]["sorted_by"] == ["sku", "location"]
    assert "change" in told["tables"]["locations_history"]["columns"]
