"""What is news among the records told, and the latest of every key since the last snapshot.

Delivery is at least once: after a crash changes are told again. A record of lower rank than one already known, or the
same again, is dropped, so that histories hold each change once and snapshots never go back.
"""

from __future__ import annotations

from collections.abc import Callable

import polars

from canonical.tables import Table
from sinks.parquet.records import Stream, rows

Base = Callable[[Table, list[str] | None], polars.DataFrame]
"""Reads a table of the latest snapshot, all of it or some columns; an empty frame while there is none."""

KNOWN, RANK, DIGEST = "known_rank", "rank", "digest"


class Fold:
    """One stream. `changes` counts the changes accepted so far, over all snapshots."""

    def __init__(self, stream: Stream, base: Base, changes: int) -> None:
        self.stream = stream
        self.changes = changes
        self._base = base
        self._key = list(stream.key)
        self._ranks: polars.DataFrame | None = None
        self._latest: list[polars.DataFrame] = []

    def accept(self, records: polars.DataFrame) -> polars.DataFrame:
        """The records that are news, numbered in a column `change`; they are now the latest of their keys."""
        key = self._key
        records = records.with_columns(
            self.stream.rank.alias(RANK), polars.struct(polars.all()).hash(seed=0).alias(DIGEST)
        )
        known = self._known(records.select(key).unique())
        records = records.join(known, on=key, how="left", maintain_order="left")
        before = polars.max_horizontal(polars.col(RANK).cum_max().shift(1).over(key), polars.col(KNOWN))
        records = records.filter(polars.col(RANK) >= before.fill_null(polars.col(RANK)))
        said = polars.col(DIGEST).shift(1).over(key).fill_null(polars.col("known_digest"))
        ranked = polars.col(RANK).shift(1).over(key).fill_null(polars.col(KNOWN))
        again = (said == polars.col(DIGEST)) & (ranked == polars.col(RANK))
        news = self._differing(records.filter(~again.fill_null(value=False)))
        first = self.changes + 1
        news = news.drop(KNOWN, "known_digest").with_columns(
            polars.int_range(first, first + polars.len(), dtype=polars.Int64).alias("change")
        )
        self.changes += news.height
        if news.height:
            self._keep(news)
        return news.drop(RANK, DIGEST)

    def _known(self, keys: polars.DataFrame) -> polars.DataFrame:
        """Rank (and, where told since the last snapshot, digest) of the latest record of each of the keys."""
        since = [frame.select(*self._key, RANK, DIGEST) for frame in self._latest]
        before = self._base_ranks().with_columns(polars.lit(None, polars.UInt64).alias(DIGEST))
        known = polars.concat([part.join(keys, on=self._key, how="semi") for part in (before, *since)])
        known = known.unique(self._key, keep="last", maintain_order=True)
        return known.rename({RANK: KNOWN, DIGEST: "known_digest"})

    def _base_ranks(self) -> polars.DataFrame:
        if self._ranks is None:
            table = self.stream.tables[0]
            told = [c.name for c in table.columns if c.name in self.stream.rank.meta.root_names()]
            base = self._base(table, [*self._key, *told])
            ranks = base.select(*self._key, self.stream.rank.alias(RANK).cast(polars.Int64))
            self._ranks = ranks.unique(self._key, maintain_order=False)
        return self._ranks

    def _differing(self, news: polars.DataFrame) -> polars.DataFrame:
        """Without those that say of a key exactly what the latest snapshot says of it, at the same rank."""
        doubtful = news.filter(
            (polars.col(RANK) == polars.col(KNOWN)) & polars.col("known_digest").is_null()
        ).unique(self._key, keep="first", maintain_order=True)
        if not doubtful.height:
            return news
        said, know = [], []
        for table in self.stream.tables:
            base = self._base(table, None).join(doubtful, on=self._key, how="semi")
            know.append(self._digests(base))
            said.append(self._digests(rows(self.stream, table, doubtful).select(base.columns)))
        same = _summed(said, self._key).join(_summed(know, self._key), on=[*self._key, DIGEST], how="semi")
        same = doubtful.join(same, on=self._key, how="semi").select(*self._key, RANK, DIGEST)
        # Only the first record of the key can be a repeat of the snapshot's; a later equal one undoes a change.
        first = news.select(polars.struct(self._key).is_first_distinct()).to_series()
        repeats = news.with_columns(first.alias("first")).join(
            same.with_columns(polars.lit(value=True).alias("first")),
            on=[*self._key, RANK, DIGEST, "first"],
            how="anti",
            maintain_order="left",
        )
        return repeats.drop("first")

    def _digests(self, frame: polars.DataFrame) -> polars.DataFrame:
        rest = [name for name in frame.columns if name not in self._key]
        hashed = frame.select(*self._key, polars.struct(rest).hash(seed=0).alias(DIGEST))
        return hashed.group_by(self._key).agg(polars.col(DIGEST).sum())

    def _keep(self, news: polars.DataFrame) -> None:
        self._latest.append(news.unique(self._key, keep="last", maintain_order=True))
        sizes = [frame.height for frame in self._latest]
        if len(sizes) > 1 and sum(sizes[1:]) >= sizes[0]:
            merged = polars.concat(self._latest).unique(self._key, keep="last", maintain_order=True)
            self._latest = [merged]

    def latest(self) -> polars.DataFrame | None:
        """The latest record of every key told since the last snapshot, sorted by key; None if nothing was."""
        if not self._latest:
            return None
        merged = polars.concat(self._latest).unique(self._key, keep="last", maintain_order=True)
        self._latest = [merged]
        return merged.drop(RANK, DIGEST, "change").sort(self._key)

    def settle(self) -> None:
        """The snapshot with all of it stands: begin anew on top of it."""
        self._latest.clear()
        self._ranks = None


def _summed(digests: list[polars.DataFrame], key: list[str]) -> polars.DataFrame:
    """One digest per key over all tables of a record."""
    return polars.concat(digests).group_by(key).agg(polars.col(DIGEST).sum())
