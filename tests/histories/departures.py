"""Orders whose units leave from where they were committed: what ATS must not notice (DESIGN section 4)."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from tests.histories.world import Event, History, Teller, draw_world

Row = dict[str, Any]
WMS = "/wms/all"


def departures(seed: int) -> tuple[History, list[Event]]:
    """Everything up to the promises; and the shipments and goods issues that keep them, in any order.

    Every location sends its movements and counts what is physically there: the law is about those.
    """
    rng = Random(seed)
    drawn = draw_world(rng)
    config = replace(drawn.config, movements_false=set(), counts_available=set())
    teller = Teller(rng, replace(drawn, config=config))
    for sku in teller.world.skus:
        _stock(teller, sku)
    promises = [_order(teller, f"O-{number}") for number in range(1, rng.randint(1, 3) + 1)]
    before = teller.history()
    told = len(teller.events)
    for document, seats in promises:
        for line_id, location, quantity in seats:
            _leave(teller, document, line_id, location, quantity)
    return before, teller.events[told:]


def _stock(teller: Teller, sku: str) -> None:
    """Receipts, not always enough for what will be promised; safety stock; what a kit is made of."""
    parts = [{"sku": part, "quantity": units} for part, units in teller.world.kits.get(sku, {}).items()]
    if parts:
        teller.tell("product.upserted", 0, "/erp/main", sku, sku=sku, components=parts)
    for location in teller.world.locations:
        if teller.chance(0.8):
            received = {"location": location, "quantity": teller.rng.randint(1, 30), "reason": "receipt"}
            teller.tell("inventory.moved", 1, WMS, sku, sku=sku, **received)


def _order(teller: Teller, order_id: str) -> tuple[Row, list[tuple[str, str, int]]]:
    """An order, wholly or partly allocated; its document, and (line_id, location, units) of every seat."""
    document: Row = {
        "order_id": order_id,
        "channel": teller.rng.choice(teller.world.channels),
        "currency": "USD",
        "lines": [
            {"line_id": str(n), "sku": teller.sku(), "quantity": teller.rng.randint(1, 6), "unit_price": "1"}
            for n in range(1, teller.rng.randint(1, 3) + 1)
        ],
    }
    seats = []
    for row in document["lines"]:
        left = row["quantity"]
        for location in teller.rng.sample(teller.world.locations, teller.rng.randint(1, 2)):
            if units := teller.rng.randint(0, left):
                seats.append((row["line_id"], location, units))
                left -= units
    teller.tell("order.placed", 2, "/channels/web", order_id, **document)
    lines = [{"line_id": line_id, "location": at, "quantity": units} for line_id, at, units in seats]
    teller.tell("order.allocated", 3, WMS, order_id, order_id=order_id, version=1, lines=lines)
    return document, seats


def _leave(teller: Teller, document: Row, line_id: str, location: str, quantity: int) -> None:
    """Units of one seat, in parcels; a shipment or goods issue may be lost, an issue taken back in part."""
    order_id = document["order_id"]
    (sku,) = [row["sku"] for row in document["lines"] if row["line_id"] == line_id]
    while quantity:
        units = teller.rng.randint(1, quantity)
        quantity -= units
        named = _named(teller, sku, units)
        if teller.chance(0.9):
            number = f"H-{len(teller.events)}"
            lines = [{"line_id": line_id, "sku": name, "quantity": n} for name, n in named]
            data = {"shipment_id": number, "order_id": order_id, "location": location, "lines": lines}
            teller.tell("shipment.shipped", teller.minute(), WMS, order_id, **data)
        if teller.chance(0.9):
            only = len(document["lines"]) == 1
            said = None if only and teller.chance(0.5) else line_id
            for name, n in named if teller.chance(0.5) else _named(teller, sku, units):
                _issue(teller, order_id, said, name, location, -n)
                if teller.chance(0.15):
                    _issue(teller, order_id, said, name, location, teller.rng.randint(1, n))


def _named(teller: Teller, sku: str, units: int) -> list[tuple[str, int]]:
    """The units under the line's own SKU or, of a kit, under all its components'."""
    parts = _flat(teller, sku)
    if parts == {sku: 1} or teller.chance(0.5):
        return [(sku, units)]
    return [(part, each * units) for part, each in parts.items()]


def _flat(teller: Teller, sku: str) -> dict[str, int]:
    flat: dict[str, int] = {}
    for part, each in teller.world.kits.get(sku, {}).items():
        for plain, units in _flat(teller, part).items():
            flat[plain] = flat.get(plain, 0) + each * units
    return flat or {sku: 1}


def _issue(
    teller: Teller, order_id: str, line_id: str | None, sku: str, location: str, quantity: int
) -> None:
    data = {"location": location, "quantity": quantity, "reason": "issue", "order_id": order_id}
    teller.tell("inventory.moved", teller.minute(), WMS, sku, sku=sku, line_id=line_id, **data)
