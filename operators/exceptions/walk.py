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

    `ranks`: the events that did it.
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
        ranks = {_apply(rules, then, name, status, fact) for name, status, fact in happened[at]}
        if ranks != {""}:
            yield Instant(at, then, sorted(ranks - {""}))


def _apply(rules: Arithmetic, then: Sku, name: str, status: str, fact: Move | Cut | Claimed) -> str:
    """Let it happen; returns the rank of its event, "" if it changed nothing."""
    if isinstance(fact, tuple):
        before = then.held.get(name)
        rules.replace(then, name, fact[1])
        return fact[2] if then.held.get(name) != before else ""
    ledger = then.books[name][status]
    if isinstance(fact, Cut):
        ledger.count(fact, net=rules.net(name))
        return fact.rank
    ledger.move(fact, net=rules.net(name), known=False)
    return f"{fact.source}\x00{fact.id}"


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
