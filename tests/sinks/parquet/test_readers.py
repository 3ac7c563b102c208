"""Analysts open the tables with what they have: Polars, DuckDB, pandas, pyarrow; no option, no trick."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow.dataset
import pytest

from canonical.tables import TABLES
from tests.sinks.parquet.telling import (
    at,
    lines,
    manifests,
    order,
    publish,
    snapshots_at,
    stock,
    trouble,
    update,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two snapshots and a history of several files."""
    place = tmp_path_factory.mktemp("root")
    sink = snapshots_at(place)
    for version in (1, 2):
        sink.write("availability", lines(*(stock(f"s{n}", version, ats=n) for n in range(5))))
        sink.write("lifecycle", lines(order("o-1", version)))
        sink.write("exceptions", lines(trouble("e1", "opened", 0, version, sku="s1")))
        sink.write("channel-updates", lines(update("web", "s1", version)))
        publish(sink, 5 * version)
    sink.close()
    yield place
    assert not (place / "staging").exists()


def path(root: Path, table: str) -> str:
    return str(root / json.loads((root / f"meta/{table}.latest.json").read_bytes())["path"])


READ: dict[str, Callable[[str], list[dict[str, Any]]]] = {
    "polars": lambda where: polars.read_parquet(where).to_dicts(),
    "pandas": lambda where: pandas.read_parquet(where).to_dict("records"),
    "duckdb": lambda where: duckdb.read_parquet(where).to_arrow_table().to_pylist(),
    "pyarrow": lambda where: pyarrow.dataset.dataset(where).to_table().to_pylist(),
}


@pytest.mark.parametrize("reader", READ)
def test_the_latest_snapshot_through_its_pointer(root: Path, reader: str) -> None:
    for table in TABLES:
        rows = READ[reader](path(root, table.name))
        assert len(rows) == manifests(root)[-1].tables[table.name].rows > 0
    [told] = READ[reader](path(root, "exceptions"))
    assert told["value"] == Decimal("19.90")
    assert told["opened_at"] == at(0)
    assert list(told["evidence"]) == ["e-1"]
    assert {row["as_of"] for row in READ[reader](path(root, "availability"))} == {at(0)}


@pytest.mark.parametrize("reader", ["polars", "pandas", "pyarrow"])
def test_a_whole_table_folder_holds_every_snapshot(root: Path, reader: str) -> None:
    folder = str(root / "tables/locations")
    if reader == "pyarrow":
        rows = pyarrow.dataset.dataset(folder, partitioning="hive").to_table().to_pylist()
    else:
        rows = READ[reader](folder)
    assert len(rows) == sum(m.tables["locations"].rows for m in manifests(root))
    assert {str(row["snapshot"]) for row in rows} == {m.snapshot for m in manifests(root)}
    assert {str(row["snapshot_date"]) for row in rows} == {"2026-03-02"}


def test_duckdb_and_polars_read_a_history_by_glob(root: Path) -> None:
    glob = str(root / "tables/availability_history/**/*.parquet")
    query = "SELECT count(*), count(DISTINCT change), min(date) FROM read_parquet(?)"
    found = duckdb.execute(query, [glob]).fetchall()
    assert found == [(10, 10, date(2026, 3, 2))]
    frame = polars.read_parquet(glob)
    assert frame.height == 10
    assert frame.schema["as_of"] == polars.Datetime("us", "UTC")


def test_a_point_look_up_reads_only_what_it_must(root: Path) -> None:
    found = polars.scan_parquet(path(root, "locations")).filter(polars.col("sku") == "s3").collect()
    assert found["free"].to_list() == [3, 3]
