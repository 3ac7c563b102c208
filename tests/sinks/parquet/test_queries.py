"""Every query we hand to analysts runs, in the output directory, and answers what its heading asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from canonical.outputs import ExceptionRecord
from tests.sinks.parquet.telling import START, at, lines, publish, snapshots_at, stock, trouble

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
TEXT = README.partition("## Ask the tables")[2].partition("\n## ")[0]
QUERIES = dict(re.findall(r"\*\*(.+?)\*\*.*?```sql\n(.+?)```", TEXT, re.DOTALL))
HOUR, DAY = 60.0, 24 * 60.0


def stall(number: int, channel: str, opened: float, cleared: float | None = None) -> list[ExceptionRecord]:
    about: dict[str, Any] = {"code": "order_stalled", "channel": channel, "order_id": f"o-{number}"}
    told = [trouble(f"stall-{number}", "opened", opened, opened + 1, **about)]
    if cleared is not None:
        told.append(trouble(f"stall-{number}", "cleared", opened, cleared, cleared=cleared, **about))
    return told


def variance(sku: str, location: str, units: int) -> ExceptionRecord:
    return trouble(f"v-{sku}", "opened", 0, 1, code="count_variance", sku=sku, location=location, units=units)


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[duckdb.DuckDBPyConnection]:
    """Ten hours from Monday 9 o'clock (a half past midnight is told, too), in two snapshots."""
    sink = snapshots_at(tmp_path)
    sink.write(
        "availability",
        lines(
            stock("s1", 1, ats=4, minutes=-HOUR, pools="pq"),
            stock("s2", 1, ats=9, minutes=-HOUR, places="a"),
            stock("s2", 2, ats=0, shortage=3, minutes=-1, places="a"),
        ),
    )
    sink.write(
        "exceptions",
        lines(*stall(1, "web", 0, cleared=2 * HOUR), *stall(2, "web", HOUR), *stall(3, "shop", 0)),
    )
    publish(sink, 5)
    sink.write(
        "availability",
        lines(
            stock("s2", 3, ats=7, minutes=2 * HOUR - 1, places="a"),
            stock("s3", 1, shortage=1, minutes=8 * HOUR),
        ),
    )
    sink.write("exceptions", lines(variance("s1", "a", 2), variance("s2", "a", 3)))
    publish(sink, 10 * HOUR)
    sink.close()
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")  # an analyst may sit anywhere
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, heading: str) -> list[tuple[Any, ...]]:
    return connection.execute(QUERIES[heading]).fetchall()


def test_there_is_a_query_for_each_question() -> None:
    assert len(QUERIES) == TEXT.count("```sql") == 4


def test_what_could_i_sell_at_9(ask: duckdb.DuckDBPyConnection) -> None:
    assert at(0) == START
    assert rows(ask, "What could I sell at 9 o'clock?") == [("s1", "p", 4), ("s1", "q", 4), ("s2", "p", 0)]


def test_which_skus_were_oversold_and_for_how_long(ask: duckdb.DuckDBPyConnection) -> None:
    found = rows(ask, "Which SKUs were oversold last week, and for how long?")
    assert found == [("s2", 3, 2.0), ("s3", 1, 2.0)]


def test_which_channel_stalls_most(ask: duckdb.DuckDBPyConnection) -> None:
    found = rows(ask, "Which channel stalls most?")
    assert found == [("web", 2, 2, 1, 5.5), ("shop", 1, 1, 1, 10.0)]


def test_how_accurate_is_the_stock(ask: duckdb.DuckDBPyConnection) -> None:
    found = rows(ask, "How accurate is the stock of each warehouse?")
    assert found == [("a", 5 + 8 + 6, 5, 2, 73.68), ("b", 5 + 6, 0, 0, 100.0)]


def test_they_run_on_a_day_without_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = snapshots_at(tmp_path)
    sink.write("availability", lines(stock("s1", 1)))
    publish(sink, 5)
    sink.close()
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        answers = {heading: rows(connection, heading) for heading in QUERIES}
    assert [len(answer) for answer in answers.values()] == [1, 0, 0, 2]
