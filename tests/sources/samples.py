"""One valid event of every type, as a sender would write it: with no more than it must hold, and with everything."""

from __future__ import annotations

import json
from typing import Any

from canonical.topics import STEM_OF, TYPE_NAME

Event = dict[str, Any]

TIME = "2026-03-01T10:00:00Z"
LINE = {"line_id": "1", "sku": "S", "quantity": 2}
ORDER_LINE = {**LINE, "unit_price": "9.90"}
ITEM = {"sku": "S", "location": "east", "quantity": 2}

# Per type: the data it must hold, and what it may hold beside that.
DATA: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "order.placed": (
        {"order_id": "O", "channel": "web", "currency": "USD", "lines": [ORDER_LINE]},
        {
            "lines": [{**ORDER_LINE, "location": "east"}, {**ORDER_LINE, "line_id": "2"}],
            "version": 2,
            "promised_ship_at": TIME,
            "promised_delivery_at": TIME,
        },
    ),
    "order.cancelled": (
        {"order_id": "O"},
        {"reason": "changed mind", "lines": [{"line_id": "1", "quantity": 0}]},
    ),
    "order.accepted": ({"order_id": "O"}, {"reference": "4711"}),
    "order.rejected": ({"order_id": "O", "reason": "credit"}, {}),
    "order.allocated": (
        {"order_id": "O", "version": 1, "lines": [{"line_id": "1", "location": "east", "quantity": 2}]},
        {},
    ),
    "order.released": ({"order_id": "O"}, {"location": "east"}),
    "shipment.shipped": (
        {"shipment_id": "H", "order_id": "O", "location": "east", "lines": [LINE]},
        {"lines": [LINE, {**LINE, "line_id": "2"}], "carrier": "ups", "tracking_number": "1Z"},
    ),
    "shipment.in_transit": ({"shipment_id": "H", "order_id": "O"}, {"reason": "weather"}),
    "inventory.moved": (
        {**ITEM, "quantity": -2, "reason": "issue"},
        {"status": "damaged", "order_id": "O", "line_id": "1", "shipment_id": "H"},
    ),
    "inventory.status_changed": ({**ITEM, "from_status": "sellable", "to_status": "hold"}, {}),
    "inventory.counted": ({**ITEM, "as_of": TIME}, {"status": "hold", "through_sequence": "17"}),
    "inventory.balance_reported": ({**ITEM, "as_of": TIME}, {}),
    "return.requested": ({"return_id": "R", "order_id": "O"}, {}),
    "return.received": (
        {"return_id": "R", "order_id": "O", "lines": [{**LINE, "disposition": "restock"}]},
        {},
    ),
    "refund.issued": (
        {"refund_id": "F", "order_id": "O", "amount": "9.90", "currency": "USD"},
        {"return_id": "R"},
    ),
    "posting.recorded": (
        {"posting_id": "P", "order_id": "O", "kind": "invoice"},
        {"amount": "9.90", "currency": "USD", "lines": [LINE]},
    ),
    "product.upserted": (
        {"sku": "S"},
        {
            "version": 3,
            "identifiers": [
                {"scheme": "asin", "value": "B0", "channel": "web"},
                {"scheme": "gtin", "value": "4"},
            ],
            "safety_stock": {"east": 1, "west": 0},
            "unit_cost": "3",
            "active": False,
            "components": [{"sku": "C", "quantity": 2}],
        },
    ),
    "listing.observed": ({"channel": "web", "sku": "S", "quantity": 4, "as_of": TIME}, {}),
    "listing.acknowledged": ({"channel": "web", "sku": "S", "version": 1, "quantity": 4}, {}),
    "listing.rejected": (
        {"channel": "web", "sku": "S", "version": 1, "code": "E7"},
        {"message": "unknown listing", "retry_after_seconds": 1.5},
    ),
}
ALIKE = {
    "order.changed": "order.placed",
    "order.picked": "order.released",
    "order.packed": "order.released",
    **{
        f"shipment.{news}": "shipment.in_transit"
        for news in ("out_for_delivery", "delivered", "exception", "returned_to_sender", "acknowledged")
    },
}
STEMS_BY_TYPE = {TYPE_NAME[kind]: stem for kind, stem in STEM_OF.items()}


def key_of(data: dict[str, Any], stem: str) -> str:
    if stem in {"inventory", "products"}:
        return str(data["sku"])
    return f"{data['channel']}|{data['sku']}" if stem == "listings" else str(data["order_id"])


def minimal(type_: str, /, time: str = TIME, id_: str = "1", **data: Any) -> Event:
    """A valid event that holds no more than it must, beside what is given for its data."""
    body = DATA[ALIKE.get(type_, type_)][0] | data
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/test",
        "type": type_,
        "subject": key_of(body, STEMS_BY_TYPE[type_]),
        "time": time,
        "data": body,
    }


def full(type_: str) -> Event:
    """A valid event that holds everything it may."""
    event = minimal(type_, **DATA[ALIKE.get(type_, type_)][1])
    return event | {
        "dataschema": f"{type_}/1",
        "correlationid": "O",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "sequence": "7",
    }


def written(value: object) -> bytes:
    """As most senders write it: UTF-8, no spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def put(event: Event, path: str, value: object) -> Event:
    """A copy of the event with the value at a path such as `data.lines.0.quantity`."""
    event = json.loads(json.dumps(event))
    *parents, last = path.split(".")
    at: Any = event
    for name in parents:
        at = at[int(name)] if isinstance(at, list) else at[name]
    at[int(last) if isinstance(at, list) else last] = value
    return event


def without(event: Event, path: str) -> Event:
    """A copy of the event without the field at a path."""
    event = json.loads(json.dumps(event))
    *parents, last = path.split(".")
    at: Any = event
    for name in parents:
        at = at[int(name)] if isinstance(at, list) else at[name]
    del at[last]
    return event


TYPES = tuple(STEMS_BY_TYPE)
SAMPLES = tuple([minimal(type_) for type_ in TYPES] + [full(type_) for type_ in TYPES])
