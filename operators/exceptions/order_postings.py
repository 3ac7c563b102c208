"""What the ERP has booked of an order against the order: `posting_missing`, `posting_mismatch`. No tolerance.

Amounts are compared as money, quantities as units over all lines; a posting that states none is not compared in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from operators.exceptions.episode import NOTHING
from operators.exceptions.order_view import Finding, View, clock, gone, most
from operators.hindsight import as_of
from operators.order import Order, Posting
from operators.standing import LineStanding

Sum = tuple[Decimal, int]
"""An amount and units."""


def posting_missing(view: View) -> Iterator[Finding]:
    """The order has left and nobody has billed it. Where all of it was cancelled, nothing is to be billed."""
    shipped, allowed = view.confirmed, view.sla.posted
    if shipped is None or allowed is None or "posted" in view.milestones or not any(map(to_bill, view.lines)):
        return
    if view.to_come(shipped + allowed):
        return
    units, value = view.worth(to_bill)
    yield Finding(
        code="posting_missing",
        subject=view.id,
        due=shipped + allowed,
        owner="finance",
        units=units,
        value=value,
        ranks=view.document_rank + view.shipment_ranks,
        message=f"{view.name()} had left by {clock(shipped)} and no invoice is posted: bill it.",
    )


def posting_mismatch(view: View) -> Iterator[Finding]:
    """The ERP's sales order, or its invoices together, differ from the order."""
    if not view.known or not view.order.postings:
        return
    yield from _sales_order(view)
    yield from _invoices(view)


def _sales_order(view: View) -> Iterator[Finding]:
    """The latest sales order must state the order, with or without what is cancelled of it.

    As it is now, or as it was at the posting; but a document that came after is to be followed within `erp_grace`.
    """
    stated = max(_of(view.order, "sales_order"), key=lambda posting: (posting.at, posting.rank), default=None)
    if stated is None or states(stated, view.order):
        return
    due = None
    if view.order.document is not None and view.order.document[1] > stated.at:
        then = as_of(view.order, stated.at)
        if then.document is not None and states(stated, then):
            due = view.order.document[1] + view.policy.time.erp_grace
    elif any(at > stated.at for at, *_ in view.order.cancellations) and states(
        stated, as_of(view.order, stated.at)
    ):
        return
    if due is None or not view.to_come(due):
        yield _mismatch(view, "sales_order", due, [stated], total(view.order))


def states(posting: Posting, order: Order) -> bool:
    """Whether the posting agrees with the order, whole or less what is cancelled."""
    return any(agrees(posting, order.currency, sum_) for sum_ in (total(order), total(order, cancelled=True)))


def agrees(posting: Posting, currency: str | None, sum_: Sum) -> bool:
    """Whether the posting states just this amount and these units, as far as it states any."""
    foreign = posting.amount is not None and posting.currency not in {None, currency}
    same = posting.amount is None or Decimal(posting.amount) == sum_[0]
    return same and not foreign and posting.units in {None, sum_[1]}


def total(order: Order, *, cancelled: bool = False) -> Sum:
    """What the order comes to; `cancelled`: less what is cancelled of it."""
    value, units = NOTHING, 0
    for line_id, _, quantity, price, _ in order.lines:
        taken = 0
        if cancelled:
            taken = quantity if order.cancelled_whole_at is not None else order.cancelled.get(line_id, 0)
        kept = max(0, quantity - taken)
        value += kept * Decimal(price)
        units += kept
    return value, units


def _invoices(view: View) -> Iterator[Finding]:
    """Invoices add up.

    Too much is wrong at once: more than what is ordered and not cancelled, or cancelled and gone all the same, less
    what credit memos take back. Too little is wrong when all has left and the time to bill it is over.
    """
    invoices, memos = _of(view.order, "invoice"), _of(view.order, "credit_memo")
    if not invoices:
        return
    foreign = [posting for posting in invoices if posting.currency not in {None, view.order.currency}]
    amount, units = _sum(invoices)
    back, back_units = _sum(memos)
    most_units, most_value = view.worth(billable)
    least_units, least_value = view.worth(to_bill)
    over = amount - back > most_value or units - back_units > most_units
    if foreign or over:
        yield _mismatch(view, "invoice", None, invoices, (most_value, most_units))
        return
    shipped, allowed = view.confirmed, view.sla.posted
    unstated = any(posting.amount is None for posting in invoices)
    unlined = any(posting.units is None for posting in invoices)
    under = (amount < least_value and not unstated) or (units < least_units and not unlined)
    if under and shipped is not None and allowed is not None and not view.to_come(shipped + allowed):
        yield _mismatch(view, "invoice", shipped + allowed, invoices, (least_value, least_units))


def billable(line: LineStanding) -> int:
    """Units that may be billed: ordered, and not cancelled or gone all the same."""
    return most(line, lambda part: max(part.ordered - part.cancelled, min(part.ordered, gone(part))))


def to_bill(line: LineStanding) -> int:
    """Units that must be billed in the end: ordered and not cancelled."""
    return most(line, lambda part: max(0, part.ordered - part.cancelled))


def _of(order: Order, kind: str) -> list[Posting]:
    return [posting for posting in order.postings.values() if posting.kind == kind]


def _sum(postings: Iterable[Posting]) -> Sum:
    amount, units = NOTHING, 0
    for posting in postings:
        amount += Decimal(posting.amount or 0)
        units += posting.units or 0
    return amount, units


def _mismatch(view: View, kind: str, due: datetime | None, postings: list[Posting], right: Sum) -> Finding:
    amount, units = _sum(postings)
    what = "sales order" if kind == "sales_order" else "invoices"
    latest = max(posting.at for posting in postings)
    return Finding(
        code="posting_mismatch",
        subject=f"{view.id}|{kind}",
        due=due,
        owner="finance",
        units=abs(units - right[1]) if any(posting.units is not None for posting in postings) else 0,
        value=abs(amount - right[0]),
        ranks=(*view.document_rank, *sorted(posting.rank for posting in postings)),
        message=(
            f"{view.name()} comes to {right[0]:f} for {right[1]} units and the {what} of the ERP, last of"
            f" {clock(latest)}, to {amount:f} for {units}: correct the posting or the order."
        ),
    )
