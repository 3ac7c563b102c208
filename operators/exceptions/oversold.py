"""`oversold`: more of a SKU is promised than any stock can keep, wherever it is sourced from."""

from __future__ import annotations

from collections.abc import Iterator

from operators.exceptions.episode import Episode
from operators.exceptions.recent import BEGINNING
from operators.exceptions.seen import Moment, clock, counted, some
from operators.sku import Sku


def oversold(moment: Moment) -> Iterator[Episode]:
    """What is wrong at this instant. Worth: the units short, at cost; the record names the youngest order."""
    if moment.shortage <= 0:
        return
    orders = youngest(moment.then, moment.shortage)
    told = f"{moment.key} is oversold by {counted(moment.shortage)} since {clock(moment.at)}"
    keep = f"; {some(orders)} cannot be kept" if orders else ""
    yield Episode(
        code="oversold",
        subject=moment.key,
        opened_at=moment.at,
        owner="commerce",
        units=moment.shortage,
        value=moment.shortage * moment.cost,
        evidence=moment.evidence,
        correlationid=moment.key,
        message=f"{told}{keep}: find stock, or cancel and tell the customers.",
        sku=moment.key,
        order_id=orders[0] if orders else None,
    )


def youngest(sku: Sku, units: int) -> list[str]:
    """The orders placed last, as many as it takes for their open units to make up `units`."""
    waiting = [
        (held.placed_at or BEGINNING, order_id, promised)
        for order_id, held in sku.held.items()
        if (promised := sum(x.unallocated + sum(n for _, n in x.committed) for x in held.lines))
    ]
    names = []
    for _, order_id, promised in sorted(waiting, reverse=True):
        if units <= 0:
            break
        names.append(order_id)
        units -= promised
    return names
