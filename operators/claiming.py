"""What an order tells each SKU it ever named: its whole present claim, and the goods issues that come with it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from canonical.messages import Claim, Move
from operators.exceptions.steps import Claimed, first_stated, told_to
from operators.kits import Kits
from operators.order import Issued, Order
from operators.story import Upshot

NOTHING: list[Any] = []
"""Told, never kept and never changed: one for all."""


def claims_of(
    key: str, order: Order, so_far: Upshot, issued: list[Issued], kits: Kits, steps: list[Claimed] | None
) -> list[Claim]:
    """One claim per SKU, also where it is nothing any more; `issued`: the goods issues to be (re)told with them.

    `steps`: what the order claimed at each instant that is news, [] where that is the present alone, None where
    nothing is. Remembers on the order how many of its changes each SKU has been told of.
    """
    if order.at is None:
        return []
    placed_at = first_stated(order)
    moves = moves_of(issued, placed_at, kits) if issued else None
    restated = moves_of(order.issues, placed_at, kits) if any(x.issues for x in steps or ()) else {}
    told = []
    for sku in _named(order, kits):
        named_at, named_by = order.named.get(sku, (placed_at or order.at, ""))
        news = order.changes - order.told.get(sku, 0)
        order.told[sku] = order.changes
        lines = so_far.claims.get(sku, NOTHING)
        moved = moves.get(sku, NOTHING) if moves else NOTHING
        told.append(
            Claim(
                key,
                sku,
                order.channel,
                placed_at,
                lines,
                moved,
                news,
                order.at,
                order.rank,
                order.correlationid,
                None if steps is None else order.stood_at,
                order.stood_by,
                named_at,
                named_by,
                told_to(sku, steps, restated.get(sku, NOTHING)) if steps else [],
            )
        )
    return told


def _named(order: Order, kits: Kits) -> Iterable[str]:
    """The SKUs the order ever named, and every component a kit among them ever had."""
    if not kits or not any(kits.is_kit(sku) for sku in order.named):
        return order.named
    named = dict.fromkeys(order.named)
    for sku in order.named:
        named.update(dict.fromkeys(sorted(kits.ever(sku))))
    return named


def moves_of(issued: list[Issued], placed_at: datetime | None, kits: Kits) -> dict[str, list[Move]]:
    """SKU → the goods issues as movements of its book: a kit's go to its components, 0 to where none goes any more."""
    moves: dict[str, list[Move]] = {}
    for issue in issued:
        parts = kits.parts(issue.sku) or {issue.sku: 1}
        for sku in {issue.sku, *parts, *kits.ever(issue.sku)} if kits else parts:
            units = -issue.units * parts.get(sku, 0)
            moves.setdefault(sku, []).append(
                Move(
                    issue.ref,
                    issue.location,
                    issue.status,
                    units,
                    issue.at,
                    issue.source,
                    issue.sequence,
                    placed_at,
                    issue.id,
                )
            )
    return moves
