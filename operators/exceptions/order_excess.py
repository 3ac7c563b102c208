"""More, or something else, has left than was ordered: `overshipped`, `shipped_after_cancel`, `wrong_item_shipped`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from operators.exceptions.episode import NOTHING
from operators.exceptions.order_view import Finding, View, clock, gone, line_name, most
from operators.standing import LineStanding


def overshipped(view: View) -> Iterator[Finding]:
    """Units of a line gone beyond those ordered."""
    yield from _per_line(
        view,
        "overshipped",
        beyond_ordered,
        "more than was ordered: stop what is still in the house and claim the rest back.",
    )


def shipped_after_cancel(view: View) -> Iterator[Finding]:
    """Units of a line gone beyond ordered − cancelled, as far as they were ordered."""
    yield from _per_line(
        view,
        "shipped_after_cancel",
        after_cancel,
        "although cancelled: stop the parcel or arrange its return, and do not bill it.",
    )


def beyond_ordered(line: LineStanding) -> int:
    """Units of the line that were never ordered and have left."""
    return most(line, lambda part: max(0, gone(part) - part.ordered))


def after_cancel(line: LineStanding) -> int:
    """Units of the line that were ordered, cancelled, and have left."""
    return most(
        line,
        lambda part: max(0, min(gone(part), part.ordered) - max(0, part.ordered - part.cancelled)),
    )


def _per_line(view: View, code: str, count: Callable[[LineStanding], int], what: str) -> Iterator[Finding]:
    """One finding per line with anything to count; an unknown order is an orphan, not this."""
    if not view.known or not view.so_far.left:
        return
    for line in view.lines:
        units = count(line)
        if units:
            places = [place for part in line.parts for place in (*part.shipped, *part.issued)]
            yield Finding(
                code=code,
                subject=f"{view.id}|{line_name(line)}",
                owner="warehouse",
                units=units,
                value=units * _price(view, line),
                ranks=_ranks(view, code, line),
                message=(
                    f"{view.name()}: {units} of {line.sku} (line {line.line_id or 'unknown'}) left"
                    f" {' and '.join(sorted(set(places)))} {what}"
                ),
                sku=line.sku,
                location=places[0] if len(set(places)) == 1 else None,
            )


def _price(view: View, line: LineStanding) -> Decimal:
    return view.prices.get(line.line_id, NOTHING)


def _ranks(view: View, code: str, line: LineStanding) -> tuple[str, ...]:
    order = view.order
    cancelled = tuple(rank for _, rank, _ in order.cancellations) if code == "shipped_after_cancel" else ()
    left = [s.rank for s in order.shipments.values() if any(row[0] == line.line_id for row in s.lines)]
    issued = [f"{i.source}\x00{i.id}" for i in order.issues if i.line_id in {None, line.line_id}]
    return (*view.document_rank, *cancelled, *left, *issued)


def wrong_item_shipped(view: View) -> Iterator[Finding]:
    """A shipment line names a SKU that is neither its order line's nor a component of it."""
    if not view.known:
        return
    ordered = {line_id: sku for line_id, sku, *_ in reversed(view.order.lines)}
    for shipment_id, shipment in view.order.shipments.items():
        wrong: dict[tuple[str, str], int] = {}
        for line_id, sku, units in shipment.lines:
            wanted = ordered.get(line_id)
            if wanted not in {None, sku} and sku not in (view.kits.parts(wanted or "") or ()):
                wrong[line_id, sku] = wrong.get((line_id, sku), 0) + units
        for (line_id, sku), units in wrong.items():
            yield Finding(
                code="wrong_item_shipped",
                subject=f"{view.id}|{shipment_id}|{line_id}|{sku}",
                owner="warehouse",
                units=units,
                value=units * view.prices[line_id],
                ranks=(*view.document_rank, shipment.rank),
                message=(
                    f"{view.name()}: {shipment.location} shipped {units} of {sku} on {clock(shipment.at)} for line"
                    f" {line_id}, which is for {ordered[line_id]}: send the right item and get the wrong one back."
                ),
                sku=sku,
                location=shipment.location,
                shipment_id=shipment_id,
            )
