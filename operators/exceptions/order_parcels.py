"""Shipments that say one thing while orders, books or carriers say another."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from operators.exceptions.episode import NOTHING
from operators.exceptions.order_view import Finding, View, clock, line_name
from operators.order import Issued
from operators.standing import LineStanding, PartStanding


def orphan_shipment(view: View) -> Iterator[Finding]:
    """Something left for an order that nobody has sent; over when the order comes."""
    order = view.order
    if view.known or not (order.shipments or order.issues):
        return
    grace = view.policy.time.orphan_grace
    left = [(s.at, s.rank, s.location) for s in order.shipments.values()]
    left += [(issue.at, f"{issue.source}\x00{issue.id}", issue.location) for issue in order.issues]
    at, _, location = min(left)
    if view.to_come(at + grace):
        return
    shipped = sum(row[2] for shipment in order.shipments.values() for row in shipment.lines)
    issued = sum(issue.units for issue in order.issues)
    first = min(order.shipments, key=lambda key: order.shipments[key].at, default=None)
    yield Finding(
        code="orphan_shipment",
        subject=view.id,
        due=at + grace,
        owner="warehouse",
        units=max(shipped, issued),
        ranks=tuple(rank for _, rank, _ in sorted(left)),
        message=(
            f"{max(shipped, issued)} units left {location} on {clock(at)} for order {view.id}, which no channel has"
            " sent: find out what was shipped to whom, or get the order sent."
        ),
        location=location,
        shipment_id=first,
    )


def issue_not_posted(view: View) -> Iterator[Finding]:
    """Per line of a shipment: units that have not left the book. Its issues cover the oldest shipments first."""
    allowed = view.sla.goods_issue
    if allowed is None:
        return
    for line in view.lines:
        for shipment_id, units in _owed(view, line).items():
            shipment = view.order.shipments[shipment_id]
            if view.to_come(shipment.at + allowed):
                continue
            yield Finding(
                code="issue_not_posted",
                subject=f"{view.id}|{shipment_id}|{line_name(line)}",
                due=shipment.at + allowed,
                owner="warehouse",
                units=units,
                value=view.prices.get(line.line_id, NOTHING) * units,
                ranks=(shipment.rank,),
                message=(
                    f"{view.name()}: {units} of {line.sku} left {shipment.location} with shipment {shipment_id} on"
                    f" {clock(shipment.at)} and are still in its book: post their goods issue."
                ),
                sku=line.sku,
                location=shipment.location,
                shipment_id=shipment_id,
            )


def _owed(view: View, line: LineStanding) -> dict[str, int]:
    """shipment_id → units of the line it has taken along and the book has not."""
    owed: dict[str, int] = {}
    for part in line.parts:
        for location, shipped in part.shipped.items():
            units = min(shipped, shipped - part.issued.get(location, 0))
            if units > 0 and _moves(view, location):
                for shipment_id, taken in _youngest_shipped(view, line, part, location, units):
                    owed[shipment_id] = max(owed.get(shipment_id, 0), -(-taken // part.per))
    return owed


def issue_without_shipment(view: View) -> Iterator[Finding]:
    """Per location: units issued that no shipment confirms. Shipments confirm the oldest issues first."""
    allowed = view.sla.shipment_confirmed
    if allowed is None or not view.order.issues:
        return
    alone: dict[str, tuple[dict[int, int], list[Issued]]] = {}
    for place, line in enumerate(view.lines):
        for part in line.parts:
            for location, issued in part.issued.items():
                units = issued - part.shipped.get(location, 0)
                if units > 0:
                    lines, issues = alone.setdefault(location, ({}, []))
                    lines[place] = max(lines.get(place, 0), -(-units // part.per))
                    issues += _youngest_issued(view, line, part, location, units)
    for location, (lines, issues) in alone.items():
        at = min(issue.at for issue in issues)
        if view.to_come(at + allowed):
            continue
        yield Finding(
            code="issue_without_shipment",
            subject=f"{view.id}|{location}",
            due=at + allowed,
            owner="warehouse",
            units=sum(lines.values()),
            value=_value(view, lines),
            ranks=tuple(sorted(f"{issue.source}\x00{issue.id}" for issue in issues)),
            message=(
                f"{view.name()}: {sum(lines.values())} units were issued from the book of {location} on {clock(at)}"
                " and no shipment confirms them: confirm the shipment or reverse the issue."
            ),
            location=location,
        )


def shipment_exception(view: View) -> Iterator[Finding]:
    """Per shipment: the carrier reports trouble; over when the parcel is delivered."""
    order = view.order
    for shipment_id, (at, rank, reason) in order.troubles.items():
        if "delivered" in order.news[shipment_id]:
            continue
        shipment = order.shipments.get(shipment_id)
        rows = shipment.lines if shipment is not None else []
        yield Finding(
            code="shipment_exception",
            subject=f"{view.id}|{shipment_id}",
            owner="customer_service",
            units=sum(units for _, _, units in rows),
            value=sum((view.prices.get(line_id, NOTHING) * units for line_id, _, units in rows), NOTHING),
            ranks=(rank,) if shipment is None else (shipment.rank, rank),
            message=(
                f"{view.name()}: the carrier reported trouble with shipment {shipment_id} on {clock(at)}"
                f" ({reason or 'no reason given'}): ask the carrier and tell the customer."
            ),
            location=None if shipment is None else shipment.location,
            shipment_id=shipment_id,
        )


def _moves(view: View, location: str) -> bool:
    """Whether the location sends movements at all: where it does not, no goods issue is to be waited for."""
    place = view.policy.locations.get(location)
    return place is None or place.movements


def _youngest_shipped(
    view: View, line: LineStanding, part: PartStanding, location: str, units: int
) -> Iterator[tuple[str, int]]:
    """The shipments of the youngest `units` of the part that left from there."""
    shipments = view.order.shipments
    sent = [(s.at, s.rank, key) for key, s in shipments.items() if s.location == location]
    for _, _, key in sorted(sent, reverse=True):
        shipped = 0
        for line_id, sku, quantity in shipments[key].lines:
            if line_id == line.line_id and (not line.stray or sku == line.sku):
                shipped += _of_part(line, part, sku, quantity)
        if shipped and units > 0:
            yield key, min(units, shipped)
            units -= shipped


def _youngest_issued(
    view: View, line: LineStanding, part: PartStanding, location: str, units: int
) -> list[Issued]:
    """The goods issues of the youngest `units` of the part that left the book there."""
    found = []
    named = {line.sku, *(other.sku for other in line.parts)}
    for issue in sorted(
        view.order.issues, key=lambda issue: (issue.at, issue.source, issue.id), reverse=True
    ):
        if issue.line_id is None:
            mine = issue.sku in named
        else:
            mine = issue.line_id == line.line_id and (not line.stray or issue.sku == line.sku)
        if mine and issue.units > 0 and issue.location == location and units > 0:
            taken = _of_part(line, part, issue.sku, issue.units)
            units -= taken
            if taken:
                found.append(issue)
    return found


def _of_part(line: LineStanding, part: PartStanding, sku: str, quantity: int) -> int:
    """Units of the part in a quantity named `sku`: a component's are its own, any other stands for whole lines."""
    if sku != line.sku and any(other.sku == sku for other in line.parts):
        return quantity if sku == part.sku else 0
    return quantity * part.per


def _value(view: View, lines: dict[int, int]) -> Decimal:
    """Units by place of the line → their worth at the lines' prices."""
    return sum(
        (view.prices.get(view.lines[place].line_id, NOTHING) * units for place, units in lines.items()),
        NOTHING,
    )
