"""A SKU as it stood at an instant that has passed, walked forward change by change.

The present is what all facts add up to in whatever order they came. The past is made from it by taking back what
is later: claims from the steps still kept (`recent.py`), books from the ledgers' own counts and movements.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from canonical.messages import Move
from operators.exceptions.recent import BEGINNING, Change
from operators.ledger import Cut, Ledger, after
from operators.sku import Arithmetic, Held, Sku

Claimed = tuple[datetime, Held | None, str]


class Instant(NamedTuple):
    """The SKU after everything of `at` has happened; `then` changes with the next instant.

    `ranks`: the events that changed a claim then.
    """

    at: datetime
    then: Sku
    ranks: list[str]


def known_at(cut: Cut) -> datetime:
    """A count is a fact when it has been told, and not before its cut."""
    return max(cut.at, cut.as_of)


def walk(
    rules: Arithmetic, sku: Sku, changes: list[Change], since: datetime, until: datetime
) -> Iterator[Instant]:
    """Every instant in (`since`, `until`] at which a claim or the book changed; `changes`: all after `since`."""
    claims = _timelines(changes)
    then = Sku()
    _hold_as_at(rules, sku, then, claims, since)
    happened: dict[datetime, list[tuple[str, str, Move | Cut | Claimed]]] = {}
    for order_id, line in claims.items():
        for claimed in line:
            if since < claimed[0] <= until:
                happened.setdefault(claimed[0], []).append((order_id, "", claimed))
    for location, book in sku.books.items():
        for status, ledger in book.items():
            past, later = _ledger_as_at(ledger, since, until, net=rules.net(location))
            then.books.setdefault(location, {})[status] = past
            for at, booked in later:
                happened.setdefault(at, []).append((location, status, booked))
    for at in sorted(happened):
        for name, status, fact in happened[at]:
            _apply(rules, then, name, status, fact)
        yield Instant(at, then, [fact[2] for _, _, fact in happened[at] if isinstance(fact, tuple)])


def _apply(rules: Arithmetic, then: Sku, name: str, status: str, fact: Move | Cut | Claimed) -> None:
    if isinstance(fact, tuple):
        rules.replace(then, name, fact[1])
    elif isinstance(fact, Cut):
        then.books[name][status].count(fact, net=rules.net(name))
    else:
        then.books[name][status].move(fact, net=rules.net(name), known=False)


def _timelines(changes: list[Change]) -> dict[str, list[Claimed]]:
    """Order → its claims by time, the first of them what it was before all; a later arrival restates what follows."""
    lines: dict[str, list[Claimed]] = {}
    for change in changes:
        if change.order_id:
            line = lines.get(change.order_id)
            if line is None:
                line = lines[change.order_id] = [(BEGINNING, change.before, "")]
            while line[-1][0] >= change.at:
                line.pop()
            line.append((change.at, change.after, change.rank))
    return lines


def _hold_as_at(
    rules: Arithmetic, sku: Sku, then: Sku, claims: dict[str, list[Claimed]], at: datetime
) -> None:
    then.held = dict(sku.held)
    then.committed, then.pending = dict(sku.committed), dict(sku.pending)
    then.unallocated = dict(sku.unallocated)
    for order_id, line in claims.items():
        rules.replace(then, order_id, next(held for since, held, _ in reversed(line) if since <= at))


def _ledger_as_at(
    ledger: Ledger, since: datetime, until: datetime, *, net: bool
) -> tuple[Ledger, list[tuple[datetime, Move | Cut]]]:
    """The ledger at `since`, and what came to it up to `until`."""
    moves = [move for move in ledger.moves if move.at > since]
    counts = [cut for cut in ledger.counts if known_at(cut) > since]
    later: list[tuple[datetime, Move | Cut]] = [(move.at, move) for move in moves if move.at <= until]
    if not counts:
        newest = ledger.newest
        units = sum(move.quantity for move in moves if newest is None or after(move, newest, net=net))
        return Ledger(ledger.on_hand - units, list(ledger.counts), []), later
    past = Ledger(
        0,
        [cut for cut in ledger.counts if known_at(cut) <= since],
        [move for move in ledger.moves if move.at <= since],
    )
    past.on_hand = past.recounted(net=net)
    return past, later + [(known_at(cut), cut) for cut in counts if known_at(cut) <= until]


def booked_at(changes: list[Change], at: datetime) -> list[str]:
    """The ranks of the movements and counts of an instant that belong to no order."""
    return [change.rank for change in changes if change.at == at and not change.order_id]
