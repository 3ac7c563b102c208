"""What happens to stock, products and listings, orders aside."""

from __future__ import annotations

from typing import Any

from tests.histories.world import Event, Teller

STATUSES = ["sellable", "damaged", "quality_control", "hold"]
REASONS = ["receipt", "adjustment", "transfer", "return", "other", "issue"]


def wms(teller: Teller, location: str) -> str:
    """Mostly the location's own system; sometimes one that knows them all."""
    return f"/wms/{location}" if teller.chance(0.8) else "/wms/all"


def tell_catalogue(teller: Teller) -> None:
    """Product statements: partial, versioned or not, and kits whose definition comes whenever it comes."""
    for sku in teller.world.skus:
        for _ in range(teller.rng.choice([0, 1, 1, 2])):
            product(teller, sku)
        parts = teller.world.kits.get(sku)
        if parts:
            product(teller, sku, components=components(parts))
            if teller.chance(0.3):
                product(teller, sku, components=components(other_parts(teller, sku)))


def product(teller: Teller, sku: str, **more: Any) -> Event:
    safety = {at: teller.rng.randint(0, 4) for at in teller.world.locations if teller.chance(0.3)}
    data = {
        "version": teller.maybe(teller.rng.randint(0, 4), 0.7),
        "identifiers": teller.maybe([{"scheme": "asin", "value": f"B0{sku}"}], 0.2),
        "safety_stock": teller.maybe(safety, 0.5),
        "unit_cost": teller.maybe("12.50", 0.3),
        "active": teller.maybe(teller.chance(0.8), 0.3),
        **more,
    }
    return teller.tell("product.upserted", teller.minute(), "/erp/main", sku, sku=sku, **data)


def components(parts: dict[str, int]) -> list[dict[str, Any]]:
    return [{"sku": part, "quantity": units} for part, units in parts.items()]


def other_parts(teller: Teller, sku: str) -> dict[str, int]:
    """Another recipe: perhaps none (no kit any more), now and then one that bites its own tail."""
    others = teller.world.skus if teller.chance(0.1) else [x for x in teller.world.skus if x > sku]
    if teller.chance(0.3) or not others:
        return {}
    chosen = teller.rng.sample(others, teller.rng.randint(1, min(2, len(others))))
    return {part: teller.rng.randint(1, 2) for part in chosen}


def tell_stock(teller: Teller) -> None:
    """Opening stock, then movements, changes of status, counts and balances in any order."""
    for sku in teller.world.skus:
        for location in teller.world.locations:
            if teller.chance(0.6):
                moved(
                    teller,
                    sku,
                    location,
                    teller.rng.randint(1, 12),
                    "receipt",
                    minute=teller.rng.randint(0, 30),
                )
    for _ in range(teller.rng.randint(2, 14)):
        tell = teller.rng.choice([movement, movement, status_change, count, count, balance, transfer])
        tell(teller)


def moved(
    teller: Teller, sku: str, location: str, quantity: int, reason: str, minute: float, **more: Any
) -> Event:
    data = {"sku": sku, "location": location, "quantity": quantity, "reason": reason, **more}
    return teller.tell("inventory.moved", minute, wms(teller, location), sku, **data)


def movement(teller: Teller) -> None:
    """Any reason, any status, either sign; also a goods issue for no order, and a return that names one."""
    quantity = teller.rng.choice([-4, -2, -1, 1, 2, 5])
    reason = teller.rng.choice(REASONS)
    status = teller.rng.choice([None, None, *STATUSES])
    order_id = teller.maybe("O-1", 0.5) if reason == "return" else None
    where = teller.location()
    moved(teller, teller.sku(), where, quantity, reason, teller.minute(), status=status, order_id=order_id)


def transfer(teller: Teller) -> None:
    sku, minute, units = teller.sku(), teller.minute(), teller.rng.randint(1, 4)
    here, there = teller.rng.sample(teller.world.locations, 2)
    moved(teller, sku, here, -units, "transfer", minute)
    moved(teller, sku, there, units, "transfer", minute + teller.rng.randint(0, 20))


def status_change(teller: Teller) -> None:
    sku, location = teller.sku(), teller.location()
    before, after = teller.rng.sample(STATUSES, 2)
    data = {"quantity": teller.rng.randint(1, 4), "from_status": before, "to_status": after}
    minute, source = teller.minute(), wms(teller, location)
    teller.tell("inventory.status_changed", minute, source, sku, sku=sku, location=location, **data)


def count(teller: Teller) -> None:
    """A count is told some minutes after its cut, at times much later; half the cuts fall near a promise."""
    sku, location, cut = teller.sku(), teller.location(), teller.rng.choice([60, 120, 180, teller.minute()])
    if teller.chance(0.5):
        sku, location, cut = promised(teller) or (sku, location, cut)
    told = cut + teller.rng.choice([0, 0, 1, 5, 90])
    status = teller.rng.choice([None, None, None, "sellable", "damaged"])
    data = {"quantity": teller.rng.randint(0, 12), "as_of": teller.text(cut), "status": status}
    source = wms(teller, location)
    teller.tell("inventory.counted", told, source, sku, sku=sku, location=location, **data)


def promised(teller: Teller) -> tuple[str, str, int] | None:
    """A SKU, a location and a minute at which an order or a shipment named them, or just around it."""
    kinds = {"order.placed", "order.changed", "shipment.shipped"}
    named = [(e, at) for e, at in zip(teller.events, teller.minutes, strict=True) if e["type"] in kinds]
    if not named:
        return None
    event, minute = teller.rng.choice(named)
    row = teller.rng.choice(event["data"]["lines"])
    location = event["data"].get("location") or row.get("location") or teller.location()
    margin = round(teller.world.config.cut_margin.total_seconds() / 60)
    after = margin if event["type"] == "shipment.shipped" else 0
    return (
        teller.rng.choice(teller.names(row["sku"])),
        location,
        minute + after + teller.rng.choice([-1, 0, 0, 0, 1]),
    )


def balance(teller: Teller) -> None:
    sku, minute = teller.sku(), teller.minute()
    data = {
        "location": teller.location(),
        "quantity": teller.rng.randint(0, 12),
        "as_of": teller.text(minute),
    }
    teller.tell("inventory.balance_reported", minute, "/erp/main", sku, sku=sku, **data)


def tell_listings(teller: Teller) -> None:
    """What channels say of listings: of no weight for any number."""
    for _ in range(teller.rng.randint(0, 3)):
        channel, sku = teller.rng.choice(teller.world.channels), teller.sku()
        minute, version = teller.minute(), teller.rng.randint(1, 5)
        says: dict[str, dict[str, Any]] = {
            "observed": {"quantity": 3, "as_of": teller.text(minute)},
            "acknowledged": {"version": version, "quantity": 3},
            "rejected": {"version": version, "code": "throttled", "retry_after_seconds": 2},
        }
        kind, source = teller.rng.choice(list(says)), f"/channels/{channel}"
        data = {"channel": channel, "sku": sku, **says[kind]}
        teller.tell(f"listing.{kind}", minute, source, f"{channel}|{sku}", **data)
