"""Whether anything said of an order contradicts anything else: cheap tests that may doubt too much, never too little.

An order without a contradiction is ordinary: only a deadline can make it wrong (`order_due.py`).
"""

from __future__ import annotations

from datetime import datetime

from operators.exceptions.order_postings import agrees, states, total
from operators.exceptions.order_refunds import given_back, paid_back
from operators.exceptions.order_view import gone
from operators.kits import Kits
from operators.order import Order, Shipped
from operators.story import Upshot


def contradicts(order: Order, so_far: Upshot, kits: Kits, watermark: datetime) -> bool:
    """Whether the instants of the order must be walked. What is later than the watermark may still find its match."""
    if order.superseded or order.cancellations or order.overruled or order.troubles or order.rejected:
        return True
    left = [shipment.at for shipment in order.shipments.values()] + [issue.at for issue in order.issues]
    if order.document is None:
        return any(at <= watermark for at in left)
    return (
        min(left, default=order.document[1]) < order.document[1]
        or any(issue.units < 0 for issue in order.issues)
        or beyond(so_far)
        or shared(order)
        or any(not right_item(order, shipment, kits) for shipment in order.shipments.values())
        or _unheard_of(order, watermark)
        or (bool(order.postings) and not rightly_billed(order))
        or (bool(order.refunds) and not rightly_refunded(order))
    )


def beyond(so_far: Upshot) -> bool:
    """Whether more of a line has left than is ordered and not cancelled."""
    for line in so_far.standing:
        for part in line.parts:
            shipped, issued = part.shipped, part.issued
            left = gone(part) if issued and issued != shipped else sum(shipped.values())
            if left > max(0, part.ordered - part.cancelled):
                return True
    return False


def shared(order: Order) -> bool:
    """Whether two shipments carry units of the same line: which issue is whose is then a question of time."""
    if len(order.shipments) <= 1:
        return False
    lines = [line_id for each in order.shipments.values() for line_id in {row[0] for row in each.lines}]
    return len(lines) > len(set(lines))


def right_item(order: Order, shipment: Shipped, kits: Kits) -> bool:
    """Whether every line of the shipment names its order line's SKU or a component of it."""
    ordered = {row[0]: row[1] for row in reversed(order.lines)}
    return all(
        ordered.get(line_id) == sku or sku in (kits.parts(ordered.get(line_id, "")) or ())
        for line_id, sku, _ in shipment.lines
    )


def rightly_billed(order: Order) -> bool:
    """Whether the one sales order and the one invoice there may be state the whole order, and state it after it."""
    seen = set()
    for posting in order.postings.values():
        if posting.kind in {"sales_order", "invoice"}:
            if posting.kind in seen or order.document is None or posting.at < order.document[1]:
                return False
            seen.add(posting.kind)
            whole = agrees(posting, order.currency, total(order))
            if not whole and (posting.kind == "invoice" or not states(posting, order)):
                return False
    return True


def rightly_refunded(order: Order) -> bool:
    """Whether no more was paid back than came back, and nothing before it came back."""
    own, foreign = paid_back(order)
    first = min((refund.at for refund in order.refunds.values()), default=None)
    late = first is not None and any(lines and lines[0][0] > first for lines in order.returns.values())
    return not late and not foreign and own <= given_back(order)


def _unheard_of(order: Order, watermark: datetime) -> bool:
    """Whether there is news of a parcel that nobody has shipped."""
    if order.news.keys() <= order.shipments.keys():
        return False
    return any(
        min(news.values()) <= watermark for key, news in order.news.items() if key not in order.shipments
    )
