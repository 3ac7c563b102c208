"""The only file that knows the engine. It hosts a job's lanes, stages and outlets in Bytewax (DESIGN section 11).

Engine items are blocks: one per shard and batch. A stage's shards are engine keys with balanced names; outlets are
partitions of one sink, because only a partitioned sink is part of the epoch's barrier.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax._bytewax import cli_main
from bytewax.dataflow import Dataflow, Stream
from bytewax.errors import BytewaxRuntimeError
from bytewax.inputs import AbortExecution, FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from msgspec import Struct

from dataflows.hosting import Host, Job, Lane, Mail, Outlet, Stage
from dataflows.shards import NAMES

RECOVERY_PARTS = 4
IDLE = timedelta(milliseconds=20)


class Cluster(Struct, frozen=True):
    """Which process of which cluster this is; one process alone has no `addresses`."""

    process: int = 0
    addresses: tuple[str, ...] = ()


def run(
    job: Job,
    cluster: Cluster,
    *,
    state: Path | None,
    epoch: timedelta,
    watch: Callable[[Lane], None] | None = None,
) -> bool:
    """Run the job to the end of its input, as this process of the cluster. `watch` is shown each lane it reads.

    SIGTERM and SIGINT end it early and cleanly: lanes pause, the epoch becomes durable, and False is returned.
    """
    stop = Stop()
    before = {number: signal.signal(number, stop.request) for number in (signal.SIGTERM, signal.SIGINT)}
    gc.set_threshold(100_000, 50, 1000)
    os.environ.setdefault("RUST_BACKTRACE", "0")
    recovery = None
    if state is not None:
        if not cluster.addresses:
            prepare(state)
        recovery = RecoveryConfig(str(state))  # type: ignore[no-untyped-call]  # the engine's Rust side has no types
    try:
        cli_main(  # type: ignore[no-untyped-call]  # the engine's Rust side has no types
            flow(job, stop, keep=state is not None, watch=watch),
            process_id=cluster.process if cluster.addresses else None,
            addresses=list(cluster.addresses) or None,
            epoch_interval=epoch,
            recovery_config=recovery,
        )
    except BytewaxRuntimeError as error:
        raise _root(error) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return not stop.requested


class Stop:
    """Whether somebody asked the process to end: a flag, because a signal may come at any instant."""

    def __init__(self) -> None:
        self.requested = False

    def request(self, *_: object) -> None:
        self.requested = True


def _root(error: BaseException) -> BaseException:
    """What really went wrong: the engine wraps what a callback raises, layer by layer."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def has_state(state: Path) -> bool:
    """Whether a run has kept state there before."""
    return (state / "part-0.sqlite3").exists()


def prepare(state: Path) -> None:
    """Make the recovery parts of a new state directory; an existing one is left as it is."""
    if not has_state(state):
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        init_db_dir(state, RECOVERY_PARTS)  # type: ignore[no-untyped-call]  # the engine's Rust side has no types


def flow(job: Job, stop: Stop, *, keep: bool, watch: Callable[[Lane], None] | None = None) -> Dataflow:
    """The job as a Bytewax dataflow. `keep`: snapshots are wanted."""
    dataflow = Dataflow(job.name)
    mail: Stream[Mail] = op.input("lanes", dataflow, Lanes(job, stop, watch, keep=keep))
    streams = [mail]
    for stage in job.stages:
        ways = [
            op.flat_map_batch(f"{stage.name}_from_{place}", stream, _for(stage.name))
            for place, stream in enumerate(streams)
        ]
        told = op.stateful_batch(stage.name, op.merge(f"to_{stage.name}", *ways), _builder(stage, keep=keep))
        streams.append(op.flat_map_batch(f"from_{stage.name}", told, _opened))
    outlets = frozenset(job.outlets)
    ends = [
        op.flat_map_batch(f"out_{place}", stream, _leaving(outlets)) for place, stream in enumerate(streams)
    ]
    op.output("outlets", op.merge("to_outlets", *ends), Outlets(job, keep=keep))
    return dataflow


def _for(stage: str) -> Callable[[list[Mail]], list[tuple[str, Any]]]:
    return lambda mails: [(NAMES[shard], (shard, message)) for name, shard, message in mails if name == stage]


def _opened(items: list[tuple[str, Mail]]) -> list[Mail]:
    return [mail for _, mail in items]


def _leaving(outlets: frozenset[str]) -> Callable[[list[Mail]], list[tuple[str, bytes]]]:
    return lambda mails: [(name, message) for name, _, message in mails if name in outlets]


def _builder(stage: Stage, *, keep: bool) -> Callable[[tuple[int, bytes] | None], Hosting]:
    return lambda resumed: Hosting(stage, resumed, keep=keep)


class Hosting(StatefulBatchLogic[tuple[int, Any], Mail, tuple[int, bytes] | None]):
    """One shard of a stage. The engine tells a new logic no key, so its number comes with the first message."""

    def __init__(self, stage: Stage, resumed: tuple[int, bytes] | None, *, keep: bool) -> None:
        self._stage = stage
        self._keep = keep
        self._shard, self._host = -1, None
        if resumed is not None:
            self._start(resumed[0]).restore(resumed[1])

    def _start(self, shard: int) -> Host:
        self._shard, self._host = shard, self._stage.host(shard)
        return self._host

    _host: Host | None

    def on_batch(self, values: list[tuple[int, Any]]) -> tuple[Iterable[Mail], bool]:
        host = self._host or self._start(values[0][0])
        return host.apply([message for _, message in values]), StatefulBatchLogic.RETAIN

    def snapshot(self) -> tuple[int, bytes] | None:
        if not self._keep or self._host is None:
            return None
        return self._shard, self._host.snapshot()


class LanePart(StatefulSourcePartition[Mail, Any]):
    """A lane as the engine polls it. The first poll after a snapshot proves that its epoch is durable."""

    def __init__(self, lane: Lane, stop: Stop, *, keep: bool) -> None:
        self._lane = lane
        self._stop = stop
        self._saved_since_stop = not keep

    def next_batch(self) -> list[Mail]:
        if self._stop.requested:
            if self._saved_since_stop:
                raise AbortExecution
            return []
        if self._lane.ended:
            raise StopIteration
        return self._lane.read(datetime.now(UTC))

    def next_awake(self) -> datetime | None:
        return datetime.now(UTC) + IDLE if self._stop.requested else None

    def snapshot(self) -> Any:
        if self._stop.requested:
            self._saved_since_stop = True
        return self._lane.position()


class Lanes(FixedPartitionedSource[Mail, Any]):
    """All lanes; their names are fixed, so a resumed run always lists what an earlier one saved."""

    def __init__(self, job: Job, stop: Stop, watch: Callable[[Lane], None] | None, *, keep: bool) -> None:
        self._job = job
        self._stop = stop
        self._watch = watch
        self._keep = keep

    def list_parts(self) -> list[str]:
        return list(self._job.lanes)

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> LanePart:
        lane = self._job.lane(for_part, resume_state)
        if self._watch is not None:
            self._watch(lane)
        return LanePart(lane, self._stop, keep=self._keep)


class OutletPart(StatefulSinkPartition[bytes, int | None]):
    """An outlet as the engine writes it; its snapshot is the barrier: what it has returned for is durable."""

    def __init__(self, outlet: Outlet, *, keep: bool) -> None:
        self._outlet = outlet
        self._keep = keep

    def write_batch(self, values: list[bytes]) -> None:
        self._outlet.write(values)

    def snapshot(self) -> int | None:
        return self._outlet.flush() if self._keep else None

    def close(self) -> None:
        self._outlet.close()


class Outlets(FixedPartitionedSink[bytes, int | None]):
    """All outlets of the job, each a partition owned by one worker."""

    def __init__(self, job: Job, *, keep: bool) -> None:
        self._job = job
        self._keep = keep
        self._place = {name: place for place, name in enumerate(sorted(job.outlets))}

    def list_parts(self) -> list[str]:
        return sorted(self._job.outlets)

    def part_fn(self, item_key: str) -> int:
        return self._place[item_key]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> OutletPart:
        return OutletPart(self._job.outlet(for_part, resume_state), keep=self._keep)
