"""The deadlines an ordinary order has missed or will miss by all that is known of it: when it is worth a look.

An order is ordinary while nothing contradicts anything: one document, never cancelled or refused, nothing shipped
before it or beyond it. Then only a deadline can make it wrong, and no fact can make it so earlier than the facts say.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from canonical.policy import Sla
from operators.exceptions.order_stalled import acknowledged_at, deadlines
from operators.exceptions.order_view import confirmed_at
from operators.order import Order
from operators.story import Upshot, milestones_of


def missed(order: Order, so_far: Upshot, sla: Sla) -> Iterator[datetime]:
    """Every deadline not met in time by the facts known so far. May give one too many, never one too few."""
    reached = milestones_of(order, so_far)
    placed = reached.get("placed")
    if order.document is None or placed is None:
        return
    left = confirmed_at(so_far, reached)
    for name, due in deadlines(order, sla, placed, left):
        at = acknowledged_at(order) if name == "acknowledged" else reached.get(name)
        if at is None or at > due:
            yield due
    if left is not None and sla.posted is not None:
        due, at = left + sla.posted, reached.get("posted")
        if at is None or at > due:
            yield due
    if order.shipments or order.issues:
        yield from _unmatched(order, so_far, sla)
    if order.returns and sla.refunded is not None:
        for return_id, lines in order.returns.items():
            if lines:
                due = lines[0][0] + sla.refunded
                paid = [refund.at for refund in order.refunds.values() if refund.return_id == return_id]
                if not paid or min(paid) > due:
                    yield due


def _unmatched(order: Order, so_far: Upshot, sla: Sla) -> Iterator[datetime]:
    """From when on a shipment may have lacked its goods issue, or an issue its shipment."""
    shipped = [shipment.at for shipment in order.shipments.values()]
    issued = [issue.at for issue in order.issues]
    even = all(part.shipped == part.issued for line in so_far.standing for part in line.parts)
    if sla.goods_issue is not None:
        yield from _unanswered(shipped, issued, sla.goods_issue, even=even)
    if sla.shipment_confirmed is not None:
        yield from _unanswered(issued, shipped, sla.shipment_confirmed, even=even)


def _unanswered(
    words: list[datetime], answers: list[datetime], allowed: timedelta, *, even: bool
) -> Iterator[datetime]:
    """The deadlines of all words, unless all are answered and the last answer was in time for the first of them."""
    if words and not (even and answers and max(answers) <= min(words) + allowed):
        yield from (at + allowed for at in words)
