"""Goods issues that no shipment confirms, postings and refunds, asked of the facts up to one instant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from tests.oracle.disagreements import Known, Wrong
from tests.oracle.facts import Fact
from tests.oracle.lines import Line
from tests.oracle.orders import Order

Sum = tuple[Decimal, int]


def issue_without_shipment(known: Known) -> Wrong:
    """Per location, from the oldest of the youngest issues that shipments there do not make up for."""
    if "shipment_confirmed" not in known.allowed:
        return
    for at in {fact.data["location"] for fact in known.order.issues}:
        times = []
        for line in known.order.lines:
            for part in line.parts:
                alone = line.units(line.issues, part).get(at, 0) - line.units(line.shipments, part).get(at, 0)
                for fact in reversed(_named_issues(known, line, at)):
                    units = _issued(line, part, fact)
                    if alone > 0 and units > 0:
                        times.append(fact.time)
                        alone -= units
        if times:
            yield f"{known.id}|{at}", min(times) + known.allowed["shipment_confirmed"]


def _named_issues(known: Known, line: Line, at: str) -> list[Fact]:
    """Issues there that may be the line's, oldest first."""
    mine = []
    for fact in known.order.issues:
        line_id, sku = fact.data.get("line_id"), fact.data["sku"]
        if line_id:
            fits = line_id == line.line_id and (not line.stray or sku == line.sku)
        else:
            fits = sku == line.sku or sku in line.parts
        if fits and fact.data["location"] == at:
            mine.append(fact)
    return mine


def _issued(line: Line, part: str, fact: Fact) -> int:
    units = -fact.data["quantity"]
    if line.names_part(fact.data["sku"]):
        return units if fact.data["sku"] == part else 0
    return int(units * line.parts[part])


def posting_missing(known: Known) -> Wrong:
    due_units = any(line.ordered > line.cancelled for line in known.order.lines)
    if (
        known.shipped is not None
        and "posted" in known.allowed
        and due_units
        and not known.postings("invoice")
    ):
        yield known.id, known.shipped + known.allowed["posted"]


def posting_mismatch(known: Known) -> Wrong:
    if known.document is None:
        return
    stated = sorted(known.postings("sales_order"), key=lambda fact: fact.rank)[-1:]
    for posting in stated:
        if not _states(posting, known.order):
            before = [fact for fact in known.order.facts if fact.time <= posting.time]
            then = Order(known.id, before, known.catalogue)
            once_right = then.document is not None and _states(posting, then)
            if not once_right:
                yield f"{known.id}|sales_order", None
            elif known.document.time > posting.time:
                yield f"{known.id}|sales_order", known.document.time + known.deadlines.erp_grace
    invoices = known.postings("invoice")
    if invoices:
        yield from _billed(known, invoices)


def _billed(known: Known, invoices: list[Fact]) -> Wrong:
    name = f"{known.id}|invoice"
    amount, units = _added(invoices)
    back, units_back = _added(known.postings("credit_memo"))
    most = _worth(
        known,
        lambda line, part: max(_kept(line, part), min(line.ordered * line.parts[part], _gone(line, part))),
    )
    least = _worth(known, lambda line, part: max(0, _kept(line, part)))
    foreign = any(fact.data.get("currency") not in {None, known.data["currency"]} for fact in invoices)
    if foreign or amount - back > most[0] or units - units_back > most[1]:
        yield name, None
    elif known.shipped is not None and "posted" in known.allowed:
        too_little = amount < least[0] and all("amount" in fact.data for fact in invoices)
        too_few = units < least[1] and all("lines" in fact.data for fact in invoices)
        if too_little or too_few:
            yield name, known.shipped + known.allowed["posted"]


def _kept(line: Line, part: str) -> int:
    return (line.ordered - line.cancelled) * line.parts[part]


def _gone(line: Line, part: str) -> int:
    return sum(max(0, units) for units in line.gone(part).values())


def _worth(known: Known, count: Callable[[Line, str], int]) -> Sum:
    amount, units = Decimal(0), 0
    for line in known.order.lines:
        counted = max(-(-count(line, part) // each) for part, each in line.parts.items())
        units += counted
        amount += counted * known.price(line.line_id)
    return amount, units


def _added(postings: Iterable[Fact]) -> Sum:
    amount, units = Decimal(0), 0
    for fact in postings:
        amount += Decimal(fact.data.get("amount", "0"))
        units += sum(row["quantity"] for row in fact.data.get("lines", []))
    return amount, units


def _states(posting: Fact, order: Order) -> bool:
    """Whether the posting is of the order as ordered, or less what was cancelled."""
    assert order.document is not None
    currency = order.document.data["currency"]
    for less in (False, True):
        amount, units = Decimal(0), 0
        for row in order.document.data["lines"]:
            kept = max(0, row["quantity"] - (order.cancelled_units(row) if less else 0))
            amount += kept * Decimal(row["unit_price"])
            units += kept
        said = posting.data.get("amount")
        paid = said is None or (Decimal(said) == amount and posting.data.get("currency") in {None, currency})
        rows = posting.data.get("lines")
        if paid and (rows is None or sum(row["quantity"] for row in rows) == units):
            return True
    return False


def refund_overdue(known: Known) -> Wrong:
    refunds = known.firsts("refund.issued", "refund_id").values()
    named = {fact.data.get("return_id") for fact in refunds}
    unnamed = [fact for fact in refunds if not fact.data.get("return_id")]
    returns = known.firsts("return.received", "return_id")
    waiting = sorted((fact.time, key) for key, fact in returns.items() if key not in named)
    for at, return_id in waiting[len(unnamed) :]:
        if "refunded" in known.allowed:
            yield f"{known.id}|{return_id}", at + known.allowed["refunded"]


def refund_without_return(known: Known) -> Wrong:
    refunds = list(known.firsts("refund.issued", "refund_id").values())
    if known.document is None or not refunds:
        return
    back: dict[str, int] = {}
    rows = [
        row for fact in known.firsts("return.received", "return_id").values() for row in fact.data["lines"]
    ]
    sent_back = {fact.data["shipment_id"] for fact in known.order.of("shipment.returned_to_sender")}
    for shipment in known.order.shipments:
        rows += shipment.data["lines"] if shipment.data["shipment_id"] in sent_back else []
    for row in rows:
        back[row["line_id"]] = back.get(row["line_id"], 0) + row["quantity"]
    owing = Decimal(0)
    for row in known.data["lines"]:
        all_of_it = known.order.rejection is not None
        cancelled = row["quantity"] if all_of_it else known.order.cancelled_units(row)
        owing += min(row["quantity"], cancelled + back.get(row["line_id"], 0)) * Decimal(row["unit_price"])
    own = [Decimal(f.data["amount"]) for f in refunds if f.data["currency"] == known.data["currency"]]
    if sum(own) > owing or len(own) < len(refunds):
        yield known.id, None


MONEY: dict[str, Callable[[Known], Wrong]] = {
    "issue_without_shipment": issue_without_shipment,
    "posting_missing": posting_missing,
    "posting_mismatch": posting_mismatch,
    "refund_overdue": refund_overdue,
    "refund_without_return": refund_without_return,
}
