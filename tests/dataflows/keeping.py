"""A small job that keeps state with the real engine: counts, notes durable epochs, and can be killed at a number.

python keeping.py DIR LAST [KILL_AT]      prints how many of the numbers 1 to LAST were counted, in all runs
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax._bytewax import cli_main
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink

from canonical.errors import Terminal
from dataflows.state import Marker, State

SHAPE = {"job": "keeping", "shards": 2}
PARTS = 3


class Numbers(StatefulSourcePartition[tuple[str, int], int]):
    def __init__(self, marker: Marker, at: int, last: int, kill_at: int) -> None:
        self._marker, self._at, self._last, self._kill_at = marker, at, last, kill_at
        self._snapshot_taken = False

    def next_batch(self) -> list[tuple[str, int]]:
        if self._snapshot_taken:
            self._marker.note()
            self._snapshot_taken = False
        if self._at == self._last:
            raise StopIteration
        self._at += 1
        if self._at == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return [(f"key-{self._at % 7}", 1)]

    def snapshot(self) -> int:
        self._snapshot_taken = True
        return self._at


class Source(FixedPartitionedSource[tuple[str, int], int]):
    def __init__(self, marker: Marker, last: int, kill_at: int) -> None:
        self._marker, self._last, self._kill_at = marker, last, kill_at

    def list_parts(self) -> list[str]:
        return ["numbers"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Numbers:
        return Numbers(self._marker, resume_state or 0, self._last, self._kill_at)


def main() -> int:
    directory, last = Path(sys.argv[1]), int(sys.argv[2])
    kill_at = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    try:
        state = State(directory, SHAPE, PARTS, init_db_dir)
    except Terminal as refused:
        print(refused, file=sys.stderr)
        return 2
    counts: list[tuple[str, int]] = []
    flow = Dataflow("keeping")
    numbers = op.input("numbers", flow, Source(state.marker, last, kill_at))
    counted = op.stateful_map("count", numbers, lambda had, one: ((had or 0) + one, (had or 0) + one))
    op.output("out", counted, TestingSink(counts))
    try:
        config = RecoveryConfig(str(state.parts))  # type: ignore[no-untyped-call]  # the engine's Rust side has no types
        cli_main(flow, epoch_interval=timedelta(0), recovery_config=config)  # type: ignore[no-untyped-call]  # the Rust side has no types
    finally:
        state.close()
    print(sum(dict(counts).values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
