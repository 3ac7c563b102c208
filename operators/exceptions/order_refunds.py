"""Money paid back too late, or for nothing: `refund_overdue`, `refund_without_return`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from operators.exceptions.episode import NOTHING
from operators.exceptions.order_view import Finding, View, clock
from operators.order import Order


def refund_overdue(view: View) -> Iterator[Finding]:
    """Per received return: nothing was paid back for it."""
    allowed = view.sla.refunded
    if allowed is None or not view.order.returns:
        return
    for return_id, at in unrefunded(view.order):
        if view.to_come(at + allowed):
            continue
        rows = view.order.returns[return_id]
        yield Finding(
            code="refund_overdue",
            subject=f"{view.id}|{return_id}",
            due=at + allowed,
            owner="finance",
            units=sum(units for *_, units in rows),
            value=sum((view.prices.get(line_id, NOTHING) * units for *_, line_id, units in rows), NOTHING),
            ranks=(*view.document_rank, rows[0][1]),
            message=(
                f"{view.name()}: return {return_id} was received on {clock(at)} and is not refunded: pay it back."
            ),
        )


def unrefunded(order: Order) -> list[tuple[str, datetime]]:
    """(return_id, received) of the returns no refund is for. Refunds that name none are for the oldest of them."""
    named = {refund.return_id for refund in order.refunds.values()}
    unnamed = sum(refund.return_id is None for refund in order.refunds.values())
    received = sorted(
        (lines[0][0], key) for key, lines in order.returns.items() if lines and key not in named
    )
    return [(key, at) for at, key in received[unnamed:]]


def refund_without_return(view: View) -> Iterator[Finding]:
    """More was paid back than what was cancelled, returned or refused comes to at the lines' prices."""
    order = view.order
    if not order.refunds or not view.known:
        return
    paid, foreign = paid_back(order)
    owing = given_back(order)
    beyond = max(NOTHING, paid - owing) + foreign
    if not beyond:
        return
    latest = max(refund.at for refund in order.refunds.values())
    yield Finding(
        code="refund_without_return",
        subject=view.id,
        owner="finance",
        units=0,
        value=beyond,
        ranks=(*view.document_rank, *sorted(refund.rank for refund in order.refunds.values())),
        message=(
            f"{view.name()}: {paid + foreign:f} was paid back by {clock(latest)} and only {owing:f}"
            f" {order.currency} was cancelled or returned: find out why, and claim back what was paid in error."
        ),
    )


def paid_back(order: Order) -> tuple[Decimal, Decimal]:
    """What all refunds come to: in the order's currency, and in others, in which nobody has paid for it."""
    own = [Decimal(refund.amount) for refund in order.refunds.values() if refund.currency == order.currency]
    foreign = [
        Decimal(refund.amount) for refund in order.refunds.values() if refund.currency != order.currency
    ]
    return sum(own, NOTHING), sum(foreign, NOTHING)


def given_back(order: Order) -> Decimal:
    """What the customer need not pay for: units cancelled, returned or sent back to us, at most those ordered."""
    back: dict[str, int] = {}
    for rows in order.returns.values():
        for *_, line_id, units in rows:
            back[line_id] = back.get(line_id, 0) + units
    for shipment_id, news in order.news.items():
        if "returned_to_sender" in news and shipment_id in order.shipments:
            for line_id, _, units in order.shipments[shipment_id].lines:
                back[line_id] = back.get(line_id, 0) + units
    value = NOTHING
    for line_id, _, quantity, price, _ in order.lines:
        whole = order.cancelled_whole_at is not None or order.rejected
        cancelled = quantity if whole else order.cancelled.get(line_id, 0)
        value += min(quantity, cancelled + back.get(line_id, 0)) * Decimal(price)
    return value
