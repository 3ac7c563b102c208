"""What a driver is: how it is found, what it is given, what it gives back.

A module of this package is a driver when it has `NEEDS` (what of `[channels.<name>.api]` must be there) and
`start(setup)`, which makes a `Driver`. `driver = "amazon"` in the configuration is the module `amazon`; there is no
list to edit. A driver runs in one thread, may block, and keeps nothing that would be missed after a crash.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Protocol

from msgspec import Struct

from canonical.api import Api, Limit
from canonical.errors import Terminal, Transient
from canonical.outputs import ChannelUpdate
from canonical.policy import Channel
from sinks import channels
from sinks.channels.credentials import Credentials
from sinks.channels.pacing import Gate, Pause
from sinks.channels.transport import Request, Response, Transport

THROTTLED, UNANSWERED, UNAUTHORISED = "throttled", "unanswered", "unauthorised"
FAILED, NOT_APPLIED = "channel_failed", "not_applied"
DENIED_PAUSE = 60.0
"""Seconds to leave a channel alone that does not let us in: only a person can help."""
LONGEST_MESSAGE = 500


class Needs(Struct, frozen=True):
    """Names in `[channels.<name>.api]`, and in its `credentials`, that a driver cannot do without."""

    settings: tuple[str, ...] = ("endpoint",)
    credentials: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """What became of one update. No `code`: taken, and the channel shows `quantity`.

    `again`: worth another try as it is. `wait`: seconds in which the channel wants no call.
    """

    update: ChannelUpdate
    code: str | None = None
    message: str = ""
    wait: float | None = None
    again: bool = False
    quantity: int | None = None


class Submission(Struct, frozen=True):
    """Updates that a channel accepted and has not applied yet.

    `ref` is the channel's name for them, `kind` the driver's own word; `sent_at` in seconds since 1970. Plain data,
    so that it outlives the process.
    """

    ref: str
    kind: str
    updates: list[ChannelUpdate]
    sent_at: float


class Reply(Struct, frozen=True):
    """What a call came to. `submissions` are to be asked about later; for `poll`, None says: not yet."""

    answers: list[Answer] = []
    submissions: list[Submission] = []


class Route(Struct, frozen=True):
    """One way to tell: `size` updates fit in a call of it; it is free in `seconds`."""

    name: str
    size: int
    seconds: float


class Driver(Protocol):
    """Tells one channel. Raises Transient when the world fails: the updates are tried again while there is time."""

    def route(self, waiting: int) -> Route:
        """The best way to tell this many updates."""

    def send(self, route: str, updates: list[ChannelUpdate]) -> Reply:
        """Tell these by that way: each is answered, or is in a submission."""

    def poll(self, submission: Submission) -> Reply | None:
        """Ask what became of a submission: None while it is not decided."""

    def close(self) -> None: ...


class Setup:
    """What a driver is given: its channel's name and policy, the way out, its secrets, its limits."""

    def __init__(
        self, channel: str, policy: Channel, *, directory: Path = Path(), first_wait: float = 0.5
    ) -> None:
        self.channel, self.policy, self.api = channel, policy, policy.api
        self.stop = threading.Event()
        self.pause = Pause(self.stop, first=2 * first_wait)
        files = {name: directory / file for name, file in policy.api.credentials.items()}
        self.credentials = Credentials(files)
        self.transport = Transport(policy.api, self.pause, first_wait=first_wait)

    def gate(self, operation: str, rate: float, burst: int) -> Gate:
        """The limit of one of the channel's operations: the configuration's word, else this one."""
        return Gate(self.api.limits.get(operation) or Limit(rate=rate, burst=burst), self.pause)

    @property
    def stock_sync(self) -> timedelta:
        """How long an update may wait before the channel counts as behind."""
        return self.policy.sla.stock_sync or timedelta(minutes=15)

    def call_with(self, name: str, build: Callable[[str], Request], gate: Gate) -> Response:
        """What `build` makes of a credential, answered; once more where it was refused and its file has a new one."""
        secret = self.credentials.get(name)
        response = self.transport.call(build(secret), gate)
        if response.status in {401, 403} and (changed := self.credentials.get(name)) != secret:
            response = self.transport.call(build(changed), gate)
        return response

    def endpoint(self, path: str = "") -> str:
        return (self.api.endpoint or "").rstrip("/") + path


class Denied(Transient):
    """The channel does not let us in."""


def taken(update: ChannelUpdate, quantity: int | None = None) -> Answer:
    """The channel shows what it was told, or `quantity` by its own word."""
    return Answer(update, quantity=update.quantity if quantity is None else quantity)


def refused(update: ChannelUpdate, code: object, message: object = "") -> Answer:
    """The channel will not take this as it is."""
    return Answer(update, code=str(code or FAILED)[:200], message=str(message or "")[:LONGEST_MESSAGE])


def failed(response: Response, updates: list[ChannelUpdate], message: str = "") -> list[Answer]:
    """The whole call came to nothing, told by its status: the same answer for every update in it."""
    status, wait = response.status, response.retry_after
    code, again = f"http_{status}", False
    if status == 429:  # noqa: PLR2004  the one number that means "too often"
        code, again = THROTTLED, True
    elif status in {408, 425} or status >= 500:  # noqa: PLR2004  their side failed
        code, again = FAILED, True
    elif status in {401, 403}:
        code, wait = UNAUTHORISED, DENIED_PAUSE
    words = (message or f"the channel answered {status}")[:LONGEST_MESSAGE]
    return [Answer(update, code, words, wait, again) for update in updates]


def names() -> list[str]:
    """Every driver there is."""
    found = (module.name for module in pkgutil.iter_modules(channels.__path__))
    return sorted(name for name in found if hasattr(_module(name), "NEEDS"))


def find(channel: str, policy: Channel) -> Callable[[Setup], Driver]:
    """The driver a channel's configuration names. Raises Terminal saying what is missing or unknown."""
    name = policy.driver or ""
    module = _module(name) if re.fullmatch(r"[a-z][a-z_]*", name) else None
    if module is None or not hasattr(module, "NEEDS"):
        raise Terminal(f"channels.{channel}.driver: no driver {name!r}; there are: {', '.join(names())}")
    missing = lacks(module.NEEDS, policy.api)
    if missing:
        raise Terminal(f"channels.{channel}.api: driver {name!r} needs {', '.join(missing)}")
    start: Callable[[Setup], Driver] = module.start
    return start


def lacks(needs: Needs, api: Api) -> list[str]:
    """What the configuration leaves out of what a driver needs, or gives a driver that has no use for it."""
    missing = [name for name in needs.settings if not getattr(api, name)]
    missing += [f"credentials.{name}" for name in needs.credentials if name not in api.credentials]
    missing += [f"no credentials.{name}" for name in api.credentials if name not in needs.credentials]
    return missing


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"{channels.__name__}.{name}")
    except ModuleNotFoundError:
        return None
