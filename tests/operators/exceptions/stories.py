"""Stories of one order for worked examples: events by the minute, and what the job tells of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from canonical.keys import shard_of
from canonical.policy import Policy, Sla
from dataflows.shards import ORDER_SHARDS
from tests.driving import Outcome, drive

Event = dict[str, Any]
Spans = dict[str, tuple[float, float | None]]
MORNING = datetime(2026, 3, 1, 8, tzinfo=UTC)
_number = count()
NEIGHBOUR = next(
    key for n in count() if shard_of(key := f"N{n}", ORDER_SHARDS) == shard_of("O", ORDER_SHARDS)
)
"""An order of the same shard."""


def at(minute: float) -> datetime:
    return MORNING + timedelta(minutes=minute)


def event(type_: str, minute: float, **data: Any) -> Event:
    """An event of order O of channel web (unless the data say otherwise), so many minutes into the morning."""
    number = next(_number)
    return {
        "specversion": "1.0",
        "type": type_,
        "source": "/test",
        "id": f"e{number:06}",
        "subject": "O",
        "time": at(minute).isoformat(),
        "data": {"order_id": "O", **data},
    }


def row(quantity: int = 2, line_id: str = "1", sku: str = "S", **more: Any) -> dict[str, Any]:
    return {"line_id": line_id, "sku": sku, "quantity": quantity, **more}


def placed(minute: float = 0, quantity: int = 2, *, type_: str = "order.placed", **more: Any) -> Event:
    lines = more.pop("lines", [row(quantity, unit_price="10.00")])
    return event(type_, minute, **{"channel": "web", "currency": "EUR", "lines": lines, **more})


def cancelled(minute: float, quantity: int | None = None) -> Event:
    lines = {} if quantity is None else {"lines": [{"line_id": "1", "quantity": quantity}]}
    return event("order.cancelled", minute, **lines)


def shipped(
    minute: float, quantity: int = 2, shipment_id: str = "H", location: str = "A", **more: Any
) -> Event:
    lines = more.pop("lines", [row(quantity)])
    return event("shipment.shipped", minute, shipment_id=shipment_id, location=location, lines=lines, **more)


def news(kind: str, minute: float, shipment_id: str = "H", **more: Any) -> Event:
    return event(f"shipment.{kind}", minute, shipment_id=shipment_id, **more)


def issued(minute: float, quantity: int = 2, location: str = "A", **more: Any) -> Event:
    data = {"sku": "S", "location": location, "quantity": -quantity, "reason": "issue", "line_id": "1"}
    return event("inventory.moved", minute, **{**data, **more})


def posted(minute: float, kind: str = "invoice", amount: str | None = "20.00", **more: Any) -> Event:
    money = {} if amount is None else {"amount": amount, "currency": "EUR"}
    return event("posting.recorded", minute, **{"posting_id": kind, "kind": kind, **money, **more})


def returned(minute: float, quantity: int = 1, return_id: str = "R") -> Event:
    lines = [row(quantity, disposition="restock")]
    return event("return.received", minute, return_id=return_id, lines=lines)


def refunded(minute: float, amount: str, refund_id: str = "F", **more: Any) -> Event:
    return event(
        "refund.issued", minute, **{"refund_id": refund_id, "amount": amount, "currency": "EUR", **more}
    )


def passing(minute: float) -> Event:
    """Something that has nothing to do with the order, by which its shard learns that time passes."""
    return event("return.requested", minute, order_id=NEIGHBOUR, return_id="r")


def only(*, severity: Any = None, locations: Any = None, **allowed: str) -> Policy:
    """A policy that watches these deadlines and no others, on every channel of the stories."""
    sla = {**dict.fromkeys(Sla.model_fields), **allowed}
    stated = {"channels": {"web": {"sla": sla}}, "severity": severity or {}, "locations": locations or {}}
    return Policy.model_validate(stated)


def told(outcome: Outcome, code: str) -> list[dict[str, Any]]:
    return [record for record in outcome.told.get("exceptions", []) if record["code"] == code]


def spans(outcome: Outcome, code: str) -> Spans:
    """exception_id without its code → the minutes it was opened and cleared, by the last record of each."""
    last = {record["exception_id"].partition(":")[2]: record for record in told(outcome, code)}
    return {key: (_minute(r["opened_at"]), _minute(r["cleared_at"])) for key, r in sorted(last.items())}  # type: ignore[misc]  # opened_at is never None


def run(events: Iterable[Event], policy: Policy, until: float | None = None, **how: Any) -> Outcome:
    """What comes of the events, each in a batch of its own, in their order; time then passes to `until`."""
    batches = [[one] for one in events]
    return drive(batches if until is None else [*batches, [passing(until)]], policy, **how)


def _minute(text: str | None) -> float | None:
    return None if text is None else (datetime.fromisoformat(text) - MORNING) / timedelta(minutes=1)
