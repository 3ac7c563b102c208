"""What a lane hears of its sources while it reads: that they speak, which numbers came, what they send amiss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from canonical.messages import Drifted, Heard, Span, Time


class Hearing:
    """Of one read. `watched`: source → how long it may be silent; of the others nobody asks when they spoke."""

    def __init__(self, watched: Mapping[str, timedelta]) -> None:
        self._watched = watched
        self._spoke: dict[str, list[datetime]] = {source: [] for source in watched}
        self._numbers: dict[str, list[tuple[datetime, int, str]]] = {}
        self._drifted: list[Drifted] = []

    def hear(self, events: list[Any], drift: list[Any]) -> None:
        """Take a block's events, and the samples of drift found in it."""
        spoke, numbers = self._spoke, self._numbers
        for event in events:
            if event.source in spoke:
                spoke[event.source].append(event.time)
            if event.sequence is not None:
                numbers.setdefault(event.source, []).append((event.time, int(event.sequence), event.id))
        self._drifted += [Drifted(x.source, x.type, x.field, x.sample, x.at, x.id) for x in drift]

    def told(self, time: Time) -> Heard:
        """Everything heard, and the lane's time after it."""
        spans = [
            span
            for source, times in self._spoke.items()
            for span in _spans(source, times, self._watched[source])
        ]
        return Heard(spans, self._numbers, self._drifted, time)


def _spans(source: str, times: list[datetime], pause: timedelta) -> Iterator[Span]:
    """Stretches in which the source was never silent for longer than `pause`."""
    if not times:
        return
    first, last = min(times), max(times)
    if last - first > pause:
        times.sort()
        last = first
        for at in times:
            if at - last > pause:
                yield Span(source, first, last)
                first = at
            last = at
    yield Span(source, first, last)
