"""Lines no reader can accept. Each is one more line beside the good ones, and must become one dead letter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sources.simulator.clock import stamp
from sources.simulator.simulation import Event, Simulation
from sources.simulator.truth import tell_fault
from sources.simulator.writer import encode

_TOO_LARGE = (1 << 20) + 1


def _event(n: int, time: int, kind: str, data: Event, **other: Any) -> Event:
    """A whole event; `other` replaces parts of its envelope."""
    event: Event = {"specversion": "1.0", "id": f"bad-{n}", "source": "/wms/broken", "type": kind}
    event |= {"subject": data.get("order_id") or data["sku"], "time": stamp(time), "data": data}
    return event | other


def _order(n: int, **line: Any) -> Event:
    whole = {"line_id": "1", "sku": "SKU-000001", "quantity": 1, "unit_price": "1.00", **line}
    return {"order_id": f"BAD-{n}", "channel": "broken", "currency": "USD", "lines": [whole]}


def _move(n: int, **other: Any) -> Event:
    return {"sku": f"BAD-{n}", "location": "dc-east", "quantity": 1, "reason": "receipt", **other}


def _placed(n: int, time: int) -> Event:
    return _event(n, time, "order.placed", _order(n))


def _without_reason(n: int, time: int) -> bytes:
    data = _move(n)
    del data["reason"]
    return encode(_event(n, time, "inventory.moved", data))


def _twice(n: int, time: int) -> bytes:
    return encode(_placed(n, time)).replace(b'"id":', b'"id":"other","id":', 1)


def _large(n: int, time: int) -> bytes:
    return encode(_event(n, time, "order.accepted", {"order_id": f"BAD-{n}", "reference": "x" * _TOO_LARGE}))


KINDS: tuple[tuple[str, str, str, Callable[[int, int], bytes]], ...] = (
    ("garbage", "orders", "not_json", lambda n, _: b"<html>502 Bad Gateway %d</html>" % n),
    ("truncated", "orders", "not_json", lambda n, t: encode(_placed(n, t))[:150]),
    ("not UTF-8", "shipments", "not_json", lambda n, _: b'{"specversion":"1.0","id":"\xff\xfe%d"}' % n),
    ("an array", "postings", "not_cloudevent", lambda n, _: b"[%d]" % n),
    (
        "an old version",
        "orders",
        "not_cloudevent",
        lambda n, t: encode(_placed(n, t) | {"specversion": "0.3"}),
    ),
    (
        "unknown type",
        "orders",
        "unknown_type",
        lambda n, t: encode(_placed(n, t) | {"type": "order.teleported"}),
    ),
    (
        "unknown schema version",
        "orders",
        "unknown_version",
        lambda n, t: encode(_placed(n, t) | {"dataschema": "order.placed/99"}),
    ),
    ("missing field", "inventory", "missing_field", _without_reason),
    (
        "a word for a number",
        "inventory",
        "wrong_type",
        lambda n, t: encode(_event(n, t, "inventory.moved", _move(n, quantity="three"))),
    ),
    (
        "half a unit",
        "orders",
        "wrong_type",
        lambda n, t: encode(_event(n, t, "order.placed", _order(n, quantity=1.5))),
    ),
    (
        "nothing ordered",
        "orders",
        "out_of_range",
        lambda n, t: encode(_event(n, t, "order.placed", _order(n, quantity=0))),
    ),
    (
        "nothing moved",
        "inventory",
        "out_of_range",
        lambda n, t: encode(_event(n, t, "inventory.moved", _move(n, quantity=0))),
    ),
    ("no zone", "orders", "naive_time", lambda n, t: encode(_placed(n, t) | {"time": stamp(t)[:-1]})),
    ("another key", "orders", "key_mismatch", lambda n, t: encode(_placed(n, t) | {"subject": "OTHER"})),
    ("the same key twice", "orders", "duplicate_key", _twice),
    (
        "another file's type",
        "postings",
        "wrong_topic",
        lambda n, t: encode(_event(n, t, "order.accepted", {"order_id": f"BAD-{n}"})),
    ),
    ("too large", "orders", "too_large", _large),
)
"""What it is, the file it goes to, the code it must get, the line of the n-th at a time."""


def spoil(sim: Simulation, n: int) -> None:
    """Write the n-th broken line; the kinds take turns, but the huge one comes only once."""
    kinds = KINDS if n < len(KINDS) else KINDS[:-1]
    what, stem, code, make = kinds[n % len(kinds)]
    number = sim.writer.write(stem, make(n, sim.now))
    sim.writer.malformed[stem][code] += 1
    tell_fault(sim, "malformed", code, sim.now, what=what, stem=stem, line=number)
