"""What time it is, put together from what every upstream believes of it (DESIGN section 5)."""

from __future__ import annotations

from datetime import datetime

from canonical.messages import Time


class Clock:
    """Knows its upstreams by name from the start: time stands still until every one of them has spoken."""

    def __init__(self, upstreams: tuple[str, ...], as_of: datetime | None = None) -> None:
        self._heard: dict[str, Time | None] = dict.fromkeys(upstreams)
        self._as_of = as_of

    def hear(self, time: Time) -> None:
        """Take what an upstream says; a watermark never goes back."""
        before = self._heard[time.upstream]
        if before is not None and before.watermark is not None and time.watermark is not None:
            time.watermark = max(before.watermark, time.watermark)
        self._heard[time.upstream] = time

    @property
    def ended(self) -> bool:
        return all(time is not None and time.ended for time in self._heard.values())

    @property
    def greatest(self) -> datetime | None:
        """The greatest event time any upstream has read."""
        known = [t.greatest for t in self._heard.values() if t is not None and t.greatest is not None]
        return max(known, default=None)

    @property
    def watermark(self) -> datetime | None:
        """The least of the upstreams that have not ended; once all have, `as_of` or the greatest time read."""
        least: datetime | None = None
        for time in self._heard.values():
            if time is None:
                return None
            if not time.ended:
                if time.watermark is None:
                    return None
                if least is None or time.watermark < least:
                    least = time.watermark
        return least if least is not None else self._as_of or self.greatest

    @property
    def catalogue(self) -> datetime | None:
        """The least time of a product event any upstream has read."""
        known = [t.catalogue for t in self._heard.values() if t is not None and t.catalogue is not None]
        return min(known, default=None)

    def told(self, upstream: str, now: datetime) -> Time:
        """This clock's time, to be told to the next shard under the name `upstream`."""
        return Time(upstream, self.watermark, self.greatest, self.ended, now, self.catalogue)

    def snapshot(self) -> list[Time]:
        return [time for time in self._heard.values() if time is not None]

    def restore(self, times: list[Time]) -> None:
        for time in times:
            if time.upstream in self._heard:
                self._heard[time.upstream] = time
