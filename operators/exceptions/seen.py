"""What the rules of a SKU are given: the settled fact or instant, and what is known of the SKU around it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct, field

from canonical.messages import AnyEvent
from canonical.outputs import LocationAvailability
from operators.exceptions.episode import Episode
from operators.exceptions.recent import BEGINNING
from operators.exceptions.tracker import Told
from operators.sku import Sku


class Cost(Struct, array_like=True):
    """A product's statement of its unit cost; the greatest (version, at, rank) wins."""

    version: int
    at: datetime
    rank: str
    unit_cost: str


class Differing(Struct, array_like=True):
    """An unbroken run of reports that contradict the book: the first one's cut, its name, how many there were."""

    since: datetime
    rank: str
    reports: int


class Listing(Struct, array_like=True):
    """What a channel was last told of the SKU: the greatest (version, at, rank) wins."""

    version: int
    at: datetime
    rank: str
    quantity: int


class Naming(Struct, array_like=True):
    """The first fact that names the SKU."""

    at: datetime
    rank: str
    order_id: str | None


class Watch(Struct, array_like=True):
    """All that exceptions remember of one SKU.

    `waiting`: events the watermark has not passed. `walked`: up to where books and claims were looked at, `uneasy`
    while they must be. `good`: cell → cut of its last count without a variance. `armed`: when the heap wakes it.
    """

    waiting: list[AnyEvent] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    walked: datetime = BEGINNING
    uneasy: bool = False
    good: dict[str, datetime] = field(default_factory=dict)
    differing: dict[str, Differing] = field(default_factory=dict)
    listings: dict[str, Listing] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)
    named: Naming | None = None
    catalogued: datetime | None = None
    armed: datetime | None = None


class Moment(NamedTuple):
    """A SKU right after everything of `at`: its terms per location, its shortage, what one unit costs."""

    key: str
    at: datetime
    then: Sku
    places: list[LocationAvailability]
    shortage: int
    cost: Decimal
    evidence: tuple[str, ...]


def cost_at(watch: Watch, at: datetime) -> Decimal:
    """What one unit costs by what was said up to `at`; 0 while nobody has said."""
    said = [cost for cost in watch.costs if cost.at <= at]
    best = max(said, key=lambda cost: (cost.version, cost.at, cost.rank), default=None)
    return Decimal(0) if best is None else Decimal(best.unit_cost)


def thin(watch: Watch, watermark: datetime) -> None:
    """Of the statements of cost that are settled only the one that counts is kept."""
    settled = [cost for cost in watch.costs if cost.at <= watermark]
    if len(settled) > 1:
        best = max(settled, key=lambda cost: (cost.version, cost.at, cost.rank))
        watch.costs = [best, *(cost for cost in watch.costs if cost.at > watermark)]


def forget(watch: Watch, horizon: datetime) -> None:
    """Let go of a subject whose episodes were all over by then."""
    kept = {(x.code, x.subject) for x in watch.episodes if x.cleared_at is None or x.cleared_at > horizon}
    gone = {f"{x.code}:{x.subject}" for x in watch.episodes if (x.code, x.subject) not in kept}
    if gone:
        watch.episodes = [x for x in watch.episodes if (x.code, x.subject) in kept]
        for told in [told for told in watch.told if told.rpartition(":")[0] in gone]:
            del watch.told[told]


def clock(at: datetime) -> str:
    """An instant as messages name it."""
    return f"{at:%Y-%m-%d %H:%M}Z"


def some(names: list[str], most: int = 3) -> str:
    """A few names and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def counted(units: int) -> str:
    """Units as messages name them."""
    return "1 unit" if units == 1 else f"{units} units"
