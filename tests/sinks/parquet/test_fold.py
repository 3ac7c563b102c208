"""What is told again is not news; what differs is, and the last told wins."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import polars
import pytest

from canonical.tables import Table
from sinks.parquet.encoding import empty
from sinks.parquet.fold import Fold
from sinks.parquet.merge import sorted_rows
from sinks.parquet.records import STREAMS, decode
from tests.sinks.parquet.telling import lines, order, stock, trouble, update


class Base:
    """The latest snapshot, held in memory."""

    def __init__(self, stem: str) -> None:
        self.stream = STREAMS[stem]
        self.tables = {table.name: empty(table) for table in self.stream.tables}
        self.fold = Fold(self.stream, self.read, 0)

    def read(self, table: Table, columns: list[str] | None) -> polars.DataFrame:
        frame = self.tables[table.name]
        return frame if columns is None else frame.select(columns)

    def tell(self, *records: msgspec.Struct) -> list[int]:
        """The numbers of the changes the records are taken for."""
        return self.fold.accept(decode(self.stream, lines(*records)))["change"].to_list()

    def snapshot(self) -> None:
        """As if published: every key is told, none is left out."""
        latest = self.fold.latest()
        assert latest is not None
        self.tables = {table.name: sorted_rows(self.stream, table, latest) for table in self.stream.tables}
        self.fold.settle()


@pytest.fixture(params=["in one go", "batch by batch", "over a snapshot"])
def between(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def told(stem: str, records: list[msgspec.Struct], between: str) -> tuple[int, polars.DataFrame]:
    """How many of the records are news, and the latest, however they come in; the snapshot is after the first."""
    base = Base(stem)
    if between == "in one go":
        base.tell(*records)
    else:
        for place, record in enumerate(records):
            base.tell(record)
            if place == 0 and between == "over a snapshot":
                base.snapshot()
    latest = base.fold.latest()
    if latest is None:
        latest = base.tables[base.stream.tables[0].name]
    return base.fold.changes, latest


NEWS: list[tuple[str, str, list[Callable[[], msgspec.Struct]], int, int]] = [
    ("the same again", "availability", [lambda: stock("s", 1), lambda: stock("s", 1)], 1, 1),
    ("an older one", "availability", [lambda: stock("s", 2), lambda: stock("s", 1)], 1, 2),
    (
        "the same version, another number",
        "availability",
        [lambda: stock("s", 1, 5), lambda: stock("s", 1, 6)],
        2,
        1,
    ),
    (
        "there and back at one version",
        "availability",
        [lambda: stock("s", 1, 5), lambda: stock("s", 1, 6), lambda: stock("s", 1, 5)],
        3,
        1,
    ),
    (
        "a place less",
        "availability",
        [lambda: stock("s", 1, places="ab"), lambda: stock("s", 1, places="a")],
        2,
        1,
    ),
    (
        "older ones after a gap",
        "availability",
        [lambda: stock("s", 1), lambda: stock("s", 3), lambda: stock("s", 2), lambda: stock("s", 3)],
        2,
        3,
    ),
    (
        "an order's lines differ",
        "lifecycle",
        [lambda: order("o", 1, skus="x"), lambda: order("o", 1, skus="y")],
        2,
        1,
    ),
    ("an order told again", "lifecycle", [lambda: order("o", 1), lambda: order("o", 1)], 1, 1),
    (
        "another listing's version",
        "channel-updates",
        [lambda: update("w", "s", 2), lambda: update("w", "s", 1)],
        1,
        2,
    ),
]


@pytest.mark.parametrize(
    ("stem", "records", "news", "version"), [n[1:] for n in NEWS], ids=[n[0] for n in NEWS]
)
def test_news(
    stem: str, records: list[Callable[[], msgspec.Struct]], news: int, version: int, between: str
) -> None:
    changes, latest = told(stem, [record() for record in records], between)
    assert changes == news
    assert set(latest["version"].to_list()) == {version}


def test_an_exception_goes_from_opened_to_cleared_and_not_back(between: str) -> None:
    opened, cleared = trouble("e", "opened", 0, 5), trouble("e", "cleared", 0, 5, cleared=4)
    changes, latest = told("exceptions", [opened, cleared, opened, cleared], between)
    assert (changes, latest["status"].to_list()) == (2, ["cleared"])


def test_changes_are_numbered_without_gaps_over_batches() -> None:
    base = Base("availability")
    assert base.tell(stock("a", 1), stock("b", 1), stock("a", 1)) == [1, 2]
    assert base.tell(stock("a", 1)) == []
    assert base.tell(stock("c", 1), stock("a", 2)) == [3, 4]


def test_one_channels_update_is_not_anothers() -> None:
    base = Base("channel-updates")
    assert base.tell(update("w", "s", 2), update("v", "s", 1), update("w", "t", 1)) == [1, 2, 3]
