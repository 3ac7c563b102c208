"""What has changed at a SKU since the watermark: enough to walk its last stretch of event time again.

Claims replace one another, and a batch may bring several at once or out of order. So the steps of every claim are
kept until the watermark has passed them, in two generations, which are let go whole: no entry is ever searched for.
"""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct, field

from operators.sku import Held

BEGINNING = datetime.min.replace(tzinfo=UTC)
COUNTED = 10**15
"""More units than anything holds: after a count the book may have been anything."""


class Change(Struct, array_like=True, gc=False):
    """At `at` an order's claim became `after`; `before` is what was held when the change arrived.

    Without an order_id: a movement or count of the book, that the ledgers know more of.
    """

    at: datetime
    rank: str
    order_id: str = ""
    before: Held | None = None
    after: Held | None = None


class Recent(Struct, array_like=True, gc=False):
    """Changes of one SKU in order of arrival. Undoing them takes at most `units` of ats and `inflow` of on_hand."""

    units: int = 0
    inflow: int = 0
    changes: list[Change] = field(default_factory=list)


class Generations(Struct, array_like=True):
    """`young` gathers; `old` is complete and goes when the watermark has passed `old_until`.

    Every change later than `cover` is in one of them.
    """

    young: dict[str, Recent] = field(default_factory=dict)
    young_until: datetime = BEGINNING
    old: dict[str, Recent] = field(default_factory=dict)
    old_until: datetime = BEGINNING
    cover: datetime = BEGINNING

    def add(self, key: str, change: Change, units: int, inflow: int) -> None:
        """Remember a change: undoing it takes `units` of ats and `inflow` of on_hand."""
        recent = self.young.get(key)
        if recent is None:
            recent = self.young[key] = Recent()
        recent.units += units
        recent.inflow += inflow
        recent.changes.append(change)
        if change.at > self.young_until:  # noqa: PLR1730  max() costs a call per change
            self.young_until = change.at

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


def units_of(held: Held | None) -> int:
    """All units a claim demands, wherever."""
    if held is None:
        return 0
    units = 0
    for line in held.lines:
        units += line.unallocated
        for _, committed in line.committed:
            units += committed
        for owed in line.owed:
            units += owed.units
    return units
