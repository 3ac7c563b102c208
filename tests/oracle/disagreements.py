"""Every rule of DESIGN section 6 about an order, asked of the facts up to one instant: who is wrong, from when on.

A rule gives (subject, due): due None means that it is wrong now, else that it is once the time is past `due`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from tests.oracle.deadlines import Deadlines
from tests.oracle.facts import Fact
from tests.oracle.lifecycle import beside_chain, chain
from tests.oracle.lines import Line
from tests.oracle.orders import Order
from tests.oracle.products import Catalogue

Wrong = Iterator[tuple[str, datetime | None]]


class Known:
    """An order as it stood, and the deadlines of its channel."""

    def __init__(self, order: Order, catalogue: Catalogue, deadlines: Deadlines) -> None:
        self.order, self.id, self.catalogue, self.deadlines = order, order.order_id, catalogue, deadlines
        self.allowed = deadlines.of(order.channel)
        self.document = order.document
        self.data: dict[str, Any] = {} if self.document is None else self.document.data

    @cached_property
    def reached(self) -> dict[str, datetime]:
        return {**chain(self.order), **beside_chain(self.order)}

    @cached_property
    def shipped(self) -> datetime | None:
        """When it was shipped, if shipments alone say so."""
        at = self.reached.get("shipped") if self.document else None
        lines = self.order.lines
        short = any(
            sum(line.units(line.shipments, part).values()) < each * (line.ordered - line.cancelled)
            for line in lines
            for part, each in line.parts.items()
        )
        return None if short else at

    def price(self, line_id: str) -> Decimal:
        rows = [row for row in self.data.get("lines", []) if row["line_id"] == line_id]
        return Decimal(rows[0]["unit_price"]) if rows else Decimal(0)

    def postings(self, kind: str) -> list[Fact]:
        first: dict[str, Fact] = {}
        for fact in self.order.of("posting.recorded"):
            first.setdefault(fact.data["posting_id"], fact)
        return [fact for fact in first.values() if fact.data["kind"] == kind]

    def firsts(self, type_: str, name: str) -> dict[str, Fact]:
        """The first fact of the type per id."""
        first: dict[str, Fact] = {}
        for fact in self.order.of(type_):
            first.setdefault(fact.data[name], fact)
        return first


def order_stalled(known: Known) -> Wrong:
    ended = known.order.rejection is not None or "cancelled" in known.reached
    if known.document is None or ended:
        return
    placed = known.reached["placed"]
    for name in ("accepted", "allocated", "released", "picked", "packed", "shipped"):
        if name in known.allowed and name not in known.reached:
            due = placed + known.allowed[name]
            promised = _moment(known.data.get("promised_ship_at")) if name == "shipped" else None
            yield f"{known.id}|{name}", due if promised is None else min(due, promised)
    if known.shipped is None:
        return
    if "acknowledged" in known.allowed and not known.order.of("shipment.acknowledged"):
        yield f"{known.id}|acknowledged", known.shipped + known.allowed["acknowledged"]
    if "delivered" in known.allowed and "delivered" not in known.reached:
        due = known.shipped + known.allowed["delivered"]
        promised = _moment(known.data.get("promised_delivery_at"))
        yield f"{known.id}|delivered", due if promised is None else min(due, max(promised, known.shipped))


def order_rejected(known: Known) -> Wrong:
    if known.order.rejection is not None and "cancelled" not in known.reached:
        yield known.id, None


def _excess(line: Line, part: str) -> tuple[int, int]:
    """Units of the part gone beyond ordered, and gone though cancelled, rounded up to units of the line."""
    each = line.parts[part]
    gone = sum(max(0, units) for units in line.gone(part).values())
    ordered = line.ordered * each
    kept = max(0, ordered - line.cancelled * each)
    return -(-max(0, gone - ordered) // each), -(-max(0, min(gone, ordered) - kept) // each)


def _line_name(known: Known, line: Line) -> str:
    return f"{known.id}|{line.line_id}|{line.sku}" if line.stray else f"{known.id}|{line.line_id}"


def overshipped(known: Known) -> Wrong:
    for line in known.order.lines if known.document else []:
        if any(_excess(line, part)[0] for part in line.parts):
            yield _line_name(known, line), None


def shipped_after_cancel(known: Known) -> Wrong:
    for line in known.order.lines if known.document else []:
        if any(_excess(line, part)[1] for part in line.parts):
            yield _line_name(known, line), None


def wrong_item_shipped(known: Known) -> Wrong:
    for shipment in known.order.shipments:
        for row in shipment.data["lines"]:
            same = [line for line in known.data.get("lines", []) if line["line_id"] == row["line_id"]]
            if same and row["sku"] != same[0]["sku"]:
                kit = known.catalogue.is_kit(same[0]["sku"])
                if not kit or row["sku"] not in known.catalogue.parts(same[0]["sku"]):
                    yield f"{known.id}|{shipment.data['shipment_id']}|{row['line_id']}|{row['sku']}", None


def orphan_shipment(known: Known) -> Wrong:
    left = [fact.time for fact in [*known.order.shipments, *known.order.issues]]
    if known.document is None and left:
        yield known.id, min(left) + known.deadlines.orphan_grace


def issue_not_posted(known: Known) -> Wrong:
    """A shipment lacks its issue if what left up to and with it is more than was issued, line by line."""
    if "goods_issue" not in known.allowed:
        return
    for shipment in known.order.shipments:
        at = shipment.data["location"]
        if at in known.deadlines.still:
            continue
        upto = {fact.rank: fact for fact in known.order.shipments if fact.rank <= shipment.rank}
        for line in known.order.lines:
            mine = [row for row in shipment.data["lines"] if _serves(line, row)]
            for part in line.parts:
                own = sum(_units(line, part, row) for row in mine)
                so_far = sum(
                    _units(line, part, row)
                    for fact in upto.values()
                    if fact.data["location"] == at
                    for row in fact.data["lines"]
                    if _serves(line, row)
                )
                if own and so_far > line.units(line.issues, part).get(at, 0):
                    name = _line_name(known, line).partition("|")[2]
                    due = shipment.time + known.allowed["goods_issue"]
                    yield f"{known.id}|{shipment.data['shipment_id']}|{name}", due


def _serves(line: Line, row: dict[str, Any]) -> bool:
    return bool(row["line_id"] == line.line_id and (not line.stray or row["sku"] == line.sku))


def _units(line: Line, part: str, row: dict[str, Any]) -> int:
    if line.names_part(row["sku"]):
        return row["quantity"] if row["sku"] == part else 0
    return int(row["quantity"] * line.parts[part])


def shipment_exception(known: Known) -> Wrong:
    delivered = known.firsts("shipment.delivered", "shipment_id")
    for shipment_id in known.firsts("shipment.exception", "shipment_id"):
        if shipment_id not in delivered:
            yield f"{known.id}|{shipment_id}", None


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


RULES: dict[str, Callable[[Known], Wrong]] = {
    "order_stalled": order_stalled,
    "order_rejected": order_rejected,
    "overshipped": overshipped,
    "shipped_after_cancel": shipped_after_cancel,
    "wrong_item_shipped": wrong_item_shipped,
    "orphan_shipment": orphan_shipment,
    "issue_not_posted": issue_not_posted,
    "shipment_exception": shipment_exception,
}
