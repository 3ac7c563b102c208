"""One channel's own thread: gathers what it is to be told, lets its driver tell it, hands on the answers.

Latest wins: of each SKU only the newest version waits, and none is sent while an older one is at the channel. A call
that failed on the way is made again while there is time for its answer (half of `answer_within`); a pause the channel
asked for holds back everything. A submission that is not decided within `answer_within` has failed. Whatever a driver
raises becomes an answer: nothing ends the thread but `stop`.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterable
from itertools import islice
from queue import Empty, SimpleQueue

from msgspec import Struct, structs

from canonical.errors import Terminal, Transient
from canonical.outputs import ChannelUpdate
from sinks.channels.driver import (
    DENIED_PAUSE,
    FAILED,
    NOT_APPLIED,
    UNANSWERED,
    UNAUTHORISED,
    Answer,
    Denied,
    Driver,
    Reply,
    Setup,
    Submission,
    refused,
)
from sinks.channels.pacing import Stopped

LOG = logging.getLogger("sellable.channels")
LONGEST_POLL = 20
"""Pauses between two looks at a submission grow up to so many times the first."""


class Waiting(Struct):
    """An update and since when it has waited here (monotonic seconds)."""

    update: ChannelUpdate
    since: float


class Asked(Struct):
    """A submission, when it is to be asked about next, and the pause after that."""

    submission: Submission
    due: float
    pause: float


class Worker:
    """`driver` is used by this thread only. Answers are taken with `answers`; the rest may be asked at any time."""

    def __init__(self, setup: Setup, driver: Driver, submissions: Iterable[Submission] = ()) -> None:
        self.channel = setup.channel
        self._setup, self._driver = setup, driver
        self._poll_every = setup.api.poll_every.total_seconds()
        self._longest = setup.policy.answer_within.total_seconds()
        self._patience = self._longest / 2
        self._lock, self._wake = threading.Lock(), threading.Event()
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._waiting: dict[str, Waiting] = {}
        self._at_channel: dict[str, Waiting] = {}
        self._next: dict[str, Waiting] = {}
        self._asked: dict[str, Asked] = {}
        for submission in submissions:
            self._ask_later(submission, {})
        self._thread = threading.Thread(target=self._run, name=f"channel-{self.channel}", daemon=True)
        self._thread.start()

    def submit(self, updates: Iterable[ChannelUpdate]) -> None:
        """Tell these in the end, unless something newer comes first."""
        now = time.monotonic()
        with self._lock:
            for update in updates:
                self._put(Waiting(update, now))
        self._wake.set()

    def _put(self, new: Waiting) -> None:
        sku = new.update.sku
        place = self._next if sku in self._at_channel else self._waiting
        known = place.get(sku) or self._at_channel.get(sku)
        if known is not None and new.update.version <= known.update.version:
            return
        if sku in place:
            # The channel has never heard of the one replaced: what it shows is what that one was to replace.
            new.update = structs.replace(new.update, previous_quantity=place[sku].update.previous_quantity)
        place[sku] = new

    def answers(self) -> list[Answer]:
        """What was answered since this was last asked."""
        found = []
        try:
            while True:
                found.append(self._answers.get_nowait())
        except Empty:
            return found

    def unfinished(self) -> tuple[list[ChannelUpdate], list[Submission]]:
        """What is not answered yet: updates to submit again after a restart, submissions to ask about again."""
        with self._lock:
            submissions = [asked.submission for asked in self._asked.values()]
            told = {update.sku for submission in submissions for update in submission.updates}
            sent = [waiting for sku, waiting in self._at_channel.items() if sku not in told]
            rest = [*sent, *self._waiting.values(), *self._next.values()]
        return [waiting.update for waiting in rest], submissions

    def stop(self) -> None:
        """Stop after the call that is being made; what is not answered stays in `unfinished`."""
        self._setup.stop.set()
        self._wake.set()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._setup.stop.is_set():
            # Both in turn, so that neither asking nor telling starves the other.
            if self._setup.pause.seconds or not any((self._poll(), self._send())):
                self._wake.wait(self._idle())
                self._wake.clear()
        self._driver.close()
        self._setup.transport.close()

    def _idle(self) -> float | None:
        """Seconds until something may be due if nothing new comes; None: for ever."""
        now = time.monotonic()
        with self._lock:
            times = [asked.due - now for asked in self._asked.values()]
            waiting = len(self._waiting)
        if waiting:
            times.append(self._driver.route(waiting).seconds)
        return max(self._setup.pause.seconds, 0.001, min(times)) if times else None

    def _poll(self) -> bool:
        """Ask about the submission that has waited longest, if one is due."""
        now = time.monotonic()
        asked = min(self._asked.values(), key=lambda asked: asked.due, default=None)
        if asked is None or asked.due > now:
            return False
        submission = asked.submission
        try:
            reply = self._driver.poll(submission)
        except Stopped:
            return True
        except Transient as fault:
            self._report(fault)
            reply = None
        except Exception as fault:  # noqa: BLE001  because a bug with one submission must not stop the channel
            self._report(fault)
            reply = Reply(self._answers_to(fault, submission.updates))
        if reply is None and time.time() - submission.sent_at > self._longest:
            late = "accepted, and not applied in time"
            reply = Reply([refused(update, NOT_APPLIED, late) for update in submission.updates])
        if reply is None:
            asked.pause = min(2 * asked.pause, LONGEST_POLL * self._poll_every)
            asked.due = time.monotonic() + asked.pause
        else:
            self._settle(reply, submission.ref)
        return True

    def _send(self) -> bool:
        """Make one call, if something waits and a way is free."""
        with self._lock:
            waiting = len(self._waiting)
        if not waiting:
            return False
        route = self._driver.route(waiting)
        if route.seconds > 0:
            return False
        with self._lock:
            batch = {sku: self._waiting.pop(sku) for sku in list(islice(self._waiting, route.size))}
            self._at_channel.update(batch)
        updates = [waiting.update for waiting in batch.values()]
        try:
            reply = self._driver.send(route.name, updates)
        except Stopped:
            return True
        except Exception as fault:  # noqa: BLE001  because a bug with one update must not stop the channel
            self._report(fault)
            reply = Reply(self._answers_to(fault, updates))
        self._settle(reply, None)
        return True

    def _answers_to(self, fault: Exception, updates: list[ChannelUpdate]) -> list[Answer]:
        """What to answer when the driver raised."""
        if isinstance(fault, Denied):
            return [Answer(update, UNAUTHORISED, str(fault), DENIED_PAUSE) for update in updates]
        if isinstance(fault, Transient):
            return [Answer(update, UNANSWERED, str(fault), again=True) for update in updates]
        words = str(fault) if isinstance(fault, Terminal) else f"our driver failed ({type(fault).__name__})"
        return [Answer(update, FAILED, words, DENIED_PAUSE) for update in updates]

    def _report(self, fault: Exception) -> None:
        # What a stranger's exception says may hold anything, so of those only the kind and the place are told.
        place = traceback.extract_tb(fault.__traceback__)[-1]
        ours = isinstance(fault, Transient | Terminal)
        words = self._setup.credentials.redact(str(fault)) if ours else f"{place.name}, line {place.lineno}"
        LOG.warning("channel %s: %s: %s", self.channel, type(fault).__name__, words)

    def _settle(self, reply: Reply, ref: str | None) -> None:
        """Take a driver's reply; `ref` names the submission it settles."""
        wait = max((answer.wait or 0.0 for answer in reply.answers if answer.code), default=0.0)
        if wait:
            self._setup.pause.block(wait)
        elif any(answer.code is None for answer in reply.answers):
            self._setup.pause.ease()
        if any(answer.again and answer.wait is None for answer in reply.answers):
            wait = max(wait, self._setup.pause.back_off())
        with self._lock:
            sent = {answer.update.sku: self._at_channel.get(answer.update.sku) for answer in reply.answers}
            if ref is not None:
                self._asked.pop(ref, None)
            for answer in reply.answers:
                self._answered(answer, wait)
            for submission in reply.submissions:
                self._ask_later(submission, sent)

    def _answered(self, answer: Answer, wait: float) -> None:
        """An update is through, or waits for another try if there is time for one."""
        sku = answer.update.sku
        sent = self._at_channel.pop(sku, None)
        newer = self._next.pop(sku, None)
        if newer is not None:
            self._waiting[sku] = newer
        if answer.again and sent is not None and time.monotonic() + wait < sent.since + self._patience:
            if newer is None:
                self._waiting[sku] = sent
            return
        redact = self._setup.credentials.redact
        code = None if answer.code is None else redact(answer.code)
        self._answers.put(
            Answer(answer.update, code, redact(answer.message), answer.wait, answer.again, answer.quantity)
        )

    def _ask_later(self, submission: Submission, sent: dict[str, Waiting | None]) -> None:
        now = time.monotonic()
        self._asked[submission.ref] = Asked(submission, now + self._poll_every, self._poll_every)
        for update in submission.updates:
            self._at_channel.setdefault(update.sku, sent.get(update.sku) or Waiting(update, now))
