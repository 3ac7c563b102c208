"""What has changed at a SKU since the watermark: enough to walk its last stretch of event time again.

Claims replace one another, and a batch may bring several at once or out of order. So the steps of every claim are
kept until the watermark has passed them, in two generations, which are let go whole: no entry is ever searched for.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct, field

from operators.sku import Held

BEGINNING = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)
COUNTED = 10**15
"""More units than anything holds: the book may have been anything."""


class Change(Struct, array_like=True, gc=False):
    """At `at` an order's claim became `after`; `before` is what was held when the change arrived.

    Without an order_id: a movement or count of the book at `location`, that the ledgers know more of. At most it gave
    `units` free and brought `inflow` into books.
    """

    at: datetime
    rank: str
    order_id: str = ""
    before: Held | None = None
    after: Held | None = None
    location: str = ""
    units: int = 0
    inflow: int = 0


class Recent(Struct, array_like=True, gc=False):
    """Changes of one SKU in order of arrival, and what they gave free and brought into books together.

    `counted`: there is a count among them, and so a movement it holds changes nothing any more, but did. `units` and
    `inflow` are of the changes from `since` on only, where the earlier ones matter to nobody.
    """

    units: int = 0
    inflow: int = 0
    counted: bool = False
    changes: list[Change] = field(default_factory=list)
    since: datetime = BEGINNING

    def sum_from(self, since: datetime) -> None:
        """Let only changes from `since` on be summed up."""
        self.since = since
        wanted = [change for change in self.changes if change.at >= since]
        self.units = sum(change.units for change in wanted)
        self.inflow = sum(change.inflow for change in wanted)


class Generations(Struct, array_like=True):
    """`young` gathers; `old` is complete and goes when the watermark has passed `old_until`.

    Every change later than `cover` is in one of them.
    """

    young: dict[str, Recent] = field(default_factory=dict)
    young_until: datetime = BEGINNING
    old: dict[str, Recent] = field(default_factory=dict)
    old_until: datetime = BEGINNING
    cover: datetime = BEGINNING

    def add(self, key: str, change: Change, *, counted: bool = False) -> None:
        """Remember a change until it is settled."""
        recent = self.young.get(key)
        if recent is None:
            recent = self.young[key] = Recent()
        recent.units += change.units
        recent.inflow += change.inflow
        recent.counted = recent.counted or counted
        recent.changes.append(change)
        if change.at < recent.since:
            recent.sum_from(BEGINNING)
        if change.at > self.young_until:  # noqa: PLR1730  max() costs a call per change
            self.young_until = change.at

    def counted(self, key: str) -> bool:
        """Whether a count of the SKU is among the changes."""
        return any(
            recent.counted for recent in (self.young.get(key), self.old.get(key)) if recent is not None
        )

    def of(self, key: str) -> list[Change]:
        """The SKU's changes, in order of arrival."""
        old, young = self.old.get(key), self.young.get(key)
        return [*(old.changes if old else ()), *(young.changes if young else ())]

    def turn(self, watermark: datetime) -> None:
        """Let go what is settled."""
        if watermark >= self.old_until and (self.young or self.old):
            self.cover = max(self.cover, self.old_until)
            self.old, self.old_until = self.young, max(self.young_until, self.cover)
            self.young, self.young_until = {}, BEGINNING
