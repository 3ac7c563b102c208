"""An order as a rule sees it: as it stood at one instant, with the deadlines and prices that go with it.

A rule gives what is wrong then, or from a deadline (`due`) on before anything else happens: its findings.
`order_walk.py` walks the instants and makes episodes of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property

from msgspec import Struct

from canonical.policy import Policy, Sla
from operators.exceptions.episode import NOTHING, Owner
from operators.kits import Kits
from operators.order import Order
from operators.standing import LineStanding, PartStanding
from operators.story import Upshot, milestones_of, outline

DEFAULTS = Sla()
"""For channels without a table, and for orders whose channel nobody knows."""


class Finding(Struct, frozen=True, kw_only=True):
    """What a rule finds wrong with an order as it stood. `due` None: it is so at once. `ranks`: what it rests on."""

    code: str
    subject: str
    due: datetime | None = None
    owner: Owner
    units: int
    value: Decimal = NOTHING
    ranks: tuple[str, ...] = ()
    message: str
    sku: str | None = None
    location: str | None = None
    shipment_id: str | None = None


class View:
    """`order` holds the facts up to `at` and no later ones. It stays like this for all anyone knows up to `until`."""

    def __init__(
        self, order_id: str, order: Order, at: datetime, until: datetime, kits: Kits, policy: Policy
    ) -> None:
        self.id = order_id
        self.order = order
        self.at = at
        self.until = until
        self.next_due: datetime | None = None
        self._stands_on = (
            order.document,
            order.verdict,
            len(order.cancellations),
            len(order.shipments),
            len(order.issues),
        )
        self.kits = kits
        self.policy = policy
        self.sla = sla_of(policy, order.channel)

    def follow(self, before: View) -> None:
        """Take over what an earlier view has worked out and nothing has changed since."""
        if self._stands_on == before._stands_on:
            self.so_far = before.so_far
            self.prices = before.prices

    @cached_property
    def so_far(self) -> Upshot:
        return outline(self.order, self.kits)

    @property
    def lines(self) -> list[LineStanding]:
        return self.so_far.standing

    @cached_property
    def milestones(self) -> dict[str, datetime]:
        return milestones_of(self.order, self.so_far)

    @cached_property
    def confirmed(self) -> datetime | None:
        """When the order was shipped, if shipments say so and not the book's issues alone."""
        return confirmed_at(self.so_far, self.milestones)

    @property
    def known(self) -> bool:
        """Whether there is a document of the order."""
        return self.order.document is not None

    @property
    def ended(self) -> bool:
        """Cancelled or rejected: nobody waits for it any more."""
        return self.so_far.rejected or (self.known and self.so_far.cancelled_at is not None)

    @cached_property
    def prices(self) -> dict[str, Decimal]:
        """line_id → what one unit of the line costs the customer."""
        return {line_id: Decimal(price) for line_id, _, _, price, _ in reversed(self.order.lines)}

    @property
    def document_rank(self) -> tuple[str, ...]:
        return () if self.order.document is None else (self.order.document[2],)

    @property
    def shipment_ranks(self) -> tuple[str, ...]:
        return tuple(shipment.rank for shipment in self.order.shipments.values())

    def worth(self, count: Callable[[LineStanding], int]) -> tuple[int, Decimal]:
        """(units, value) of what `count` finds in each line, at the lines' prices."""
        units, value = 0, NOTHING
        for line in self.lines:
            counted = count(line)
            if counted:
                units += counted
                value += counted * self.prices.get(line.line_id, NOTHING)
        return units, value

    def to_come(self, due: datetime) -> bool:
        """Whether the deadline lies beyond this view: then the next view will tell, and nothing is wrong yet."""
        if due < self.until:
            return False
        if self.next_due is None or due < self.next_due:
            self.next_due = due
        return True

    def name(self) -> str:
        """The order as messages call it."""
        channel = f" ({self.order.channel})" if self.order.channel else ""
        return f"Order {self.id}{channel}"


def sla_of(policy: Policy, channel: str | None) -> Sla:
    """The deadlines of a channel."""
    stanza = policy.channels.get(channel or "")
    return DEFAULTS if stanza is None else stanza.sla


def confirmed_at(so_far: Upshot, milestones: dict[str, datetime]) -> datetime | None:
    """When the order was shipped by the word of shipments alone; deadlines from then on wait for that word."""
    if so_far.shipped_at is None:
        return None
    parts = [part for line in so_far.standing for part in line.parts]
    enough = all(sum(part.shipped.values()) >= part.ordered - part.cancelled for part in parts)
    return milestones["shipped"] if enough else None


def line_name(line: LineStanding) -> str:
    """The line as subjects name it: one no document has is told apart by its SKU."""
    return f"{line.line_id}|{line.sku}" if line.stray else line.line_id


def most(line: LineStanding, count: Callable[[PartStanding], int]) -> int:
    """Units of a line: of a kit, as many as its worst component makes it."""
    return max(-(-count(part) // part.per) for part in line.parts)


def gone(part: PartStanding) -> int:
    """Units of the part that have physically left."""
    places = part.shipped.keys() | part.issued.keys()
    return sum(max(0, part.gone_from(place)) for place in places)


def waiting(line: LineStanding) -> int:
    """Units of the line ordered, not cancelled and not gone, also of a rejected order."""
    return most(line, lambda part: max(0, part.ordered - part.cancelled - gone(part)))


def left(line: LineStanding) -> int:
    """Units of the line that have physically left."""
    return most(line, gone)


def clock(at: datetime) -> str:
    """An instant as messages show it."""
    text = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{text.isoformat(' ', 'minutes')[:16]} UTC"


Rule = Callable[[View], Iterator[Finding]]
