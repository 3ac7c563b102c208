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

from canonical.errors import Terminal
from dataflows.hosting import Host, Job, Lane, Mail, Outlet, Stage
from dataflows.session import PolledLane, Session
from dataflows.shards import NAMES
from dataflows.state import WAY_OUT, State
from operators.seal import seal, unseal

RECOVERY_PARTS = 4
IDLE = timedelta(milliseconds=5)


class Cluster(Struct, frozen=True):
    """Which process of which cluster this is; one process alone has no `addresses`."""

    process: int = 0
    addresses: tuple[str, ...] = ()


def state_of(directory: Path, job: Job, edges: str) -> State:
    """The state kept in a directory, found whole and fit for the job, or a new one. Raises Terminal with words.

    `edges` says what kind of inputs and outputs the job has.
    """
    shape = {
        "job": job.name,
        "edges": edges,
        "lanes": len(job.lanes),
        "stages": [stage.name for stage in job.stages],
        "outlets": sorted(job.outlets),
        "shards": len(NAMES),
    }
    return State(directory, shape, RECOVERY_PARTS, init_db_dir)


def run(
    job: Job,
    cluster: Cluster,
    *,
    state: Path | None,
    epoch: timedelta,
    watch: Callable[[Lane], None] | None = None,
) -> bool:
    """Run the job to the end of its input, as this process of the cluster. `watch` is shown each lane it reads.

    `state`: a directory that `state_of` has opened, here or in the process this one was started by. SIGTERM and
    SIGINT end the run early and cleanly: lanes pause, the epoch becomes durable, and False is returned.
    """
    session = Session(job, state, watch, clustered=bool(cluster.addresses))
    stop = session.stop
    before = {number: signal.signal(number, stop.request) for number in (signal.SIGTERM, signal.SIGINT)}
    gc.set_threshold(100_000, 50, 1000)
    os.environ.setdefault("RUST_BACKTRACE", "0")
    try:
        cli_main(  # type: ignore[no-untyped-call]  # the engine's Rust side has no types
            flow(session),
            process_id=cluster.process if cluster.addresses else None,
            addresses=list(cluster.addresses) or None,
            epoch_interval=epoch,
            recovery_config=None if state is None else RecoveryConfig(str(state / State.PARTS)),  # type: ignore[no-untyped-call]  # the engine's Rust side has no types
        )
        # Here, because the engine closes nothing when it is stopped, and loses what closing raises.
        session.close()
    except BytewaxRuntimeError as error:
        raise _root(error) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return not stop.requested


def _root(error: BaseException) -> BaseException:
    """What really went wrong: the engine wraps what a callback raises, layer by layer."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def flow(session: Session) -> Dataflow:
    """The session's job as a Bytewax dataflow."""
    job = session.job
    dataflow = Dataflow(job.name)
    mail: Stream[Mail] = op.input("lanes", dataflow, Lanes(session))
    streams = [mail]
    for stage in job.stages:
        ways = [
            op.flat_map_batch(f"{stage.name}_from_{place}", stream, _for(stage.name))
            for place, stream in enumerate(streams)
        ]
        told = op.stateful_batch(stage.name, op.merge(f"to_{stage.name}", *ways), _builder(stage, session))
        streams.append(op.flat_map_batch(f"from_{stage.name}", told, _opened))
    outlets = frozenset(job.outlets)
    ends = [
        op.flat_map_batch(f"out_{place}", stream, _leaving(outlets)) for place, stream in enumerate(streams)
    ]
    op.output("outlets", op.merge("to_outlets", *ends), Outlets(session))
    return dataflow


def _for(stage: str) -> Callable[[list[Mail]], list[tuple[str, Any]]]:
    return lambda mails: [(NAMES[shard], (shard, message)) for name, shard, message in mails if name == stage]


def _opened(items: list[tuple[str, Mail]]) -> list[Mail]:
    return [mail for _, mail in items]


def _leaving(outlets: frozenset[str]) -> Callable[[list[Mail]], list[tuple[str, bytes]]]:
    return lambda mails: [(name, message) for name, _, message in mails if name in outlets]


def _builder(stage: Stage, session: Session) -> Callable[[tuple[int, bytes] | None], Hosting]:
    return lambda resumed: Hosting(stage, resumed, session)


class Hosting(StatefulBatchLogic[tuple[int, Any], Mail, tuple[int, bytes] | None]):
    """One shard of a stage. The engine tells a new logic no key, so its number comes with the first message."""

    def __init__(self, stage: Stage, resumed: tuple[int, bytes] | None, session: Session) -> None:
        self._stage = stage
        self._keep = session.state is not None
        self._shard, self._host = -1, None
        if resumed is not None:
            with session.guard():
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


class LanePart(StatefulSourcePartition[Mail, bytes | None]):
    """A lane as the engine polls it."""

    def __init__(self, lane: PolledLane, seals: Seals) -> None:
        self._lane = lane
        self._seals = seals

    def next_batch(self) -> list[Mail]:
        if self._lane.ended:
            raise StopIteration
        with self._seals.session.guard():
            mails = self._lane.poll(datetime.now(UTC))
        if self._lane.stopped:
            raise AbortExecution
        return mails

    def next_awake(self) -> datetime | None:
        return datetime.now(UTC) + IDLE if self._lane.idle else None

    def snapshot(self) -> bytes | None:
        return self._seals.sealed(self._lane.position())


class Lanes(FixedPartitionedSource[Mail, bytes | None]):
    """All lanes; their names are fixed, so a resumed run always lists what an earlier one saved."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names = session.job.lanes

    def list_parts(self) -> list[str]:
        return list(self._names)

    def build_part(self, step_id: str, for_part: str, resume_state: bytes | None) -> LanePart:
        seals = Seals(self._session, "lane", self._names.index(for_part), len(self._names))
        with self._session.guard():
            return LanePart(self._session.lane(for_part, seals.opened(resume_state)), seals)


class OutletPart(StatefulSinkPartition[bytes, bytes | None]):
    """An outlet as the engine writes it; its snapshot is the barrier: what it has returned for is durable."""

    def __init__(self, outlet: Outlet, seals: Seals) -> None:
        self._outlet = outlet
        self._seals = seals

    def write_batch(self, values: list[bytes]) -> None:
        with self._seals.session.guard():
            self._outlet.write(values)

    def snapshot(self) -> bytes | None:
        with self._seals.session.guard():
            return self._seals.sealed(self._outlet.flush()) if self._seals.keep else None


class Outlets(FixedPartitionedSink[bytes, bytes | None]):
    """All outlets of the job, each a partition owned by one worker."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._names = sorted(session.job.outlets)
        self._place = {name: place for place, name in enumerate(self._names)}

    def list_parts(self) -> list[str]:
        return self._names

    def part_fn(self, item_key: str) -> int:
        return self._place[item_key]

    def build_part(self, step_id: str, for_part: str, resume_state: bytes | None) -> OutletPart:
        seals = Seals(self._session, "outlet", self._place[for_part], len(self._names))
        with self._session.guard():
            return OutletPart(self._session.outlet(for_part, seals.opened(resume_state)), seals)


class Seals:
    """Positions as the engine keeps them: sealed, because it would hand back a damaged one as it is."""

    def __init__(self, session: Session, kind: str, place: int, places: int) -> None:
        self.session = session
        self.keep = session.state is not None
        self._whose = kind, place, places

    def sealed(self, position: object) -> bytes | None:
        return seal(*self._whose, position) if self.keep else None

    def opened(self, saved: Any) -> Any:
        """The position that was sealed, None if none was. Raises Terminal with words if it is damaged."""
        if saved is None:
            return None
        if not isinstance(saved, bytes):
            raise Terminal(f"the saved position of {self._whose[0]} {self._whose[1]} is damaged: {WAY_OUT}")
        return unseal(*self._whose, saved, Any)
