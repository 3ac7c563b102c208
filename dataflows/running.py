"""A run from start to summary: in this process, or as a cluster of processes started from here."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from canonical.errors import Terminal, Transient
from dataflows import engine
from dataflows.availability import COUNTS, LINES, availability_job
from dataflows.brokers import Brokers
from dataflows.edges import Plan
from dataflows.feeding import HEALTH
from dataflows.progress import Progress
from dataflows.session import Stop
from dataflows.settings import load
from dataflows.state import State
from dataflows.summary import Summary
from dataflows.together import Processes, die_with_parent
from sources.files import find

RUN = "meta/run.json"
BEAT_SECONDS = 0.5
PATIENCE_SECONDS = 120.0
"""So long a process of a cluster waits for process 0 to have made the state."""


def plan_of(args: argparse.Namespace) -> Plan:
    """What the arguments ask for, checked as far as it can be before anything starts."""
    source, target = args.input, args.output
    as_of = args.as_of.astimezone(UTC) if args.as_of is not None else None
    if isinstance(source, Brokers):
        if as_of is not None and not args.until_end:
            raise Terminal(
                "--as-of: topics have no end; with --until-end they are read to where they end now"
            )
    else:
        if args.until_end:
            raise Terminal("--until-end: is for topics; a directory is always read to its end")
        if not source.is_dir():
            raise Terminal(f"--input {source}: there is no such directory")
        if source.resolve() == _local(args).resolve():
            raise Terminal(
                f"--input and --output are the same directory, {source}: give the output one of its own"
            )
        find(source)
    return Plan(
        source if isinstance(source, Path) else Path(),
        _local(args),
        load(args.config),
        as_of,
        source.hosts if isinstance(source, Brokers) else None,
        target.hosts if isinstance(target, Brokers) else None,
        args.until_end,
    )


def _local(args: argparse.Namespace) -> Path:
    """Where that goes which has no topic: the output itself if it is a directory."""
    if isinstance(args.output, Path):
        return args.output
    if args.local is None and args.state is None:
        raise Terminal(
            f"--output {args.output}: say with --local DIR where the counts go, which have no topic"
        )
    local: Path = args.local or args.state / "local"
    return local


def all_of(args: argparse.Namespace) -> Summary:
    """The whole run, with progress on stderr; returns what became of every input."""
    plan = plan_of(args)
    started = time.monotonic()
    progress = Progress(sys.stderr)
    with _kept(args, plan) as state:
        _outputs(plan, fresh=state is None or state.is_new)
        _note(args, plan, finished=None)
        with _snapshots(args, plan, anew=state is None):
            try:
                if args.workers == 1:
                    whole = _alone(args, plan, progress)
                else:
                    lock = None if state is None else state.lock
                    whole = Processes(args.workers, lock, progress).run()
            finally:
                progress.close()
        if whole:
            _note(args, plan, finished=datetime.now(UTC))
    counted = plan.output / COUNTS
    counts = json.loads(counted.read_text(encoding="utf-8")) if counted.exists() else {}
    return Summary(counts, time.monotonic() - started, args.workers, whole)


@contextmanager
def _kept(args: argparse.Namespace, plan: Plan) -> Iterator[State | None]:
    """While inside, the state directory is ours, and was found whole; None where no state is kept."""
    if args.state is None:
        yield None
        return
    edges = ["files" if brokers is None else "topics" for brokers in (plan.read_from, plan.write_to)]
    state = engine.state_of(args.state, availability_job(plan), " to ".join(edges))
    try:
        yield state
    finally:
        state.close()


def _outputs(plan: Plan, *, fresh: bool) -> None:
    """Every stream's file exists from the start, also if nothing is ever told; a fresh run has new ones."""
    plan.output.mkdir(parents=True, exist_ok=True)
    if fresh:
        for name in (COUNTS, HEALTH):
            (plan.output / name).unlink(missing_ok=True)
    for stem in LINES if plan.write_to is None else ():
        path = plan.output / f"{stem}.ndjson"
        if fresh:
            path.unlink(missing_ok=True)
        path.touch()


def _snapshots(args: argparse.Namespace, plan: Plan, *, anew: bool) -> AbstractContextManager[None]:
    """Parquet snapshots beside the run, unless only the main job was asked for; they are made of files."""
    if args.job != "all" or plan.write_to is not None:
        return nullcontext()
    from dataflows import snapshots  # polars is slow to import, and not every run wants it

    return snapshots.beside(snapshots.Following(plan.output, plan.policy, as_of=plan.as_of, anew=anew))


def feed_of(args: argparse.Namespace) -> None:
    """The channel-feed job by itself: from a run's channel-updates to the channels, answers into --input."""
    from dataflows import (
        channel_feed,  # the drivers' clients are slow to import, and not every run wants them
    )

    stop = Stop()
    before = {number: signal.signal(number, stop.request) for number in (signal.SIGTERM, signal.SIGINT)}
    directory = Path.cwd() if args.config is None else args.config.parent
    feeding = channel_feed.Feeding(
        output=Path(args.output), policy=load(args.config), answers=Path(args.input), directory=directory
    )
    try:
        channel_feed.tell(feeding, stopping=lambda: stop.requested, ended=lambda: bool(args.until_end))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def snapshots_of(args: argparse.Namespace) -> None:
    """The snapshots job by itself: from the record streams in --input to Parquet below --output."""
    from dataflows import snapshots  # polars is slow to import, and not every run wants it

    if isinstance(args.input, Brokers) or isinstance(args.output, Brokers):
        raise Terminal("--job snapshots reads and writes directories; it cannot follow topics")
    policy = load(args.config)
    if policy.snapshots.root is None:
        own = policy.snapshots.model_copy(update={"root": str(args.output)})
        policy = policy.model_copy(update={"snapshots": own})
    if not args.input.is_dir():
        raise Terminal(f"--input {args.input}: there is no such directory")
    as_of = args.as_of.astimezone(UTC) if args.as_of is not None else None
    snapshots.follow(snapshots.Following(args.input, policy, as_of=as_of))


def _note(args: argparse.Namespace, plan: Plan, *, finished: datetime | None) -> None:
    """Leave beside the output what `explain`, `trace` and `report` must know of the run."""
    path = plan.output / RUN
    path.parent.mkdir(parents=True, exist_ok=True)
    note = {
        "input": str(args.input.resolve() if isinstance(args.input, Path) else args.input),
        "config": None if args.config is None else str(args.config.resolve()),
        "as_of": None if args.as_of is None else args.as_of.isoformat(),
        "finished": None if finished is None else finished.isoformat(),
    }
    path.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


def _alone(args: argparse.Namespace, plan: Plan, progress: Progress) -> bool:
    lanes: list[Any] = []
    with _watching(lanes, lambda done, total: progress.show({0: (done, total)})):
        return engine.run(
            availability_job(plan), engine.Cluster(), state=args.state, epoch=args.epoch, watch=lanes.append
        )


class _watching:  # noqa: N801  because it is used as a verb
    """While inside, tells every half second how many bytes of files the lanes have read, of how many."""

    def __init__(self, lanes: list[Any], tell: Callable[[int, int], None]) -> None:
        self._lanes, self._tell = lanes, tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            readings = [lane.reading for lane in list(self._lanes) if hasattr(lane.reading, "bytes_read")]
            if readings:
                self._tell(sum(r.bytes_read for r in readings), sum(r.bytes_total for r in readings))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def member(args: argparse.Namespace) -> bool:
    """One process of a cluster. Started from here, as a child, it tells its progress as JSON lines on stdout.

    Otherwise process 0 holds the state, which lies where all can reach it, and the others wait for it.
    """
    plan = plan_of(args)
    lanes: list[Any] = []
    if args.child:
        die_with_parent()

    def tell(done: int, total: int) -> None:
        if args.child:
            print(json.dumps([done, total]), flush=True)

    holds = not args.child and args.process_id == 0
    with _kept(args, plan) if holds else nullcontext() as state:
        if holds:
            _outputs(plan, fresh=state is None or state.is_new)
            _note(args, plan, finished=None)
        elif args.state is not None:
            _await(args.state / State.PARTS / "manifest.json")
        with _watching(lanes, tell):
            cluster = engine.Cluster(args.process_id, args.addresses)
            return engine.run(
                availability_job(plan), cluster, state=args.state, epoch=args.epoch, watch=lanes.append
            )


def _await(path: Path) -> None:
    """Wait until process 0 has made the state."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            raise Transient(f"{path} is not there: process 0, which makes it, has not started, or not here")
        time.sleep(0.1)
