"""What leaves for an order: shipments, the carriers' news of them, and goods issues that mostly match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.histories.sales import Sale

Row = dict[str, Any]
NEWS = ["in_transit", "out_for_delivery", "exception", "returned_to_sender", "acknowledged"]


def tell_leaving(sale: Sale) -> None:
    for number in range(1, sale.rng.choice([0, 1, 1, 2, 3]) + 1):
        shipment_id = f"H-{sale.order_id}-{number}"
        location = leaving_from(sale)
        minute = sale.after(5, 80)
        rows = sale.rng.sample(sale.rows, sale.rng.randint(1, len(sale.rows)))
        lines = [parcel_row(sale, row) for row in rows for _ in range(sale.rng.choice([1, 1, 1, 1, 1, 2]))]
        ship(sale, shipment_id, location, minute, lines)
        for line in lines:
            if sale.teller.chance(0.8):
                issue_of(sale, shipment_id, location, minute, line)
        news(sale, shipment_id, minute)
    if sale.teller.chance(0.15):
        issue_of(
            sale, None, leaving_from(sale), sale.after(5, 80), parcel_row(sale, sale.rng.choice(sale.rows))
        )


def leaving_from(sale: Sale) -> str:
    """Where the order was placed or may have been allocated; sometimes anywhere."""
    told = [event["data"] for event in sale.teller.events if event["type"] == "order.allocated"]
    allocated = [
        row["location"] for data in told if data["order_id"] == sale.order_id for row in data["lines"]
    ]
    known = allocated + [row["location"] for row in sale.rows if "location" in row]
    return sale.rng.choice(known) if known and sale.teller.chance(0.8) else sale.teller.location()


def parcel_row(sale: Sale, row: Row) -> Row:
    """Part or all of an order line; a kit under its own name or a component's; rarely the wrong item."""
    sku = sale.rng.choice(sale.teller.names(row["sku"]))
    if sale.teller.chance(0.07):
        sku = sale.teller.sku()
    line_id = "99" if sale.teller.chance(0.07) else row["line_id"]
    units = sale.rng.choice([row["quantity"], sale.rng.randint(1, 5)])
    return {"line_id": line_id, "sku": sku, "quantity": units}


def ship(sale: Sale, shipment_id: str, location: str, minute: int, lines: list[Row]) -> None:
    """Told once; sometimes again under another event id, rarely then with other lines."""
    same = {"shipment_id": shipment_id, "location": location}
    source = f"/wms/{location}"
    sale.say("shipment.shipped", minute, source, **same, lines=lines, carrier=sale.teller.maybe("ups"))
    if sale.teller.chance(0.12):
        again = lines if sale.teller.chance(0.6) else [{**lines[0], "quantity": sale.rng.randint(1, 5)}]
        sale.say("shipment.shipped", minute + sale.rng.randint(-2, 5), "/wms/all", **same, lines=again)


def issue_of(sale: Sale, shipment_id: str | None, location: str, minute: int, line: Row) -> None:
    """The goods issue of a parcel's line, before or after it; by kit or component; perhaps no line_id."""
    teller, rng = sale.teller, sale.rng
    sku = rng.choice(teller.names(line["sku"])) if teller.chance(0.15) else line["sku"]
    line_id = teller.maybe(line["line_id"], 0.65)
    where = teller.location() if teller.chance(0.07) else location
    units = rng.randint(1, 5) if teller.chance(0.1) else line["quantity"]
    # Whether a count net of promises covers an issue out of unsellable stock is nobody's question.
    odd = teller.chance(0.05) and not teller.world.config.counts_available
    more = {
        "line_id": line_id,
        "shipment_id": teller.maybe(shipment_id),
        "status": "damaged" if odd else None,
    }
    at = minute + rng.randint(-5, 30)
    issue(sale, sku, where, -units, at, **more)
    if teller.chance(0.08):
        issue(sale, sku, where, rng.randint(1, units), at + rng.choice([0, 5, 20]), **more)


def issue(sale: Sale, sku: str, location: str, quantity: int, minute: float, **more: Any) -> None:
    data = {"location": location, "quantity": quantity, "reason": "issue", "order_id": sale.order_id, **more}
    source = f"/wms/{location}" if sale.teller.chance(0.8) else "/wms/all"
    sale.teller.tell("inventory.moved", minute, source, sku, sku=sku, **data)


def news(sale: Sale, shipment_id: str, minute: int) -> None:
    """What the carrier says: often that it was delivered, sometimes of a parcel nobody shipped."""
    if sale.teller.chance(0.25):
        kind = sale.rng.choice(NEWS)
        sale.say(
            f"shipment.{kind}", minute + sale.rng.randint(0, 60), "/carriers/ups", shipment_id=shipment_id
        )
    while sale.teller.chance(0.45):
        other = sale.teller.chance(0.05)
        number = f"{shipment_id}-lost" if other else shipment_id
        sale.say("shipment.delivered", minute + sale.rng.randint(-2, 70), "/carriers/ups", shipment_id=number)
