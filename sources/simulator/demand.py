"""When customers order: each channel has its own curve over the day."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from sources.simulator.clock import DAY, MINUTE, instant
from sources.simulator.scenario import Scenario

FLAT = (5, 4, 4, 3, 3, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 6, 5)
MIDDAY = (2, 1, 1, 1, 1, 2, 3, 5, 7, 9, 11, 13, 14, 13, 11, 9, 8, 7, 6, 5, 5, 4, 3, 2)
EVENING = (2, 1, 1, 1, 1, 1, 2, 3, 4, 5, 5, 6, 6, 5, 5, 6, 7, 9, 12, 15, 17, 15, 10, 5)
"""Relative demand per hour of the day (UTC)."""

_SLOT = 10 * MINUTE
_SLOTS = DAY // _SLOT
_OPENING_SLOTS = 3  # nothing is sold before catalogue and counts are told


def curve(channel: str) -> tuple[int, ...]:
    """A channel's name → its hourly weights."""
    return FLAT if "amazon" in channel else MIDDAY if "walmart" in channel else EVENING


def share(channel: str) -> int:
    """A channel's weight among the channels."""
    return 9 if "amazon" in channel else 5 if "walmart" in channel else 6


def _cumulative(channel: str, days: int) -> list[int]:
    """Weight of the demand up to the end of each slot; exact, for it is in integers."""
    hourly, total, sums = curve(channel), 0, []
    for slot in range(days * _SLOTS):
        if slot >= _OPENING_SLOTS:
            total += hourly[slot % _SLOTS * 24 // _SLOTS]
        sums.append(total)
    return sums


def arrivals(scenario: Scenario) -> Iterator[tuple[int, int]]:
    """(time, index of the channel) of exactly `scenario.orders` orders, in time order, a slot at a time."""
    rng = Random(f"{scenario.seed}:demand")
    start = instant(scenario.start)
    shares = [share(channel) for channel in scenario.channels]
    ends = [scenario.orders * sum(shares[: n + 1]) // sum(shares) for n in range(len(shares))]
    totals = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]
    curves = [_cumulative(channel, scenario.days) for channel in scenario.channels]
    done = [0] * len(shares)
    for slot in range(scenario.days * _SLOTS):
        opens = start + slot * _SLOT
        batch = []
        for channel, sums in enumerate(curves):
            due = totals[channel] * sums[slot] // sums[-1]
            batch += [(opens + int(rng.random() * _SLOT) & ~1, channel) for _ in range(due - done[channel])]
            done[channel] = due
        batch.sort()
        yield from batch
