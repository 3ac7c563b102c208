"""A day without faults contradicts itself nowhere in its stock."""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import itemgetter

from tests.sources.simulator.reading import Day

Cell = tuple[str, str]
Change = tuple[str, Cell, str, int]


def changes(day: Day, without: str = "") -> list[Change]:
    """(time, cell, status, units) of every movement but some, kits taken apart, in time order."""
    kits = day.kits()
    found: list[Change] = []
    for event in day.events("inventory"):
        data = event["data"]
        if event["type"] == "inventory.moved" and data["reason"] != without:
            for sku, each in kits.get(data["sku"], [(data["sku"], 1)]):
                status = data.get("status", "sellable")
                found.append((event["time"], (sku, data["location"]), status, each * data["quantity"]))
        elif event["type"] == "inventory.status_changed":
            cell = (data["sku"], data["location"])
            found.append((event["time"], cell, data["from_status"], -data["quantity"]))
            found.append((event["time"], cell, data["to_status"], data["quantity"]))
    return sorted(found, key=itemgetter(0))


def looks(day: Day) -> list[tuple[str, Cell, str | None, int]]:
    """(as_of, cell, status, units) of every count, and with status None of every ERP balance."""
    kinds = {"inventory.counted", "inventory.balance_reported"}
    return sorted(
        (
            (
                event["data"]["as_of"],
                (event["data"]["sku"], event["data"]["location"]),
                event["data"].get("status", "sellable") if event["type"] == "inventory.counted" else None,
                event["data"]["quantity"],
            )
            for event in day.events("inventory")
            if event["type"] in kinds
        ),
        key=itemgetter(0),
    )


def opening(day: Day) -> Counter[tuple[Cell, str]]:
    seen = looks(day)
    return Counter({(cell, kind): units for time, cell, kind, units in seen if kind and time == seen[0][0]})


def test_every_count_and_balance_is_the_book_at_its_cut(clean: Day) -> None:
    book, rest, later = opening(clean), changes(clean), looks(clean)
    later = [look for look in later if look[0] > later[0][0]]
    for as_of, cell, status, units in later:
        while rest and rest[0][0] <= as_of:
            _, changed, kind, quantity = rest.pop(0)
            book[changed, kind] += quantity
        kinds = [status] if status else ["sellable", "damaged", "quality_control"]
        assert units == sum(book[cell, kind] for kind in kinds), (as_of, cell)
    assert len(later) > 400


def test_the_final_stock_is_the_opening_and_every_movement_and_never_negative(clean: Day) -> None:
    book = opening(clean)
    for _, cell, status, units in changes(clean):
        book[cell, status] += units
        assert book[cell, status] >= 0
    stated = {
        (r["sku"], r["location"], r["status"]): r["on_hand"] for r in clean.truth("stock") if r["on_hand"]
    }
    assert {(*cell, status): units for (cell, status), units in book.items() if units} == stated
    assert not [record for record in clean.truth("stock") if "true_on_hand" in record]


def test_no_place_promises_more_than_lies_there(clean: Day) -> None:
    """Every allocation finds its units free: sellable, and not allocated to another order."""
    kits = clean.kits()
    sku_of = {
        (order_id, line["line_id"]): line["sku"]
        for order_id, event in clean.placed().items()
        for line in event["data"]["lines"]
    }
    cancelled = {e["subject"] for e in clean.events("orders") if e["type"] == "order.cancelled"}
    allocated = {e["subject"]: e for e in clean.events("orders") if e["type"] == "order.allocated"}
    steps: list[tuple[str, Cell, int]] = []
    for order_id in allocated.keys() - cancelled:
        for line in allocated[order_id]["data"]["lines"]:
            sku = sku_of[order_id, line["line_id"]]
            for part, each in kits.get(sku, [(sku, 1)]):
                steps.append(
                    (allocated[order_id]["time"], (part, line["location"]), -each * line["quantity"])
                )
    moves = [change for change in changes(clean, without="issue") if change[2] == "sellable"]
    steps += [(time, cell, units) for time, cell, _, units in moves]
    free: dict[Cell, int] = defaultdict(
        int, {c: n for (c, s), n in opening(clean).items() if s == "sellable"}
    )
    for _, cell, units in sorted(steps, key=itemgetter(0)):
        free[cell] += units
        assert free[cell] >= 0
    assert len(allocated) > 1000


def test_every_unit_shipped_is_issued_where_it_was_shipped_from(clean: Day) -> None:
    kits = clean.kits()
    issued: Counter[tuple[str, str, str]] = Counter()
    shipped: Counter[tuple[str, str, str]] = Counter()
    for event in clean.events("inventory", "shipments"):
        data = event["data"]
        shipment = event["type"] == "shipment.shipped"
        lines = data["lines"] if shipment else [data] if data.get("reason") == "issue" else []
        for line in lines:
            for sku, each in kits.get(line["sku"], [(line["sku"], 1)]):
                key = (data["shipment_id"], sku, data["location"])
                (shipped if shipment else issued)[key] += each * abs(line["quantity"])
    both = issued.keys() & shipped.keys()
    assert {key: issued[key] for key in both} == {key: shipped[key] for key in both}
    assert len(both) > 0.8 * len(shipped)
