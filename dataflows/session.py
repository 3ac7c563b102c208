"""What the parts of one process share while it runs: the wish to stop, what is open, how much may be read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from canonical.errors import Terminal, Transient
from dataflows.hosting import Job, Lane, Mail, Outlet
from dataflows.state import Marker

FAILED, USAGE = 1, 2
"""Exit codes, as `__main__` gives them."""
RATION = 1_000_000
"""Inputs the lanes of one process of a cluster read in an epoch, at most: the engine itself would let a fast
process fill the memory of a slow one."""


class Stop:
    """Whether somebody asked the process to end: a flag, because a signal may come at any instant."""

    def __init__(self) -> None:
        self.requested = False

    def request(self, *_: object) -> None:
        self.requested = True


class Ration:
    """How much the lanes of this process may still read in this epoch; `size` None: as much as there is."""

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._used = 0

    @property
    def spent(self) -> bool:
        return self._size is not None and self._used >= self._size

    def use(self, inputs: int) -> None:
        self._used += inputs

    def renew(self) -> None:
        self._used = 0


class Session:
    """One run of a job in this process. `state`: the directory it is kept in; someone else holds its lock.

    `clustered`: there are other processes, so how much is read at once is rationed, and a fault ends this one at
    once with words: the engine's way out, through a panic, would tell nobody what was wrong.
    """

    def __init__(
        self, job: Job, state: Path | None, watch: Callable[[Lane], None] | None, *, clustered: bool
    ) -> None:
        self.job, self.state, self.clustered = job, state, clustered
        self.ration = Ration(RATION if clustered else None)
        self.stop = Stop()
        self._watch = watch
        self._lanes: list[Lane] = []
        self._outlets: list[Outlet] = []

    def lane(self, name: str, position: object) -> PolledLane:
        """Open a lane. Of all lanes of all processes it is the first that notes how far the state has come."""
        lane = self.job.lane(name, position)
        self._lanes.append(lane)
        if self._watch is not None:
            self._watch(lane)
        notes = self.state is not None and name == self.job.lanes[0]
        return PolledLane(self, lane, Marker.of(self.state) if notes and self.state is not None else None)

    def outlet(self, name: str, position: int | None) -> Outlet:
        outlet = self.job.outlet(name, position)
        self._outlets.append(outlet)
        return outlet

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around whatever the engine calls that may fail."""
        try:
            yield
        except (Terminal, Transient, OSError) as fault:
            if not self.clustered:
                raise
            print(f"sellable run: {fault}", file=sys.stderr, flush=True)
            os._exit(USAGE if isinstance(fault, Terminal) else FAILED)

    def close(self) -> None:
        """Close all that was opened. What outlets still had to write is then written, or this raises."""
        with ExitStack() as closing:
            for close in [one.close for one in self._lanes] + [one.close for one in self._outlets]:
                closing.callback(close)


class PolledLane:
    """A lane as an engine polls it. The first poll after a snapshot proves that its epoch is durable."""

    def __init__(self, session: Session, lane: Lane, marker: Marker | None) -> None:
        self._session, self._lane, self._marker = session, lane, marker
        self._saved = self._paused = False
        self._saved_since_stop = session.state is None
        self.idle = False

    @property
    def stopped(self) -> bool:
        """Whether the process was asked to end and all that was read is kept."""
        return self._session.stop.requested and self._saved_since_stop

    @property
    def ended(self) -> bool:
        return self._lane.ended

    def poll(self, now: datetime) -> list[Mail]:
        """What there is to read; `idle` says afterwards that there was nothing."""
        if self._saved:
            self._saved = False
            if self._marker is not None:
                self._marker.note()
        session, lane = self._session, self._lane
        self.idle = True
        if session.stop.requested and not self._paused:
            self._paused = True
            return lane.pause(now)
        if self._paused or session.ration.spent:
            return []
        before = lane.inputs
        mails = lane.read(now)
        session.ration.use(lane.inputs - before)
        self.idle = not mails
        return mails

    def position(self) -> object:
        """Where the lane stands, asked once at each epoch's end."""
        self._session.ration.renew()
        self._saved = True
        self._saved_since_stop |= self._paused
        return self._lane.position()
