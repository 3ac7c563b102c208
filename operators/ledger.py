"""The book of one SKU at one location in one status: the newest count by its cut, plus the movements after it.

A movement is after a count's cut when both carry a sequence of the same source and its sequence is greater than
`through_sequence`, else when its time is later than `as_of`. What is older than the retention horizon is folded
into a base, which is a count like any other.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from canonical.messages import Move


class Cut(Struct, array_like=True, gc=False, order=True):
    """A count: compared by cut (`as_of`, `through`), then by its event. `through` is −1 where it names no sequence."""

    as_of: datetime
    through: int
    at: datetime
    rank: str
    source: str
    units: int


class Ledger(Struct, array_like=True, gc=False):
    """`on_hand` is derived and kept: base or newest count + movements after its cut, in units (may be negative)."""

    on_hand: int = 0
    counts: list[Cut] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)

    @property
    def newest(self) -> Cut | None:
        return self.counts[-1] if self.counts else None

    def count(self, cut: Cut, *, net: bool) -> None:
        """Take a count. `net`: the location's counts are already net of promises (see `after`)."""
        self.counts.append(cut)
        self.counts.sort()
        if self.counts[-1] is cut:
            self.on_hand = cut.units + sum(m.quantity for m in self.moves if after(m, cut, net=net))

    def move(self, move: Move, *, net: bool, known: bool) -> None:
        """Take a movement; `known`: one of the same `ref` may be here and is replaced (quantity 0 withdraws it)."""
        if known:
            for index, old in enumerate(self.moves):
                if old.ref == move.ref:
                    del self.moves[index]
                    self._add(old, -1, net=net)
                    break
        if move.quantity:
            self.moves.append(move)
            self._add(move, 1, net=net)

    def _add(self, move: Move, sign: int, *, net: bool) -> None:
        newest = self.newest
        if newest is None or after(move, newest, net=net):
            self.on_hand += sign * move.quantity

    def fold(self, horizon: datetime, *, net: bool) -> None:
        """Forget what is older than `horizon`: on_hand stays, and so does all a later arrival may be judged by."""
        old = [cut for cut in self.counts if cut.as_of <= horizon]
        if self.newest is not None and self.newest.as_of > horizon:
            keep = [m for m in self.moves if m.at > horizon or after(m, self.newest, net=net)]
            self.moves, self.counts = keep, self.counts[len(old) :]
            return
        base = old[-1] if old else None
        gone = [m for m in self.moves if m.at <= horizon]
        counted = [m for m in gone if base is None or after(m, base, net=net)]
        if base is None and not gone:
            return
        self.moves = [m for m in self.moves if m.at > horizon and (base is None or after(m, base, net=net))]
        units = (base.units if base else 0) + sum(m.quantity for m in counted)
        self.counts = [
            Cut(
                horizon,
                base.through if base else -1,
                horizon,
                base.rank if base else "",
                base.source if base else "",
                units,
            )
        ]

    def recounted(self, *, net: bool) -> int:
        """on_hand from scratch: what a self-check compares with."""
        newest = self.newest
        if newest is None:
            return sum(m.quantity for m in self.moves)
        return newest.units + sum(m.quantity for m in self.moves if after(m, newest, net=net))


def after(move: Move, cut: Cut, *, net: bool) -> bool:
    """Whether a count does not contain this movement yet, so that it has to be added.

    `net`: the count had the promise already taken off when the order was placed by then, so that its goods issue
    must not be taken off again.
    """
    if net and move.placed_at is not None and move.placed_at <= cut.as_of:
        return False
    if cut.through >= 0 and move.sequence >= 0 and move.source == cut.source:
        return move.sequence > cut.through
    return move.at > cut.as_of
