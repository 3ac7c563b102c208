"""One stretch of event time in which something was wrong (DESIGN section 6).

A rule gives all episodes that its facts show, the closed ones too, and those that will begin by themselves if
no fact comes to prevent them (`deadline`). It is not told how late it is: `tracker.py` tells what has begun.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

Owner = Literal["warehouse", "finance", "commerce", "customer_service", "platform"]
NOTHING = Decimal(0)


class Worth(Struct, frozen=True):
    """What an episode has come to from `at` on: units and money (≥ 0) at stake, and what it then rests on."""

    at: datetime
    units: int
    value: Decimal
    evidence: tuple[str, ...]
    message: str


class Episode(Struct, frozen=True, kw_only=True):
    """`subject`: stable text within the code (an order_id, order_id|milestone, sku|location, …).

    `opened_at`: the first instant the condition holds; of a `deadline` the deadline itself, and then it has
    begun only once time is past it. `units` and `value` are those at `opened_at`; `later` are those it grew or
    shrank to, in the order of time. `evidence`: "source id" of the events it rests on. `message`: one sentence
    saying what is wrong, where, since when, and what to do.
    """

    code: str
    subject: str
    opened_at: datetime
    cleared_at: datetime | None = None
    deadline: bool = False
    owner: Owner
    units: int
    value: Decimal = NOTHING
    currency: str | None = None
    evidence: tuple[str, ...] = ()
    correlationid: str
    message: str
    order_id: str | None = None
    sku: str | None = None
    location: str | None = None
    channel: str | None = None
    shipment_id: str | None = None
    later: tuple[Worth, ...] = ()

    def begun(self, watermark: datetime) -> bool:
        """A fact counts from its own instant on; a deadline is missed only after it."""
        return self.opened_at < watermark if self.deadline else self.opened_at <= watermark

    def worths(self) -> list[Worth]:
        """What it came to, in the order of time, from its opening on."""
        return [Worth(self.opened_at, self.units, self.value, self.evidence, self.message), *self.later]


def named(ranks: Iterable[str]) -> tuple[str, ...]:
    """Ranks ("source", NUL, "id") as evidence shows them: "source id", each once, in order."""
    return tuple(dict.fromkeys(rank.replace("\x00", " ") for rank in ranks))


def numbered(episodes: Iterable[Episode]) -> list[tuple[str, Episode]]:
    """Each episode with its exception_id: code, subject, and its ordinal (from 1) by opened_at."""
    likes: dict[tuple[str, str], list[Episode]] = {}
    for episode in episodes:
        likes.setdefault((episode.code, episode.subject), []).append(episode)
    return [
        (f"{code}:{subject}:{ordinal}", episode)
        for (code, subject), group in likes.items()
        for ordinal, episode in enumerate(sorted(group, key=lambda e: e.opened_at), 1)
    ]
