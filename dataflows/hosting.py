"""What a runner must know of a job, and nothing else: lanes that read, stages that keep state, mail between them.

Two runners drive it: `engine.py` (Bytewax) and `plain.py` (a loop). They must give the same output.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from operators.turnstile import Turnstile, Waiting


class Mail(NamedTuple):
    """A message for shard `shard` of stage `stage`; outlets are stages too, and take bytes of whole lines."""

    stage: str
    shard: int
    message: Any


class Lane(Protocol):
    """One input partition of the engine. `inputs` counts what it has read, in this run or before."""

    ended: bool

    @property
    def inputs(self) -> int: ...
    def read(self, now: datetime) -> list[Mail]: ...
    def pause(self, now: datetime) -> list[Mail]: ...
    def position(self) -> Any: ...
    def close(self) -> None: ...


class Host(Protocol):
    """One shard of one stage."""

    def apply(self, messages: list[Any]) -> list[Mail]: ...
    def snapshot(self) -> bytes: ...
    def restore(self, sealed: bytes) -> None: ...
    def check(self) -> None: ...


class Hosted:
    """A shard in a stage: what it tells becomes mail."""

    def __init__(self, shard: Any) -> None:
        self.shard = shard
        self.snapshot: Callable[[], bytes] = shard.snapshot
        self.restore: Callable[[bytes], None] = shard.restore
        self.check: Callable[[], None] = shard.check


class Ordered(Hosted):
    """A shard that takes parcels of lanes: those of one file come to it in the order of the file."""

    def __init__(self, shard: Any) -> None:
        super().__init__(shard)
        self._turnstile = Turnstile()
        self.snapshot = self._snapshot
        self.restore = self._restore

    def apply(self, messages: list[Any]) -> list[Mail]:
        passing = self._turnstile.admit(messages)
        return self.mails(self.shard.apply(passing)) if passing else []

    def mails(self, told: Any) -> list[Mail]:
        """What the shard told, as mail."""
        raise NotImplementedError

    def _snapshot(self) -> bytes:
        return _pack((self._turnstile.snapshot(), self.shard.snapshot()))

    def _restore(self, sealed: bytes) -> None:
        waiting, state = _unpack(sealed)
        self._turnstile.restore(waiting)
        self.shard.restore(state)


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[Waiting, bytes]).decode


class Outlet(Protocol):
    """One output partition: what is written is durable once `flush` has returned the position after it."""

    def write(self, blocks: list[bytes]) -> None: ...
    def flush(self) -> int: ...
    def close(self) -> None: ...


class Stage(NamedTuple):
    """`host(shard)` makes an empty shard of this stage."""

    name: str
    host: Callable[[int], Host]


class Job(NamedTuple):
    """A whole job. Stages stand in the order mail flows: a stage mails only to later ones and to outlets."""

    name: str
    lanes: tuple[str, ...]
    lane: Callable[[str, Any], Lane]
    stages: tuple[Stage, ...]
    outlets: tuple[str, ...]
    outlet: Callable[[str, int | None], Outlet]
