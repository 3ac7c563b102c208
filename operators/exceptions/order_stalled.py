"""`order_stalled`: a milestone of the channel's deadlines has passed without the order reaching it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from canonical.lifecycle import OWNERS
from canonical.policy import Sla
from operators.exceptions.episode import Owner
from operators.exceptions.order_view import Finding, View, clock, left, waiting
from operators.order import Order

FROM_PLACED = ("accepted", "allocated", "released", "picked", "packed", "shipped")
FROM_SHIPPED = ("acknowledged", "delivered")
TO_DO = {
    "accepted": "get the ERP to take or refuse it",
    "allocated": "find stock for it or cancel what cannot be kept",
    "released": "release it to the floor",
    "picked": "have it picked",
    "packed": "have it packed",
    "shipped": "ship it today or tell the channel a new date",
    "acknowledged": "post its shipment to the channel again",
    "delivered": "ask the carrier where it is and tell the customer",
}


def order_stalled(view: View) -> Iterator[Finding]:
    """One finding per milestone not reached; none from when the order is cancelled or rejected."""
    if not view.known or view.ended:
        return
    reached = view.milestones
    for name, due in deadlines(view.order, view.sla, reached["placed"], view.confirmed):
        missing = name not in reached and (name != "acknowledged" or acknowledged_at(view.order) is None)
        if missing and not view.to_come(due):
            yield _finding(view, name, due)


def deadlines(
    order: Order, sla: Sla, placed: datetime, shipped: datetime | None
) -> Iterator[tuple[str, datetime]]:
    """(milestone, when it must be reached) of everything watched so far. A promise to the customer goes before.

    `shipped` is when shipments said so: what only the book says has left is `issue_without_shipment`.
    """
    for name in FROM_PLACED:
        allowed = getattr(sla, name)
        if allowed is not None:
            due = placed + allowed
            promised = order.promised_ship_at if name == "shipped" else None
            yield name, due if promised is None or promised > due else promised
    if shipped is None:
        return
    if sla.acknowledged is not None:
        yield "acknowledged", shipped + sla.acknowledged
    if sla.delivered is not None:
        due, promised = shipped + sla.delivered, order.promised_delivery_at
        # What is promised for a time before it left can only be waited for from then on.
        yield "delivered", due if promised is None or promised > due else max(promised, shipped)


def acknowledged_at(order: Order) -> datetime | None:
    """When the channel first took a shipment of the order."""
    times = [news["acknowledged"] for news in order.news.values() if "acknowledged" in news]
    return min(times, default=None)


def _finding(view: View, name: str, due: datetime) -> Finding:
    after = name in FROM_SHIPPED
    units, value = view.worth(left if after else waiting)
    since = (view.confirmed if after else None) or view.milestones["placed"]
    owner: Owner = OWNERS[name]  # type: ignore[assignment]  # the table names owners only
    return Finding(
        code="order_stalled",
        subject=f"{view.id}|{name}",
        due=due,
        owner=owner,
        units=units,
        value=value,
        ranks=view.document_rank + (view.shipment_ranks if after else ()),
        message=(
            f"{view.name()}, {'shipped' if after else 'placed'} {clock(since)}, was to be {name} by {clock(due)}"
            f" and is not: {TO_DO[name]}."
        ),
    )
