"""Events made by hand: no more than the oracle reads, all on one morning, for worked examples."""

from __future__ import annotations

from itertools import count
from typing import Any

Event = dict[str, Any]
_number = count()


def event(type_: str, minute: int, source: str = "/test", sequence: int | None = None, **data: Any) -> Event:
    """A minimal event of this type, `minute` minutes into the day."""
    time = f"2026-03-01T{minute // 60:02}:{minute % 60:02}:00Z"
    told = {"type": type_, "source": source, "id": str(next(_number)), "time": time, "data": data}
    return told if sequence is None else {**told, "sequence": str(sequence)}


def receipt(location: str, quantity: int, sku: str = "S", minute: int = 0, **more: Any) -> Event:
    data = {"sku": sku, "location": location, "quantity": quantity, "reason": "receipt", **more}
    return event("inventory.moved", minute, **data)


def counted(location: str, quantity: int, minute: int, **more: Any) -> Event:
    as_of = f"2026-03-01T{minute // 60:02}:{minute % 60:02}:00Z"
    data = {"sku": "S", "location": location, "quantity": quantity, "as_of": as_of, **more}
    return event("inventory.counted", minute, source="/wms", **data)


def placed(quantity: int, location: str | None = None, minute: int = 1, sku: str = "S", **more: Any) -> Event:
    line = {"line_id": "1", "sku": sku, "quantity": quantity, "unit_price": "1.00"}
    lines = [line if location is None else {**line, "location": location}]
    return event("order.placed", minute, **{"order_id": "O", "channel": "web", "lines": lines, **more})


def shipped(location: str, quantity: int, minute: int = 2, sku: str = "S", **more: Any) -> Event:
    lines = [{"line_id": more.pop("line_id", "1"), "sku": sku, "quantity": quantity}]
    data = {"shipment_id": f"H{minute}", "order_id": "O", "location": location, "lines": lines, **more}
    return event("shipment.shipped", minute, **data)


def issued(location: str, quantity: int, minute: int = 3, sku: str = "S", **more: Any) -> Event:
    data = {
        "sku": sku,
        "location": location,
        "quantity": -quantity,
        "reason": "issue",
        "order_id": "O",
        **more,
    }
    return event("inventory.moved", minute, **data)


def kit(components: dict[str, int], sku: str = "K", minute: int = 0, **more: Any) -> Event:
    parts = [{"sku": part, "quantity": units} for part, units in components.items()]
    return event("product.upserted", minute, sku=sku, components=parts, **more)
