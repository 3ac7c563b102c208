"""The channel-feed job for file outputs, as one sentence.

    `channel-updates.ndjson` is followed from where the job last stood  →  channels are told through their drivers
        →  their answers are added to a file of `listings` events that the next ingest reads.

It runs by itself, so that no slow channel stalls anything else. What it must not forget (its position, what is not
answered yet, what is accepted and not applied) is one small file, replaced whole every few seconds: after a crash some
updates are told again, which does no harm since quantities are absolute and only the newest of a SKU is told.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from xxhash import xxh3_64_intdigest

from canonical import topics
from canonical.errors import Terminal
from canonical.outputs import ChannelUpdate
from canonical.policy import Policy
from dataflows.following import GrowingFile, Standing
from sinks.channels.desk import Desk, Unfinished
from sinks.files import LinesFile

PAUSE_SECONDS = 0.1
SAVE_SECONDS = 5.0
UPDATES = f"{topics.CHANNEL_UPDATES.name}.ndjson"
STATE = "meta/channel-feed.json"
ANSWERS = f"{topics.LISTINGS.name}/channel-feed.ndjson"
_decoder = msgspec.json.Decoder(ChannelUpdate)
_lines = msgspec.json.Encoder().encode_lines


class Feeding(Struct, frozen=True):
    """What a channel-feed job was asked for.

    `output`: the directory of the run whose updates are told. `answers`: an input directory; the events go to a file
    of their own below it (`listings/channel-feed.ndjson`). `directory`: where relative paths of credential files begin.
    `first_wait`: the shortest pause (seconds) before a call is made a second time.
    """

    output: Path
    policy: Policy
    answers: Path
    directory: Path = Path()
    first_wait: float = 0.5


class Saved(Struct, frozen=True):
    """What the job takes up again: where it stands in the updates, and what is under way."""

    position: dict[str, Any] | None = None
    unfinished: Unfinished = Unfinished()


def tell(
    plan: Feeding,
    *,
    ended: Callable[[], bool] = lambda: False,
    stopping: Callable[[], bool] = lambda: False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Tell channels until `ended` (no more updates come) and all is answered, or until `stopping`, at once.

    Raises Terminal when the configuration cannot work, or another such job is at the same directory.
    """
    feeder = _Feeder(plan)
    try:
        while not stopping():
            over = ended()  # asked first: what was written before the end is read after it
            read = feeder.read()
            told = feeder.take(clock())
            if over and not read and feeder.is_idle:
                break
            if not read and not told:
                time.sleep(PAUSE_SECONDS)
    finally:
        feeder.close(clock())


class _Feeder:
    """The file of updates, the desk they go to, the file of answers, and the saved state."""

    def __init__(self, plan: Feeding) -> None:
        self._plan = plan
        self._state = plan.output / STATE
        if not any(channel.driver for channel in plan.policy.channels.values()):
            raise Terminal(
                "channel-feed: no channel of the configuration has a driver: there is nobody to tell"
            )
        self._lock = _locked(self._state.with_suffix(".lock"))
        try:
            saved = _load(self._state)
            self._desk = self._open(saved.unfinished)
        except Terminal:
            os.close(self._lock)
            raise
        self._updates = GrowingFile(plan.output / UPDATES, saved.position)
        self._position = saved.position  # up to here everything has been submitted
        path = plan.answers / ANSWERS
        self._answers = LinesFile(path, _whole(path))
        self._told: dict[int, int] = {}
        self._saved_at = time.monotonic()

    def _open(self, unfinished: Unfinished) -> Desk:
        plan = self._plan
        return Desk(plan.policy, unfinished, directory=plan.directory, first_wait=plan.first_wait)

    def read(self) -> bool:
        """Submit what has been written since the last time, of each SKU the newest; False if there was nothing."""
        standing = self._updates.standing()
        if standing is not Standing.GROWN:
            self._updates.rewind()
        if standing is Standing.REPLACED:  # another run counts its versions from the start
            self._desk.close()
            self._desk, self._told = self._open(Unfinished()), {}
        newest: dict[tuple[str, str], ChannelUpdate] = {}
        while True:
            lines = self._updates.read()
            for update in _decoded(lines, self._plan.output / UPDATES):
                key = xxh3_64_intdigest(f"{update.channel}|{update.sku}".encode())
                if update.version > self._told.get(key, -1):
                    self._told[key] = update.version
                    newest[update.channel, update.sku] = update
            if self._updates.at_end:
                break
        self._desk.submit(newest.values())
        self._position = self._updates.position()
        return bool(newest)

    def take(self, now: datetime) -> bool:
        """Write what channels have answered; save now and then. False if nothing was answered."""
        unfinished = self._desk.unfinished() if time.monotonic() - self._saved_at > SAVE_SECONDS else None
        told = self._desk.poll(now)
        if told:
            self._answers.write([_lines(told)])
        if unfinished is not None:
            self._save(unfinished)
        return bool(told)

    @property
    def is_idle(self) -> bool:
        """Whether everything submitted has been answered, and the answers are written."""
        unfinished = self._desk.unfinished()
        return not unfinished.updates and not unfinished.submissions

    def close(self, now: datetime) -> None:
        """Stop the channels after the calls they are making, and save."""
        self._desk.close()
        self.take(now)
        self._save(self._desk.unfinished())
        self._answers.close()
        os.close(self._lock)

    def _save(self, unfinished: Unfinished) -> None:
        """The answers first: what the state no longer has is in them."""
        self._answers.flush()
        staged = self._state.with_suffix(".tmp")
        with staged.open("wb") as file:
            file.write(msgspec.json.encode(Saved(self._position, unfinished)))
            file.flush()
            os.fsync(file.fileno())
        staged.replace(self._state)
        self._saved_at = time.monotonic()


def _decoded(lines: bytes, path: Path) -> list[ChannelUpdate]:
    try:
        return [_decoder.decode(line) for line in lines.splitlines()]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Terminal(f"{path}: holds a line that is no channel update ({error})") from error


def _load(path: Path) -> Saved:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Saved)
    except FileNotFoundError:
        return Saved()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Terminal(
            f"{path}: is not what this job saved ({error}); remove it, and every channel is told the newest again"
        ) from error


def _whole(path: Path) -> int:
    """The length up to the last whole line: a crash may have left a piece of one behind it."""
    return path.read_bytes().rfind(b"\n") + 1 if path.exists() else 0


def _locked(path: Path) -> int:
    """A lock that is ours until closed, or until the process ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        raise Terminal(
            f"{path.parent.parent}: another channel-feed job tells these channels already"
        ) from error
    return file
