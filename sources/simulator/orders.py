"""What the simulator knows of an order while it is open: no more than the steps still ahead need."""

from __future__ import annotations

from dataclasses import dataclass, field

from sources.simulator.simulation import Channel, Source

STANDARD, EXPRESS, SAME_DAY = 0, 1, 2
PACE = (1.0, 0.35, 0.25)
"""How long the warehouse takes with an order of each service, relative to a standard one."""

PLACED, ALLOCATED, PICKED = 0, 1, 2
LINE_IDS = tuple(str(number) for number in range(1, 10))


class Line:
    """One line: `cents` is the unit price, `cancelled` the units cancelled so far."""

    __slots__ = ("cancelled", "cents", "quantity", "sku")

    def __init__(self, sku: int, quantity: int, cents: int) -> None:
        self.sku = sku
        self.quantity = quantity
        self.cents = cents
        self.cancelled = 0


@dataclass(slots=True)
class Trouble:
    """The one fault an order was chosen for.

    `stall` names the milestone that will not come in time, `cured` says whether it comes after all.
    `wrong` is the SKU shipped instead of the first line's. `told` is set once the truth has it.
    """

    name: str
    variant: str = ""
    stall: str = ""
    cured: bool = False
    wrong: int = -1
    told: bool = False


@dataclass(slots=True)
class Order:
    """`rows` are the units promised: [index of the line, place, quantity].

    `marks` holds the event times of milestones, only for orders with a trouble: the truth is judged by them.
    """

    id: str
    channel: Channel
    placed: int
    service: int
    lines: list[Line]
    rows: list[list[int]]
    due_ship: int = 0
    due_delivery: int = 0
    version: int = 1
    stage: int = PLACED
    cancelled: bool = False
    unshipped: int = 0
    undelivered: int = 0
    trouble: Trouble | None = None
    marks: dict[str, int] = field(default_factory=dict)

    def mark(self, milestone: str, time: int) -> None:
        """Remember when a milestone was first reached, if anyone will ask."""
        if self.trouble is not None and milestone not in self.marks:
            self.marks[milestone] = time

    def amount(self) -> int:
        """Cents of everything not cancelled."""
        return sum((line.quantity - line.cancelled) * line.cents for line in self.lines)

    def suffers(self, name: str, variant: str = "") -> bool:
        """Whether this is the order's trouble."""
        trouble = self.trouble
        return trouble is not None and trouble.name == name and variant in {"", trouble.variant}


class Parcel:
    """What leaves one place together: `rows` are (index of the line, quantity) pairs."""

    __slots__ = ("carrier", "id", "issued", "order", "place", "rows", "shipped")

    def __init__(
        self, order: Order, place: int, rows: list[tuple[int, int]], number: int, carrier: Source
    ) -> None:
        self.order = order
        self.place = place
        self.rows = rows
        self.id = f"SHP-{number:08d}"
        self.carrier = carrier
        self.issued = False
        self.shipped = 0


def money(cents: int) -> str:
    """Cents, not negative → a decimal string: 1999 → "19.99"."""
    return f"{cents // 100}.{cents % 100:02d}"
