"""Lanes: the fixed number of partitions in which all topics are read.

Partition p of every topic belongs to lane p modulo LANES, so that co-partitioned topics sit together and a new
partition always has a lane. Positions are ours alone: brokers are told them for lag monitors, never asked.
"""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from confluent_kafka import TopicPartition

from canonical.errors import Terminal
from canonical.policy import Time
from sources.block import Decoded
from sources.judge import shifted
from sources.kafka_cluster import AFRESH, At, Cluster
from sources.kafka_fetcher import Fetcher, place
from sources.kafka_partition import Partition, Standing

LANES = 8


class KafkaLane:
    """One lane of a cluster's topics. `resume` is what `position` gave.

    Live it never ends. With `until_end` it ends where the topics ended when the cluster was opened, and `as_of`
    stands in for the present where events are judged. A saved offset the broker no longer has, and a topic that
    is gone or made anew, raise Terminal.
    """

    def __init__(
        self,
        cluster: Cluster,
        lane: int,
        time: Time,
        resume: Any = None,
        *,
        until_end: bool = False,
        as_of: datetime | None = None,
    ) -> None:
        cluster.open()
        self._cluster, self._lane, self._time = cluster, lane, time
        self._until_end, self._as_of = until_end, as_of
        self._saved = {} if resume is None else _checked(resume, cluster)
        self._watermark: datetime | None = None
        if resume is not None and resume["watermark"] is not None:
            self._watermark = datetime.fromisoformat(resume["watermark"])
        self._fetcher: Fetcher | None = None
        self._shown: list[TopicPartition] = []
        self._partitions: dict[At, Partition] = {}
        self._generation = -1
        self._take_up()

    @property
    def ended(self) -> bool:
        """Whether a finite run has read all it set out to read; never when live."""
        return self._until_end and all(partition.done for partition in self._partitions.values())

    @property
    def watermark(self) -> datetime | None:
        """The least over this lane's partitions; never falls. None while unknown."""
        return self._watermark

    @property
    def greatest(self) -> datetime | None:
        """The greatest event time accepted in this lane."""
        times = (partition.decoder.greatest for partition in self._partitions.values())
        return max((time for time in times if time is not None), default=None)

    @property
    def commit_failures(self) -> int:
        """How often lag monitors could not be shown where we are."""
        return 0 if self._fetcher is None else self._fetcher.commit_failures

    def read(self, now: datetime) -> list[Decoded]:
        """What has been fetched, decoded, maybe nothing. Never waits. `now` is wall-clock."""
        if self._fetcher is not None and self._shown:
            # The first read after a snapshot: the epoch is durable, so lag monitors may see it.
            self._fetcher.show(self._shown)
            self._shown = []
        self._cluster.look(now)
        if self._generation != self._cluster.generation:
            self._take_up()
        decoded: list[Decoded] = []
        if self._fetcher is not None and not self.ended:
            for at, run in groupby(self._fetcher.fetch(), place):
                decoded += self._partitions[at].take(list(run), self._as_of or now)
            self._heed(self._fetcher)
        self._advance()
        return decoded

    def position(self) -> dict[str, Any]:
        """Where to go on from, and all that decoding remembers, as plain builtins."""
        topics: dict[str, Any] = {}
        for (name, number), partition in self._partitions.items():
            topic = topics.setdefault(name, {"id": self._cluster.ids[name], "partitions": {}})
            topic["partitions"][str(number)] = [partition.next, partition.decoder.snapshot()]
        self._shown = [p.target() for p in self._partitions.values() if p.next is not None]
        watermark = None if self._watermark is None else self._watermark.isoformat()
        return {"lanes": LANES, "watermark": watermark, "topics": topics}

    def standings(self) -> list[Standing]:
        """Where every partition of this lane is; asks no broker."""
        low = (lambda _: None) if self._fetcher is None else self._fetcher.low
        return [one.standing(low(at), self._cluster.ends.get(at)) for at, one in self._partitions.items()]

    def close(self) -> None:
        """Leave the brokers in good order: what was saved is durable. Nothing may be read afterwards."""
        if self._fetcher is not None:
            if self._shown:
                self._fetcher.show(self._shown)
            self._fetcher.close()
            self._fetcher = None

    def _take_up(self) -> None:
        """Begin to read the partitions of this lane that are not being read yet."""
        self._generation = self._cluster.generation
        fresh = []
        for at in self._cluster.all_partitions():
            if at[1] % LANES == self._lane and at not in self._partitions:
                end = self._cluster.ends.get(at)
                stop = (0 if end is None else end.offset) if self._until_end else None
                self._partitions[at] = one = Partition(at, self._time, self._saved.get(at), stop)
                fresh += [] if one.done else [one.target()]
        if fresh:
            self._fetcher = self._fetcher or Fetcher(self._cluster.connection, self._lane)
            self._fetcher.begin(fresh)

    def _heed(self, fetcher: Fetcher) -> None:
        """Take what the fetcher learned beside messages: ends reached, and offsets that are gone."""
        if fetcher.lost:
            topic, number = at = fetcher.lost[0]
            raise Terminal(
                f"{topic} partition {number}: the saved offset {self._partitions[at].next} is gone; the broker"
                f" keeps {fetcher.kept(at)}. What lay between is lost if its retention has passed: bring it back,"
                " or start with an empty state"
            )
        for at, offset in fetcher.ends:
            self._partitions[at].skip_to(offset)
        fetcher.ends.clear()

    def _advance(self) -> None:
        """Move the watermark to the partition furthest behind. A live lane without any is at the present."""
        least: datetime | None = None
        for at, partition in self._partitions.items():
            if not partition.done:
                reached = partition.watermark(self._cluster.ends.get(at))
                if reached is None:
                    return
                least = reached if least is None else min(least, reached)
        if not self._partitions and not self._until_end and self._cluster.asked_at is not None:
            least = shifted(self._cluster.asked_at, -self._time.allowed_lateness)
        if least is not None:
            self._watermark = least if self._watermark is None else max(least, self._watermark)


def _checked(resume: dict[str, Any], cluster: Cluster) -> dict[At, list[Any]]:
    """What was saved of each partition; refuses what cannot be continued."""
    if resume.get("lanes") != LANES or "topics" not in resume:
        raise Terminal("the saved state is of another input, or of another release: go on with what it is of")
    saved = {}
    for name, topic in resume["topics"].items():
        if cluster.ids.get(name) != topic["id"]:
            raise Terminal(f"topic {name} is not the one that was being read, it was made anew: {AFRESH}")
        for number, state in topic["partitions"].items():
            saved[name, int(number)] = state
    return saved
