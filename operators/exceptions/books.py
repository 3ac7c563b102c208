"""What a book said at a cut, by the facts known up to an instant: what counts and reports are compared with."""

from __future__ import annotations

from datetime import datetime

from operators.exceptions.walk import known_at
from operators.ledger import Cut, Ledger, after
from operators.sku import Sku


def expected(ledger: Ledger, cut: Cut) -> int | None:
    """What a count should have found: the winning count before it and the movements between; None for the first."""
    told = known_at(cut)
    earlier = max((c for c in ledger.counts if c < cut and known_at(c) <= told), default=None)
    if earlier is None:
        return None
    between = (
        move.quantity
        for move in ledger.moves
        if move.at <= told and after(move, earlier, net=False) and not after(move, cut, net=False)
    )
    return earlier.units + sum(between)


def on_hand_at(sku: Sku, location: str, as_of: datetime, told: datetime) -> int | None:
    """Physical units in a location's book at `as_of` by what was known at `told`; None if nothing was."""
    ledgers = [_units_at(ledger, as_of, told) for ledger in sku.books.get(location, {}).values()]
    known = [units for units in ledgers if units is not None]
    return sum(known) if known else None


def _units_at(ledger: Ledger, as_of: datetime, told: datetime) -> int | None:
    counts = [cut for cut in ledger.counts if cut.as_of <= as_of and known_at(cut) <= told]
    moves = [move for move in ledger.moves if move.at <= as_of and move.at <= told]
    if not counts:
        return sum(move.quantity for move in moves) if moves else None
    newest = max(counts)
    return newest.units + sum(move.quantity for move in moves if after(move, newest, net=False))
