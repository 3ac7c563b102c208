"""The exceptions of an order again, by trying: what is wrong at every instant at which anything could change.

For each of them all facts up to then are taken anew, and every rule is asked. An exception is open from the first
instant it is so to the first at which it is so no more. Nothing is clever here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.oracle.deadlines import Deadlines
from tests.oracle.disagreements import RULES, Known
from tests.oracle.facts import Fact
from tests.oracle.money import MONEY
from tests.oracle.orders import Order
from tests.oracle.products import Catalogue

INSTANT = timedelta(microseconds=1)


class Stretch(NamedTuple):
    """One episode; cleared_at None: still open at the end."""

    exception_id: str
    order_id: str
    opened_at: datetime
    cleared_at: datetime | None


def stretches(
    order_id: str, facts: list[Fact], catalogue: Catalogue, deadlines: Deadlines, end: datetime
) -> list[Stretch]:
    """All exceptions of the order, at a watermark of `end`."""
    times = sorted({fact.time for fact in facts if fact.time <= end})
    open_since: dict[tuple[str, str], datetime] = {}
    found: dict[tuple[str, str], list[tuple[datetime, datetime | None]]] = {}
    state: set[tuple[str, str]] = set()
    for at, until in zip(times, [*times[1:], end], strict=bool(times)):
        past = [fact for fact in facts if fact.time <= at]
        known = Known(Order(order_id, past, catalogue), catalogue, deadlines)
        wrong = {
            (code, subject): due for code, rule in {**RULES, **MONEY}.items() for subject, due in rule(known)
        }
        for moment in sorted({at, *_just_after(wrong.values(), at, until)}):
            now = {name for name, due in wrong.items() if due is None or due < moment}
            for name in now - state:
                missed = wrong[name]
                # The instant after a deadline is when it is seen to be missed; it is said to be so at the deadline.
                open_since[name] = missed if missed is not None and missed + INSTANT == moment else moment
            for name in state - now:
                if not _only_touching(wrong.get(name), moment):
                    found.setdefault(name, []).append((open_since.pop(name), moment))
            state = now | {name for name in state - now if name in open_since}
    for name, since in open_since.items():
        found.setdefault(name, []).append((since, None))
    return [
        Stretch(f"{code}:{subject}:{ordinal}", order_id, *stretch)
        for (code, subject), all_ in found.items()
        for ordinal, stretch in enumerate(sorted(all_, key=lambda stretch: stretch[0]), 1)
    ]


def _just_after(dues: Iterable[datetime | None], at: datetime, until: datetime) -> set[datetime]:
    """The instants at which it is seen that a deadline passed, before anything else happens."""
    return {due + INSTANT for due in dues if due is not None and at <= due and due + INSTANT <= until}


def _only_touching(due: datetime | None, moment: datetime) -> bool:
    """A deadline moved to this very instant does not end what it was missed for before."""
    return due is not None and due == moment


def of_orders(
    orders: Mapping[str, list[Fact]], catalogue: Catalogue, deadlines: Deadlines, end: datetime
) -> set[Stretch]:
    """All exceptions of all orders, given the facts of each."""
    return {
        stretch
        for order_id, facts in orders.items()
        for stretch in stretches(order_id, facts, catalogue, deadlines, end)
    }
