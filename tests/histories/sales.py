"""Orders: placed, restated, cancelled, accepted, allocated, posted. What leaves for them: leaving.py."""

from __future__ import annotations

from typing import Any

from tests.histories.leaving import tell_leaving
from tests.histories.world import Teller

Row = dict[str, Any]


def tell_orders(teller: Teller) -> None:
    for number in range(1, teller.rng.randint(1, 4) + 1):
        Sale(teller, f"O-{number}").tell()


class Sale:
    """One order: `rows` are the lines it started with; later documents may say otherwise."""

    def __init__(self, teller: Teller, order_id: str) -> None:
        self.teller, self.rng, self.order_id = teller, teller.rng, order_id
        self.start = self.rng.randint(0, 150)
        self.channel = self.rng.choice(teller.world.channels)
        self.rows = [self.row(str(number)) for number in range(1, self.rng.choice([1, 1, 2, 3]) + 1)]

    def row(self, line_id: str) -> Row:
        row = {"line_id": line_id, "sku": self.teller.sku(), "quantity": self.rng.randint(1, 5)}
        placed = {"location": self.teller.location()} if self.teller.chance(0.4) else {}
        return {**row, "unit_price": "9.99", **placed}

    def after(self, least: int = 0, most: int = 60) -> int:
        """A minute some time after the order began; systems' clocks differ, so also a little before."""
        return self.start + self.rng.randint(least - 3, most)

    def say(self, type_: str, minute: float, source: str = "/erp/main", **data: Any) -> None:
        self.teller.tell(type_, minute, source, self.order_id, order_id=self.order_id, **data)

    def tell(self) -> None:
        self.documents()
        self.cancellations()
        self.verdicts()
        self.allocations()
        for step in ("released", "picked", "packed"):
            if self.teller.chance(0.35):
                where = self.teller.maybe(self.teller.location())
                self.say(f"order.{step}", self.after(5, 90), "/wms/all", location=where)
        tell_leaving(self)
        self.money()

    def documents(self) -> None:
        """Placed, and restated with versions that need not follow the times."""
        source = f"/channels/{self.channel}"
        same = {"channel": self.channel, "currency": "USD"}
        if self.teller.chance(0.95):
            promised = self.teller.maybe(self.teller.text(self.start + 200), 0.2)
            version = self.teller.maybe(1)
            self.say(
                "order.placed",
                self.start,
                source,
                **same,
                version=version,
                lines=self.rows,
                promised_ship_at=promised,
            )
        if self.teller.chance(0.05):
            self.say("order.placed", self.after(0, 2), source, **same, lines=self.rows)
        for version in self.rng.sample([2, 3, 3, 4], self.rng.choice([0, 0, 0, 1, 2])):
            minute = self.start - self.rng.randint(0, 30) if self.teller.chance(0.15) else self.after()
            self.say("order.changed", minute, source, **same, version=version, lines=self.restated())

    def restated(self) -> list[Row]:
        """The lines as a change has them: other quantities, one line more or fewer, rarely another SKU."""
        rows = [{**row, "quantity": self.rng.randint(1, 5)} for row in self.rows]
        if self.teller.chance(0.3):
            rows.append(self.row(str(len(rows) + 1)))
        elif len(rows) > 1 and self.teller.chance(0.4):
            rows.remove(self.rng.choice(rows))
        if self.teller.chance(0.1):
            rows[0] = {**rows[0], "sku": self.teller.sku()}
        return rows

    def cancellations(self) -> None:
        source = f"/channels/{self.channel}"
        while self.teller.chance(0.3):
            some = self.rng.sample(self.rows, self.rng.randint(1, len(self.rows)))
            lines = [{"line_id": row["line_id"], "quantity": self.rng.randint(0, 5)} for row in some]
            told = self.rng.choice([{}, {"lines": []}]) if self.teller.chance(0.3) else {"lines": lines}
            self.say("order.cancelled", self.after(), source, **told)

    def verdicts(self) -> None:
        if self.teller.chance(0.5):
            self.say("order.accepted", self.after())
        if self.teller.chance(0.12):
            self.say("order.rejected", self.after(), reason="credit limit")
            if self.teller.chance(0.3):
                self.say("order.accepted", self.after(10, 90))

    def allocations(self) -> None:
        for version in self.rng.sample([1, 2, 2, 3], self.rng.choice([0, 1, 1, 2])):
            lines = [
                {
                    "line_id": row["line_id"],
                    "location": self.teller.location(),
                    "quantity": self.rng.randint(1, 4),
                }
                for row in self.rows
                for _ in range(self.rng.choice([0, 1, 1, 2]))
            ]
            if self.teller.chance(0.05):
                lines.append({"line_id": "99", "location": self.teller.location(), "quantity": 1})
            self.say("order.allocated", self.after(), "/wms/all", version=version, lines=lines)

    def money(self) -> None:
        """Postings, returns and refunds: of no weight for stock."""
        for kind in ("sales_order", "invoice", "payment"):
            if self.teller.chance(0.2):
                number = f"{self.order_id}-{kind}"
                self.say(
                    "posting.recorded",
                    self.after(20, 90),
                    posting_id=number,
                    kind=kind,
                    amount="9.99",
                    currency="USD",
                )
        if self.teller.chance(0.12):
            returned = {"return_id": f"R-{self.order_id}"}
            self.say("return.requested", self.after(30, 90), **returned)
            line = {name: self.rows[0][name] for name in ("line_id", "sku", "quantity")}
            self.say(
                "return.received", self.after(40, 90), **returned, lines=[{**line, "disposition": "restock"}]
            )
        if self.teller.chance(0.1):
            number = f"F-{self.order_id}"
            self.say("refund.issued", self.after(40, 95), refund_id=number, amount="9.99", currency="USD")
