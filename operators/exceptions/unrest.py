"""Whether a SKU may have been short, or a book below zero, at an instant that is not settled: a cheap bound.

Every state the unsettled changes went through is the present with some of them undone. Undoing one takes at most the
units the claim held before, or a movement brought in. If every pool could promise all of those and still keep every
promise (that is what ats says), no such state was short; and no book was below zero if it holds more than came in.
"""

from __future__ import annotations

from collections.abc import Iterator

from canonical.messages import Claim
from canonical.outputs import Availability
from operators.exceptions.recent import Change, Generations, Recent
from operators.sku import Held, Sku


def steps_of(claim: Claim, before: Held | None, after: Held | None) -> Iterator[Change]:
    """A claim as the changes it brings, by its own times; none if nothing is new."""
    if claim.steps:
        for step in claim.steps:
            held = Held(step.channel, step.placed_at, step.lines) if step.lines else None
            yield Change(step.at, step.rank, claim.order_id, before, held)
            before = held
    elif claim.moves or (before is not after and (before is None or before.lines is not claim.lines)):
        yield Change(claim.stood_at, claim.rank, claim.order_id, before, after)


def restless(
    recents: Generations, key: str, sku: Sku, record: Availability, pooled: frozenset[str] | None
) -> bool:
    """`record`: where the SKU stands after all changes. `pooled`: the locations in pools, None where all are."""
    if record.shortage:
        return True
    young, old = recents.young.get(key), recents.old.get(key)
    units = inflow = 0
    for recent in (young, old):
        if recent is not None:
            units += recent.units
            inflow += recent.inflow
    if _outlasts(record, units, inflow, pooled):
        return False
    return not _only_counted(sku, young, old)


def _outlasts(record: Availability, units: int, inflow: int, pooled: frozenset[str] | None) -> bool:
    for pool in record.pools:
        if pool.ats < units:
            return False
    for place in record.locations:
        if place.on_hand < inflow:
            return False
        if pooled is not None and place.location not in pooled and place.free < units:
            return False
    return True


def _only_counted(sku: Sku, *recents: Recent | None) -> bool:
    """Nobody ever claimed it and nothing moved: no promise can have been short."""
    if sku.held or any(change.order_id for recent in recents if recent for change in recent.changes):
        return False
    return not any(ledger.moves for book in sku.books.values() for ledger in book.values())
