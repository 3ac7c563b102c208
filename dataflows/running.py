"""A run from start to summary: in this process, or as a cluster of processes started from here."""

from __future__ import annotations

import argparse
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from canonical.errors import Terminal, Transient
from dataflows import engine
from dataflows.availability import COUNTS, LINES, Plan, availability_job
from dataflows.feeding import HEALTH
from dataflows.progress import Progress
from dataflows.settings import load
from dataflows.summary import Summary
from sources.files import find

RUN = "meta/run.json"
BEAT_SECONDS = 0.5


def plan_of(args: argparse.Namespace) -> Plan:
    """What the arguments ask for, checked as far as it can be before anything starts."""
    if args.input.resolve() == args.output.resolve():
        raise Terminal(
            f"--input and --output are the same directory, {args.input}: give the output one of its own"
        )
    if not args.input.is_dir():
        raise Terminal(f"--input {args.input}: there is no such directory")
    find(args.input)
    as_of = args.as_of.astimezone(UTC) if args.as_of is not None else None
    return Plan(args.input, args.output, load(args.config), as_of)


def all_of(args: argparse.Namespace) -> Summary:
    """The whole run, with progress on stderr; returns what became of every input."""
    plan = plan_of(args)
    started = time.monotonic()
    _note(args, finished=None)
    _outputs(plan, fresh=args.state is None or not engine.has_state(args.state))
    progress = Progress(sys.stderr)
    fresh = args.state is None
    with _snapshots(args, plan, anew=fresh):
        try:
            whole = _alone(args, plan, progress) if args.workers == 1 else _together(args, progress)
        finally:
            progress.close()
    if whole:
        _note(args, finished=datetime.now(UTC))
    counted = plan.output / COUNTS
    counts = json.loads(counted.read_text(encoding="utf-8")) if counted.exists() else {}
    return Summary(counts, time.monotonic() - started, args.workers, whole)


def _outputs(plan: Plan, *, fresh: bool) -> None:
    """Every stream's file exists from the start, also if nothing is ever told; a fresh run has new ones."""
    for stem in LINES:
        path = plan.output / f"{stem}.ndjson"
        if fresh:
            path.unlink(missing_ok=True)
        path.touch()
    if fresh:
        (plan.output / HEALTH).unlink(missing_ok=True)


def _snapshots(args: argparse.Namespace, plan: Plan, *, anew: bool) -> AbstractContextManager[None]:
    """Parquet snapshots beside the run, unless only the main job was asked for."""
    if args.job != "all":
        return nullcontext()
    from dataflows import snapshots  # polars is slow to import, and not every run wants it

    return snapshots.beside(snapshots.Following(plan.output, plan.policy, as_of=plan.as_of, anew=anew))


def snapshots_of(args: argparse.Namespace) -> None:
    """The snapshots job by itself: from the record streams in --input to Parquet below --output."""
    from dataflows import snapshots  # polars is slow to import, and not every run wants it

    policy = load(args.config)
    if policy.snapshots.root is None:
        own = policy.snapshots.model_copy(update={"root": str(args.output)})
        policy = policy.model_copy(update={"snapshots": own})
    if not args.input.is_dir():
        raise Terminal(f"--input {args.input}: there is no such directory")
    as_of = args.as_of.astimezone(UTC) if args.as_of is not None else None
    snapshots.follow(snapshots.Following(args.input, policy, as_of=as_of))


def _note(args: argparse.Namespace, *, finished: datetime | None) -> None:
    """Leave beside the output what `explain`, `trace` and `report` must know of the run."""
    path: Path = args.output / RUN
    path.parent.mkdir(parents=True, exist_ok=True)
    note = {
        "input": str(args.input.resolve()),
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
    """While inside, tells every half second how many bytes the lanes have read, of how many."""

    def __init__(self, lanes: list[Any], tell: Callable[[int, int], None]) -> None:
        self._lanes, self._tell = lanes, tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            readings = [lane.reading for lane in list(self._lanes)]
            self._tell(sum(r.bytes_read for r in readings), sum(r.bytes_total for r in readings))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def member(args: argparse.Namespace) -> bool:
    """One process of a cluster: tells its progress as JSON lines on stdout."""
    plan = plan_of(args)
    lanes: list[Any] = []

    def tell(done: int, total: int) -> None:
        print(json.dumps([done, total]), flush=True)

    with _watching(lanes, tell):
        return engine.run(
            availability_job(plan),
            engine.Cluster(args.process_id, tuple(args.addresses.split(";"))),
            state=args.state,
            epoch=args.epoch,
            watch=lanes.append,
        )


def _together(args: argparse.Namespace, progress: Progress) -> bool:
    """Start the processes, follow them, pass signals on; when one fails all end and its words are ours."""
    if args.state is not None:
        engine.prepare(args.state)
    addresses = ";".join(f"127.0.0.1:{port}" for port in _free_ports(args.workers))
    base = [sys.executable, "-m", "dataflows", *sys.argv[1:], "--addresses", addresses]
    processes = [
        subprocess.Popen(  # noqa: S603  because it is this program again, with the arguments it was given
            [*base, "--process-id", str(member)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for member in range(args.workers)
    ]
    stop = engine.Stop()

    def pass_on(number: int, _: object) -> None:
        stop.request()
        for process in processes:
            process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    readings: dict[int, tuple[int, int]] = {}
    words: dict[int, str] = {}

    def follow(number: int, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            if not line.startswith("["):
                continue
            done, total = json.loads(line)
            readings[number] = (done, total)
            progress.show(readings)

    def listen(number: int, process: subprocess.Popen[str]) -> None:
        words[number] = process.stderr.read() if process.stderr else ""

    threads = [
        threading.Thread(target=f, args=(n, p)) for n, p in enumerate(processes) for f in (follow, listen)
    ]
    for thread in threads:
        thread.start()
    codes = [process.wait() for process in processes]
    for thread in threads:
        thread.join()
    if any(codes):
        first = next(number for number, code in enumerate(codes) if code)
        raise Transient(
            f"process {first} of {args.workers} ended with {codes[first]}:\n{words[first].strip()}"
        )
    return not stop.requested


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
