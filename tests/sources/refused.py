"""Lines that must be refused, by code: the stem they arrive on, the line, the field its letter must name."""

from __future__ import annotations

from tests.sources.samples import Event, full, minimal, put, without, written

ORDER, MOVED, COUNTED = minimal("order.placed"), minimal("inventory.moved"), minimal("inventory.counted")
LISTED, PRODUCT = minimal("listing.observed"), full("product.upserted")
DEEP = b"[" * 100_000 + b"]" * 100_000
QUANTITY = "data.lines.0.quantity"


def order(path: str, value: object) -> bytes:
    return written(put(ORDER, path, value))


def swapped(old: bytes, new: bytes, event: Event = ORDER) -> bytes:
    line = written(event)
    assert line.count(old) == 1
    return line.replace(old, new)


EXTRA = ORDER | {"x": "y"}

NOT_JSON = [
    b"{",
    b"nul",
    written(ORDER)[:-1],
    written(ORDER) + b"x",
    written(ORDER) * 2,
    b"\xef\xbb\xbf" + written(ORDER),
    swapped(b'"web"', b'"\xff"'),
    swapped(b'"web"', b'"\xed\xa0\x80"'),
    swapped(b'"web"', rb'"\ud800"'),
    swapped(b'"web"', rb'"\udc00"'),
    swapped(b'"web"', rb'"\q"'),
    swapped(b'"web"', b'"w\x00b"'),
    swapped(b'"y"', b'"\xff"', EXTRA),
    swapped(b'"x"', b'"\xff"', EXTRA),
    swapped(b'"y"', DEEP, EXTRA),
    swapped(b":2,", b":NaN,"),
    swapped(b":2,", b":-Infinity,"),
    swapped(b":2,", b":02,"),
    DEEP,
]
NOT_CLOUDEVENT = [b"[]", b"7", b"null", b'"text"', b"true"]

ROWS: dict[str, list[tuple[str, bytes, str]]] = {
    "not_json": [("orders", line, "") for line in NOT_JSON],
    "not_cloudevent": [("orders", line, "") for line in NOT_CLOUDEVENT]
    + [
        ("orders", b"{}", "specversion"),
        ("orders", b'{"order_id":"O"}', "specversion"),
        ("orders", written(without(ORDER, "specversion")), "specversion"),
        ("orders", order("specversion", "0.3"), "specversion"),
        ("orders", order("specversion", 1.0), "specversion"),
        ("orders", order("specversion", None), "specversion"),
    ],
    "unknown_type": [("orders", order("type", name), "type") for name in ("order.lost", "", "Order.placed")],
    "unknown_version": [
        ("orders", order("dataschema", "order.placed/2"), "dataschema"),
        ("orders", order("dataschema", "order.changed/1"), "dataschema"),
        ("orders", written({**ORDER, "dataschema": "order.placed/2", "data": {}}), "dataschema"),
    ],
    "missing_field": [
        *[("orders", written(without(ORDER, name)), name) for name in ("type", "id", "source", "subject")],
        *[("orders", written(without(ORDER, name)), name) for name in ("time", "data", "data.lines")],
        ("orders", written(without(ORDER, "data.lines.0.sku")), "data.lines[0].sku"),
    ],
    "wrong_type": [
        *[("orders", order("type", value), "type") for value in (3, None, 1.5)],
        *[("orders", order("data.order_id", value), "data.order_id") for value in (7, None, True)],
        *[("orders", order(QUANTITY, value), "data.lines[0].quantity") for value in ("2", 2.0, True, None)],
        *[("orders", order("time", value), "time") for value in ("", "noon", "2026-02-30T00:00:00Z", 7)],
        *[("orders", order("data.currency", value), "data.currency") for value in ("usd", "USDT", "")],
        ("orders", order("time", "2026-03-01"), "time"),
        ("orders", order("sequence", "x1"), "sequence"),
        ("orders", order("dataschema", 1), "dataschema"),
        ("orders", order("data", []), "data"),
        ("orders", order("data.lines", {}), "data.lines"),
        ("orders", order("data.lines.0", "x"), "data.lines[0]"),
        ("orders", order("data.lines.0.unit_price", "9,90"), "data.lines[0].unit_price"),
        ("orders", order("data.lines.0.unit_price", 9.9), "data.lines[0].unit_price"),
        ("products", written(put(PRODUCT, "data.active", 1)), "data.active"),
        ("products", written(put(PRODUCT, "data.safety_stock.east", "1")), "data.safety_stock[...]"),
    ],
    "naive_time": [
        ("orders", order("time", "2026-03-01T10:00:00"), "time"),
        ("orders", order("data.promised_ship_at", "2026-03-01T10:00:00"), "data.promised_ship_at"),
        ("inventory", written(put(COUNTED, "data.as_of", "2026-03-01T10:00:00")), "data.as_of"),
    ],
    "out_of_range": [
        *[("orders", order(QUANTITY, value), "data.lines[0].quantity") for value in (0, -1, 2**63, 10**40)],
        ("orders", swapped(b":2,", b":1e999,"), "data.lines[0].quantity"),
        ("orders", order("data.lines", []), "data.lines"),
        ("orders", order("data.order_id", ""), "data.order_id"),
        ("orders", order("data.channel", "w" * 257), "data.channel"),
        ("orders", order("time", "0001-01-01T00:00:00+02:00"), "time"),
        ("orders", order("time", "9999-12-31T23:59:59-01:00"), "time"),
        ("inventory", written(put(MOVED, "data.quantity", 0)), "data.quantity"),
        ("inventory", written(put(MOVED, "data.reason", "theft")), "data.reason"),
        ("inventory", written(put(MOVED, "data.status", "lost")), "data.status"),
        ("inventory", written(minimal("inventory.status_changed", to_status="sellable")), "data.to_status"),
        ("inventory", written(put(COUNTED, "data.as_of", "0001-01-01T00:00:00+02:00")), "data.as_of"),
        ("inventory", written(put(COUNTED, "data.through_sequence", -1)), "data.through_sequence"),
        ("inventory", written(put(COUNTED, "data.through_sequence", 10**18)), "data.through_sequence"),
        ("products", written(put(PRODUCT, "data.safety_stock.east", -1)), "data.safety_stock[...]"),
    ],
    "too_large": [
        ("orders", written(ORDER | {"x": "y" * (1 << 20)}), ""),
        ("orders", b"x" * (1 << 20) + b"x", ""),
        ("orders", b" " * (1 << 20) + b" ", ""),
    ],
    "duplicate_key": [
        ("orders", written(ORDER)[:-1] + b',"id":"2"}', "id"),
        ("orders", written(ORDER)[:-1] + b',"type":3}', "type"),
        ("orders", written(ORDER)[:-2] + b',"order_id":null}}', "data.order_id"),
    ],
    "future_event": [
        ("orders", order("time", "2026-03-02T00:05:01Z"), "time"),
        ("orders", order("time", "9999-12-31T23:59:59Z"), "time"),
        ("inventory", written(put(COUNTED, "data.as_of", "2026-03-03T00:00:00Z")), "data.as_of"),
        ("listings", written(put(LISTED, "data.as_of", "2026-03-03T00:00:00Z")), "data.as_of"),
    ],
    "late_event": [
        ("orders", order("time", "2026-01-30T09:49:59Z"), "time"),
        ("orders", order("time", "0001-01-01T00:00:00Z"), "time"),
        ("inventory", written(put(COUNTED, "data.as_of", "2026-01-30T09:49:59Z")), "data.as_of"),
    ],
    "key_mismatch": [
        ("orders", order("subject", "P"), "subject"),
        ("inventory", written(MOVED | {"subject": "O"}), "subject"),
        ("listings", written(LISTED | {"subject": "S"}), "subject"),
    ],
    "wrong_topic": [("inventory", written(ORDER), "type"), ("orders", written(MOVED), "type")],
}
"""Read after an event of `samples.TIME`, on the following midnight."""
