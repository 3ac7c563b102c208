"""Tells each episode once: opened, escalated as it grows or stays, cleared; and takes back what never was.

What is told follows from the episodes and the watermark alone: batches, repeats and crashes do not show in it
(but for `detected_at`, which is the watermark of the telling).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from canonical.outputs import ExceptionRecord
from canonical.policy import Severity
from operators.exceptions.episode import Episode, Owner, Worth, numbered

LEVELS: tuple[Literal["low", "medium", "high", "critical"], ...] = ("low", "medium", "high", "critical")
INSTANT = timedelta(microseconds=1)
"""The least step of time: a deadline d is missed from d + INSTANT on."""


class Told(Struct, array_like=True, gc=False):
    """What was last told of one exception, and what it is about, to take it back. `level`: place in LEVELS."""

    opened_at: datetime
    cleared_at: datetime | None
    level: int
    owner: Owner
    correlationid: str
    currency: str | None
    order_id: str | None
    sku: str | None
    location: str | None
    channel: str | None
    shipment_id: str | None


class Tracker:
    """Stateless but for its thresholds: what was told of a key lives with the key, as exception_id → Told."""

    def __init__(self, severity: Severity) -> None:
        self._overdue = tuple(sorted(severity.overdue))
        self._by_value = (severity.medium_value, severity.high_value, severity.critical_value)
        self._by_units = (severity.medium_units, severity.high_units, severity.critical_units)

    def tell(
        self, told: dict[str, Told], episodes: Collection[Episode], watermark: datetime
    ) -> list[ExceptionRecord]:
        """The records that bring `told` (changed in place) up to all the episodes of one key."""
        begun = {key: episode for key, episode in numbered(episodes) if episode.begun(watermark)}
        records: list[ExceptionRecord] = []
        for key, episode in begun.items():
            records += self._news(told, key, episode, watermark)
        for key in [key for key in told if key not in begun]:
            known = told[key]
            if known.cleared_at != known.opened_at:
                known.cleared_at = known.opened_at
                records.append(_taken_back(key, known, watermark))
        return records

    def wake(self, episodes: Collection[Episode], watermark: datetime) -> datetime | None:
        """The soonest event time after the watermark at which something begins or escalates by itself."""
        times = [e.opened_at + INSTANT for e in episodes if e.deadline and not e.begun(watermark)]
        for episode in episodes:
            if episode.cleared_at is None and episode.begun(watermark):
                times += [episode.opened_at + late + INSTANT for late in self._overdue]
        return min((at for at in times if at > watermark), default=None)

    def _news(
        self, told: dict[str, Told], key: str, episode: Episode, watermark: datetime
    ) -> Iterator[ExceptionRecord]:
        known = told.get(key)
        steps = self._steps(episode, watermark)
        again = known is not None and known.cleared_at not in {None, episode.cleared_at}
        if known is None or known.opened_at != episode.opened_at or again:
            known = told[key] = _told(episode, steps[0][0])
            yield _record(key, "opened", episode, steps[0], watermark)
        for step in steps[1:]:
            if step[0] > known.level:
                known.level = step[0]
                known.cleared_at = (
                    None  # should it have been told: it is told again, so that the last word is right
                )
                yield _record(key, "escalated", episode, step, watermark)
        if episode.cleared_at != known.cleared_at:
            known.cleared_at = episode.cleared_at
            yield _record(key, "cleared", episode, (known.level, episode.worths()[-1]), watermark)

    def _steps(self, episode: Episode, watermark: datetime) -> list[tuple[int, Worth]]:
        """(level, worth) at the opening, after each change of worth and each threshold of time passed."""
        worths = episode.worths()
        late = [episode.opened_at + late for late in self._overdue]
        end = watermark if episode.cleared_at is None else min(watermark, episode.cleared_at)
        late = [at for at in late if at < end]
        moments = [(worth.at, place, 0) for place, worth in enumerate(worths)]
        moments += [(at, 0, place) for place, at in enumerate(late, 1)]
        steps: list[tuple[int, Worth]] = []
        worth, raised = worths[0], 0
        for at, place, overdue in sorted(moments):
            if overdue:
                raised = overdue
            elif at <= end:
                worth = worths[place]
            steps.append((min(self._level(worth) + raised, len(LEVELS) - 1), worth))
        return steps

    def _level(self, worth: Worth) -> int:
        by_value = sum(worth.value >= least for least in self._by_value)
        return max(by_value, sum(worth.units >= least for least in self._by_units))


def open_ids(told: Mapping[str, Told]) -> list[str]:
    """The exceptions that are told and not cleared, in order of their ids."""
    return sorted(key for key, known in told.items() if known.cleared_at is None)


def _told(episode: Episode, level: int) -> Told:
    return Told(
        episode.opened_at,
        None,
        level,
        episode.owner,
        episode.correlationid,
        episode.currency,
        episode.order_id,
        episode.sku,
        episode.location,
        episode.channel,
        episode.shipment_id,
    )


def _record(
    key: str,
    status: Literal["opened", "escalated", "cleared"],
    episode: Episode,
    step: tuple[int, Worth],
    watermark: datetime,
) -> ExceptionRecord:
    level, worth = step
    return ExceptionRecord(
        key,
        episode.code,
        status,
        LEVELS[level],
        episode.owner,
        episode.opened_at,
        watermark,
        worth.units,
        f"{worth.value:f}",
        episode.currency,
        list(worth.evidence),
        episode.correlationid,
        worth.message,
        episode.cleared_at if status == "cleared" else None,
        episode.order_id,
        episode.sku,
        episode.location,
        episode.channel,
        episode.shipment_id,
    )


def _taken_back(key: str, known: Told, watermark: datetime) -> ExceptionRecord:
    """An event later than allowed shows that this never was: cleared at the instant it was opened."""
    return ExceptionRecord(
        key,
        key.partition(":")[0],
        "cleared",
        LEVELS[known.level],
        known.owner,
        known.opened_at,
        watermark,
        0,
        "0",
        known.currency,
        [],
        known.correlationid,
        "Taken back: an event that arrived late shows that this never was; nothing is to be done.",
        known.opened_at,
        known.order_id,
        known.sku,
        known.location,
        known.channel,
        known.shipment_id,
    )
