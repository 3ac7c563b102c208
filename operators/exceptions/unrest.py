"""Whether a SKU may have been short, or a book below zero, at an instant that is not settled: a cheap bound.

Every state the unsettled changes went through is the present with some of them undone. Undoing one takes as many units
as it gave free: those a claim gave back, those that came in. Allocating units within their pool, shipping them and
issuing them gives nothing free, so an order that takes its course costs nothing here. If every location and every pool
could spare all that was given free and still keep every promise, then no such state was short.
"""

from __future__ import annotations

from datetime import datetime

from canonical.events import InventoryCounted
from canonical.messages import Claim, Move
from canonical.outputs import Availability
from operators.booking import cut_of
from operators.exceptions.recent import BEGINNING, COUNTED, LAST, Change, Generations
from operators.ledger import after as after_cut
from operators.sku import SELLABLE, Held, Sku

ELSEWHERE = "*"
"""Where a change gave units free that no single location had."""
Moved = tuple[Change, list[Move]]
"""A change of a claim, and the goods issues of the same instant."""


def steps_of(claim: Claim, before: Held | None, after: Held | None) -> list[Moved]:
    """A claim that is news as the changes it brings, by its own times."""
    if not claim.steps:
        assert claim.stood_at is not None, "no news"
        return [(Change(claim.stood_at, claim.stood_by, claim.order_id, before, after), claim.moves)]
    changes: list[Moved] = []
    for step in claim.steps:
        held = Held(step.channel, step.placed_at, step.lines) if step.lines else None
        changes.append((Change(step.at, step.rank, claim.order_id, before, held), step.moves))
        before = held
    return changes


def weigh(sku: Sku, change: Change, moves: list[Move], pool: frozenset[str] | None) -> None:
    """Write on a change of a claim what it gave free. `pool`: the locations of the order's pool, None: all."""
    free: dict[str, int] = {}
    for move in moves:
        counts = _counts(sku, move)
        if move.quantity > 0 or not counts:
            change.inflow += abs(move.quantity)
        if move.status == SELLABLE:
            units = move.quantity if counts else abs(move.quantity)
            free[move.location] = free.get(move.location, 0) + units
    unallocated = _take(change.before, 1, free) + _take(change.after, -1, free)
    change.location = ELSEWHERE
    seated = 0
    for location, units in free.items():
        if units > 0:
            change.location = location if not change.units else ""
            change.units += units
        elif pool is None or location in pool:
            seated -= units
    if unallocated > seated:
        change.units += unallocated - seated


def _counts(sku: Sku, move: Move) -> bool:
    """Whether the movement is not in its book's newest count already: then it changes nothing any more, but did."""
    ledger = sku.books.get(move.location, {}).get(move.status)
    return ledger is not None and (ledger.newest is None or after_cut(move, ledger.newest, net=False))


def _take(held: Held | None, sign: int, free: dict[str, int]) -> int:
    """Add what a claim takes at locations; returns what it takes without one."""
    unallocated = 0
    if held is not None:
        for line in held.lines:
            unallocated += line.unallocated
            for location, units in line.committed:
                free[location] = free.get(location, 0) + sign * units
            for owed in line.owed:
                free[owed.location] = free.get(owed.location, 0) + sign * owed.units
    return sign * unallocated


def recounted(sku: Sku, event: InventoryCounted, rank: str) -> int:
    """Units a count, about to be booked, brings into its book; COUNTED if it is not the newest there."""
    ledger = sku.books.get(event.data.location, {}).get(event.data.status)
    if ledger is None:
        return event.data.quantity
    cut = cut_of(event, rank)
    if ledger.newest is not None and ledger.newest > cut:
        return COUNTED
    later = sum(move.quantity for move in ledger.moves if after_cut(move, cut, net=False))
    return max(0, cut.units + later - ledger.on_hand)


def restless(
    recents: Generations,
    key: str,
    sku: Sku,
    record: Availability,
    watermark: datetime,
    obscure: frozenset[str],
) -> bool:
    """`record`: where the SKU stands after all changes; those up to `watermark` are settled and looked at.

    `obscure`: locations where a count changes what claims take, so that nothing can be said beforehand.
    """
    if record.shortage or (obscure and any(place.location in obscure for place in record.locations)):
        return True
    young, old = recents.young.get(key), recents.old.get(key)
    summed = [recent for recent in (young, old) if recent is not None]
    if not any(recent.units or recent.inflow for recent in summed):
        return any(place.free < 0 or place.on_hand < 0 for place in record.locations)
    unsettled = [change for change in recents.of(key) if change.at > watermark]
    since = max(_wanted(sku, unsettled), watermark)
    for recent in summed:
        recent.sum_from(since)
    return not _outlasts(record, [change for change in unsettled if change.at >= since])


def _outlasts(record: Availability, changes: list[Change]) -> bool:
    """Whether every location could give back what it was given, and every pool all that was given anywhere."""
    units: dict[str, int] = {}
    inflow: dict[str, int] = {}
    for change in changes:
        if change.units:
            units[change.location] = units.get(change.location, 0) + change.units
        if change.inflow:
            inflow[change.location] = inflow.get(change.location, 0) + change.inflow
    given = sum(units.values())
    units.pop(ELSEWHERE, None)
    for place in record.locations:
        if place.free < units.pop(place.location, 0) or place.on_hand < inflow.pop(place.location, 0):
            return False
    return not units and not inflow and (not given or all(pool.ats >= given for pool in record.pools))


def _wanted(sku: Sku, changes: list[Change]) -> datetime:
    """Since when anybody may have wanted any of it: what filled its shelves before cannot have been missing."""
    claimed: dict[str, bool] = {}
    for change in changes:
        if change.order_id:
            claimed.setdefault(change.order_id, change.before is not None)
    if any(claimed.values()) or not sku.held.keys() <= claimed.keys():
        return BEGINNING
    first = min((change.at for change in changes if change.order_id or not change.units), default=LAST)
    moves = (move for book in sku.books.values() for ledger in book.values() for move in ledger.moves)
    return BEGINNING if any(move.quantity < 0 and move.at < first for move in moves) else first
