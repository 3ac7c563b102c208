"""`erp_out_of_sync`: the ERP's balance differs from the book, and still does after the grace and the next report.

It opens when both have passed: `erp_grace` after the cut of the first report that differs, and a second one. A report
that agrees ends the run; one at the very end of the grace is in time.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from canonical import events as e
from operators.exceptions.books import on_hand_at
from operators.exceptions.episode import Episode
from operators.exceptions.follow import grown, open_of
from operators.exceptions.seen import Differing, Watch, clock, counted
from operators.sku import Sku

CODE = "erp_out_of_sync"


def erp_out_of_sync(
    watch: Watch, sku: Sku, event: e.InventoryBalanceReported, grace: timedelta, cost: Decimal
) -> None:
    """Compare a report with the book at its cut, by the facts known when it was told."""
    report = event.data
    told = max(event.time, report.as_of)
    book = on_hand_at(sku, report.location, report.as_of, told)
    if book is None:
        return
    place = open_of(watch.episodes, CODE, f"{report.sku}|{report.location}")
    rank = f"{event.source} {event.id}"
    if book == report.quantity:
        watch.differing.pop(report.location, None)
        if place is not None:
            begun = told > watch.episodes[place].opened_at
            watch.episodes[place : place + 1] = (
                [replace(watch.episodes[place], cleared_at=told)] if begun else []
            )
        return
    run = watch.differing.get(report.location)
    if run is None:
        watch.differing[report.location] = Differing(report.as_of, rank, 1)
        return
    run.reports += 1
    fresh = _episode(event, run, rank, book, grace, cost)
    if place is None:
        watch.episodes.append(fresh)
    else:
        later = replace(fresh, opened_at=max(told, watch.episodes[place].opened_at))
        watch.episodes[place] = grown(watch.episodes[place], later)


def _episode(
    event: e.InventoryBalanceReported, run: Differing, rank: str, book: int, grace: timedelta, cost: Decimal
) -> Episode:
    report = event.data
    told = max(event.time, report.as_of)
    off = abs(report.quantity - book)
    return Episode(
        code=CODE,
        subject=f"{report.sku}|{report.location}",
        opened_at=max(told, run.since + grace),
        deadline=run.since + grace >= told,
        owner="finance",
        units=off,
        value=off * cost,
        evidence=(run.rank, rank),
        correlationid=event.correlationid or report.sku,
        message=f"{event.source} has {report.quantity} of {report.sku} at {report.location} where the book has"
        f" {book} ({counted(off)} apart), in {run.reports} reports since {clock(run.since)}:"
        " correct the balance or post what is missing.",
        sku=report.sku,
        location=report.location,
    )
