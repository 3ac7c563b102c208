"""One order: its documents, cancellations, allocation, shipments and issues, joined and set against lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.oracle.facts import Fact
from tests.oracle.lines import Leaving, Line
from tests.oracle.products import Catalogue

DOCUMENTS = {"order.placed", "order.changed"}
CLAIM_BEARING = DOCUMENTS | {
    "order.cancelled",
    "order.accepted",
    "order.rejected",
    "order.allocated",
    "shipment.shipped",
    "inventory.moved",
}


class Order:
    """Everything known of one order, from its distinct events in any order."""

    def __init__(self, order_id: str, facts: list[Fact], catalogue: Catalogue) -> None:
        self.order_id = order_id
        self.facts = facts
        self.catalogue = catalogue
        self.lines = self.lines_given(self.shipments, self.issues)

    def of(self, *types: str) -> list[Fact]:
        """Its facts of these types, earliest first."""
        return sorted((fact for fact in self.facts if fact.type in types), key=lambda fact: fact.rank)

    @property
    def document(self) -> Fact | None:
        """What was ordered: the highest version."""
        return max(self.of(*DOCUMENTS), key=lambda fact: fact.versioned, default=None)

    @property
    def placed_at(self) -> datetime | None:
        return min((fact.time for fact in self.of(*DOCUMENTS)), default=None)

    @property
    def channel(self) -> str | None:
        return None if self.document is None else self.document.data["channel"]

    @property
    def rejection(self) -> Fact | None:
        """The rejection in force, if the latest word of the ERP is one."""
        words = self.of("order.accepted", "order.rejected")
        return words[-1] if words and words[-1].type == "order.rejected" else None

    @property
    def allocation(self) -> Fact | None:
        return max(self.of("order.allocated"), key=lambda fact: fact.versioned, default=None)

    @property
    def whole_cancellations(self) -> list[Fact]:
        return [fact for fact in self.of("order.cancelled") if not fact.data.get("lines")]

    @property
    def shipments(self) -> list[Fact]:
        """The first shipment of every shipment_id."""
        first: dict[str, Fact] = {}
        for fact in self.of("shipment.shipped"):
            first.setdefault(fact.data["shipment_id"], fact)
        return list(first.values())

    @property
    def issues(self) -> list[Fact]:
        return self.of("inventory.moved")

    @property
    def claim_bearing(self) -> list[Fact]:
        return [fact for fact in self.facts if fact.type in CLAIM_BEARING]

    def skus_named(self) -> set[str]:
        """Every SKU that a document, shipment or issue ever named, and what its kits ever held."""
        named = {fact.data["sku"] for fact in self.issues}
        for fact in self.of(*DOCUMENTS, "shipment.shipped"):
            named |= {line["sku"] for line in fact.data["lines"]}
        return named | {part for sku in named for part in self.catalogue.ever(sku)}

    def cancelled_units(self, line: dict[str, Any]) -> int:
        """All, where the whole order was; else the greatest word, which may exceed the line."""
        if self.whole_cancellations:
            return int(line["quantity"])
        rows = [row for fact in self.of("order.cancelled") for row in fact.data["lines"]]
        return max((row["quantity"] for row in rows if row["line_id"] == line["line_id"]), default=0)

    def lines_given(self, shipments: Iterable[Fact], issues: Iterable[Fact]) -> list[Line]:
        """The document's lines in its order, then strays, with these shipments and issues against them."""
        document = [] if self.document is None else self.document.data["lines"]
        lines = [self._line(row) for row in document]
        for fact in shipments:
            for row in fact.data["lines"]:
                leaving = Leaving(fact.time, fact.data["location"], row["sku"], row["quantity"])
                self._served(lines, row["line_id"], row["sku"]).shipments.append(leaving)
        unnamed: dict[tuple[str, str], list[Leaving]] = {}
        for fact in issues:
            data = fact.data
            leaving = Leaving(fact.time, data["location"], data["sku"], -data["quantity"])
            if data.get("line_id"):
                self._served(lines, data["line_id"], data["sku"]).issues.append(leaving)
            else:
                unnamed.setdefault((data["sku"], data["location"]), []).append(leaving)
        for _, leavings in sorted(unnamed.items(), key=lambda item: item[0]):
            self._spread(lines, leavings)
        strays = sorted((line for line in lines if line.stray), key=lambda line: (line.line_id, line.sku))
        return [line for line in lines if not line.stray] + strays

    def _line(self, row: dict[str, Any]) -> Line:
        sku = row["sku"]
        kit, parts = self.catalogue.is_kit(sku), self.catalogue.parts(sku)
        cancelled = self.cancelled_units(row)
        return Line(row["line_id"], sku, row["quantity"], cancelled, kit, parts, location=row.get("location"))

    def _served(self, lines: list[Line], line_id: str, sku: str) -> Line:
        """The document's line of that line_id, whatever the SKU; else the stray of both, new if need be."""
        for line in lines:
            if line.line_id == line_id and (not line.stray or line.sku == sku):
                return line
        lines.append(
            Line(line_id, sku, 0, 0, self.catalogue.is_kit(sku), self.catalogue.parts(sku), stray=True)
        )
        return lines[-1]

    def _spread(self, lines: list[Line], leavings: list[Leaving]) -> None:
        """Issues of one SKU and location without a line_id: against the document's lines of it, in order.

        Where it has none, against what was shipped of it for an order not known yet.
        """
        sku, rest = leavings[0].sku, sum(leaving.quantity for leaving in leavings)
        takers = [x for x in lines if not x.stray and (x.sku == sku or x.names_part(sku))]
        if not takers:
            strays = sorted((x for x in lines if x.stray and x.sku == sku), key=lambda x: x.line_id)
            takers = strays or [self._served(lines, "", sku)]
        if rest <= 0:
            takers = takers[:1]
        for taker in takers:
            take = rest if taker is takers[-1] else min(rest, taker.room_for(sku, leavings[0].location))
            taker.issues.append(Leaving(leavings[0].time, leavings[0].location, sku, take))
            rest -= take
