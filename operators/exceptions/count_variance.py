"""`count_variance`: a count found something else than the book at its cut.

It opens at the count's cut, each count its own subject, and is cleared by the next count of the same cell (SKU,
location and status) that is within the tolerance. A cell's first count is its opening stock and differs from nothing.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from canonical import events as e
from operators.booking import cut_of
from operators.exceptions.books import expected
from operators.exceptions.episode import Episode
from operators.exceptions.seen import Watch, clock, counted
from operators.ledger import Cut
from operators.sku import Sku


def count_variance(watch: Watch, sku: Sku, event: e.InventoryCounted, tolerance: int, cost: Decimal) -> None:
    """Judge a count by the facts known when it was told. Worth: the units of difference, at cost."""
    count = event.data
    cell = f"{count.sku}|{count.location}|{count.status}"
    cut = cut_of(event, f"{event.source}\x00{event.id}")
    ledger = sku.books.get(count.location, {}).get(count.status)
    book = None if ledger is None else expected(ledger, cut)
    if book is None:
        return
    if abs(count.quantity - book) <= tolerance:
        _good(watch, cell, cut)
        return
    watch.episodes.append(_episode(event, cell, book, cost, watch))


def _good(watch: Watch, cell: str, cut: Cut) -> None:
    """A count that agrees: what was open of the cell before its cut is over."""
    if cell not in watch.good or watch.good[cell] < cut.as_of:
        watch.good[cell] = cut.as_of
    for place, episode in enumerate(watch.episodes):
        mine = episode.code == "count_variance" and episode.subject.startswith(cell + "|")
        if mine and episode.cleared_at is None and episode.opened_at < cut.as_of:
            watch.episodes[place] = replace(episode, cleared_at=cut.as_of)


def _episode(event: e.InventoryCounted, cell: str, book: int, cost: Decimal, watch: Watch) -> Episode:
    count = event.data
    off = abs(count.quantity - book)
    word = "fewer" if count.quantity < book else "more"
    status = "" if count.status == "sellable" else f" ({count.status.replace('_', ' ')})"
    good = watch.good.get(cell)
    return Episode(
        code="count_variance",
        subject=f"{cell}|{event.source}|{event.id}",
        opened_at=count.as_of,
        cleared_at=good if good is not None and good > count.as_of else None,
        owner="warehouse",
        units=off,
        value=off * cost,
        evidence=(f"{event.source} {event.id}",),
        correlationid=event.correlationid or count.sku,
        message=f"The count of {count.sku} at {count.location}{status} as of {clock(count.as_of)} found"
        f" {count.quantity}, {counted(off)} {word} than the book's {book}: find out why, then count again.",
        sku=count.sku,
        location=count.location,
    )
