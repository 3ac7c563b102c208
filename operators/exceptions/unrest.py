"""Whether a SKU may have been short, or a book below zero, at an instant that is not settled: a cheap bound.

Every state the unsettled changes went through is the present with some of them undone. Undoing one takes as many units
as it gave free: those a claim gave back, those that came in. Allocating units within their pool, shipping them and
issuing them gives nothing free, so an order that takes its course costs nothing here. If every location and every pool
could spare all that was given free and still keep every promise, then no such state was short.
"""

from __future__ import annotations

from collections.abc import Iterator
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


def steps_of(claim: Claim, before: Held | None, after: Held | None) -> Iterator[Moved]:
    """A claim as the changes it brings, by its own times; none if nothing is new."""
    if claim.steps:
        for step in claim.steps:
            held = Held(step.channel, step.placed_at, step.lines) if step.lines else None
            yield Change(step.at, step.rank, claim.order_id, before, held), step.moves
            before = held
    elif claim.stood_at is not None and (claim.moves or before is not after):
        yield Change(claim.stood_at, claim.stood_by, claim.order_id, before, after), claim.moves


def weigh(sku: Sku, change: Change, moves: list[Move], pool: frozenset[str] | None) -> None:
    """Write on a change of a claim what it gave free. `pool`: the locations of the order's pool, None: all."""
    free: dict[str, int] = {}
    for move in moves:
        if move.quantity > 0:
            change.inflow += move.quantity
        if move.status == SELLABLE and _counts(sku, move):
            free[move.location] = free.get(move.location, 0) + move.quantity
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
    """Whether the movement is not in its book's newest count already."""
    ledger = sku.books.get(move.location, {}).get(SELLABLE)
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


def restless(recents: Generations, key: str, sku: Sku, record: Availability, watermark: datetime) -> bool:
    """`record`: where the SKU stands after all changes; those up to `watermark` are settled and looked at."""
    if record.shortage:
        return True
    young, old = recents.young.get(key), recents.old.get(key)
    units = inflow = 0
    for recent in (young, old):
        if recent is not None:
            units += recent.units
            inflow += recent.inflow
    for place in record.locations:
        if place.free < units or place.on_hand < inflow:
            break
    else:
        if not units or all(pool.ats >= units for pool in record.pools):
            return False
    unsettled = [change for change in recents.of(key) if change.at > watermark]
    since = max(_wanted(sku, unsettled), watermark)
    for recent in (young, old):
        if recent is not None:
            recent.sum_from(since)
    return not _outlasts(record, [change for change in unsettled if change.at >= since])


def _outlasts(record: Availability, changes: list[Change]) -> bool:
    """The same with what each change gave set against its own location, as far as that is known."""
    units: dict[str, int] = {ELSEWHERE: 0}
    inflow: dict[str, int] = {}
    for change in changes:
        units[change.location] = units.get(change.location, 0) + change.units
        inflow[change.location] = inflow.get(change.location, 0) + change.inflow
    anywhere, came = units.pop("", 0), inflow.pop("", 0)
    for place in record.locations:
        if place.free < units.get(place.location, 0) + anywhere:
            return False
        if place.on_hand < inflow.get(place.location, 0) + came:
            return False
    given = sum(units.values()) + anywhere
    return not given or all(pool.ats >= given for pool in record.pools)


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
