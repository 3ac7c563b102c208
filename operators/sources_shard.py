"""All sources, heard through every lane: who is silent, whose numbers are missing, who sends what nobody expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from canonical.messages import Drifted, Heard, Time
from canonical.outputs import ExceptionRecord
from canonical.policy import Policy
from operators.clock import Clock
from operators.exceptions.episode import Episode
from operators.exceptions.schema_drift import Drifting, schema_drift
from operators.exceptions.sequence_gap import Sequence, sequence_gap
from operators.exceptions.source_stale import Stretch, joined, source_stale
from operators.exceptions.tracker import INSTANT, Told, Tracker
from operators.seal import seal, unseal


class State(Struct, array_like=True):
    """What a snapshot holds."""

    clock: list[Time] = field(default_factory=list)
    began: datetime | None = None
    spoke: dict[str, list[Stretch]] = field(default_factory=dict)
    sequences: dict[str, Sequence] = field(default_factory=dict)
    drift: dict[str, Drifting] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    wake: datetime | None = None


class SourcesShard:
    """The only one of its stage. `watched`: source → how long it may be silent."""

    def __init__(
        self,
        lanes: tuple[str, ...],
        policy: Policy,
        watched: Mapping[str, timedelta],
        as_of: datetime | None,
    ) -> None:
        self._watched = watched
        self._lateness, self._retention = policy.time.allowed_lateness, policy.time.retention
        self._tracker = Tracker(policy.severity)
        self._clock = Clock(lanes, as_of)
        self._state = State()

    def apply(self, messages: list[Heard]) -> list[ExceptionRecord]:
        """Take what lanes heard, then their time; every change of an exception up to the watermark."""
        news = False
        for heard in messages:
            news = self._take(heard) or news
            self._clock.hear(heard.time)
        watermark = self._clock.watermark
        if watermark is None or not (
            news or (self._state.wake is not None and watermark >= self._state.wake)
        ):
            return []
        return self._look(watermark)

    def _take(self, heard: Heard) -> bool:
        state = self._state
        for source, first, last in ((x.source, x.first, x.last) for x in heard.spans):
            if state.began is None or first < state.began:
                state.began = first
            known = state.spoke.get(source, [])
            state.spoke[source] = joined([*known, (first, last)], self._watched[source])
        for source, arrivals in heard.numbers.items():
            state.sequences.setdefault(source, Sequence()).waiting += arrivals
        for sample in heard.drift:
            self._sampled(sample)
        return bool(heard.spans or heard.numbers or heard.drift)

    def _sampled(self, sample: Drifted) -> None:
        subject = f"{sample.source}|{sample.type}|{sample.field}"
        known = self._state.drift.get(subject)
        if known is None:
            self._state.drift[subject] = Drifting(sample, 1, sample.at)
        else:
            known.add(sample)

    def _look(self, watermark: datetime) -> list[ExceptionRecord]:
        wakes: list[datetime] = []
        for source, sequence in self._state.sequences.items():
            due = sequence.settle(source, self._lateness, watermark)
            if sequence.waiting:
                wakes.append(min(sequence.waiting)[0])
            if due is not None:
                wakes.append(due + INSTANT)
        episodes = list(self._episodes(watermark))
        records = self._tracker.tell(self._state.told, episodes, watermark)
        wake = self._tracker.wake(episodes, watermark)
        if wake is not None:
            wakes.append(wake)
        wakes += [x.opened_at for x in episodes if x.opened_at > watermark]
        wakes += [at for spoke in self._state.spoke.values() for at, _ in spoke if at > watermark]
        self._state.wake = min(wakes, default=None)
        self._forget(watermark - self._retention)
        return records

    def _episodes(self, watermark: datetime) -> Iterator[Episode]:
        state = self._state
        if state.began is not None:
            for source, pause in self._watched.items():
                spoke = joined([(state.began, state.began), *state.spoke.get(source, [])], pause)
                yield from source_stale(source, spoke, pause, watermark)
        for source, sequence in state.sequences.items():
            yield from sequence_gap(source, sequence, self._lateness)
        for drifting in state.drift.values():
            yield from schema_drift(drifting, self._retention, watermark)

    def _forget(self, horizon: datetime) -> None:
        """Let go of what is over for longer than the retention, and of what was told of it."""
        state = self._state
        for sequence in state.sequences.values():
            sequence.forget(horizon)
        state.drift = {
            key: known for key, known in state.drift.items() if known.last_at + self._retention > horizon
        }
        gone = [
            key
            for key, known in state.told.items()
            if known.cleared_at is not None
            and known.cleared_at < horizon
            and not key.startswith("source_stale:")
        ]
        for key in gone:
            del state.told[key]

    @property
    def stale(self) -> list[str]:
        """The sources that are silent for too long at present, of what was told."""
        told = self._state.told.items()
        return sorted(
            known.correlationid
            for key, known in told
            if known.cleared_at is None and key.startswith("source_stale:")
        )

    def check(self) -> None:
        """Raise AssertionError if an invariant of the state does not hold."""
        for source, sequence in self._state.sequences.items():
            top = sequence.top or 0
            assert all(hole.first <= hole.last < top for hole in sequence.holes), (
                f"{source}: a hole at its end"
            )
            assert all(gap.missing or gap.filled_at for gap in sequence.gaps), f"{source}: filled, and open"

    def snapshot(self) -> bytes:
        self._state.clock = self._clock.snapshot()
        return seal("sources", 0, 1, self._state)

    def restore(self, sealed: bytes) -> None:
        self._state = unseal("sources", 0, 1, sealed, State)
        self._clock.restore(self._state.clock)
