"""How each type of event changes the SKU it names: its books, and what is stated of it (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from canonical import events as e
from canonical.messages import Move
from operators.ledger import Cut
from operators.sku import Arithmetic, Sku, Statement


def belongs_to(event: Any) -> str:
    """The order the event names, else its SKU."""
    return getattr(event.data, "order_id", None) or str(event.data.sku)


def cut_of(event: e.InventoryCounted, rank: str) -> Cut:
    """A count as the ledger keeps it."""
    count = event.data
    through = -1 if count.through_sequence is None else int(count.through_sequence)
    return Cut(count.as_of, through, event.time, rank, event.source, count.quantity)


def _moved(rules: Arithmetic, sku: Sku, event: e.InventoryMoved, rank: str, ref: int) -> None:
    move = event.data
    sequence = -1 if event.sequence is None else int(event.sequence)
    place, status, units = move.location, move.status, move.quantity
    rules.move(sku, Move(ref, place, status, units, event.time, event.source, sequence, None, event.id))


def _status_changed(
    rules: Arithmetic, sku: Sku, event: e.InventoryStatusChanged, rank: str, ref: int
) -> None:
    change = event.data
    sequence = -1 if event.sequence is None else int(event.sequence)
    for status, units in ((change.from_status, -change.quantity), (change.to_status, change.quantity)):
        place, source = change.location, event.source
        rules.move(sku, Move(ref, place, status, units, event.time, source, sequence, None, event.id))


def _counted(rules: Arithmetic, sku: Sku, event: e.InventoryCounted, rank: str, ref: int) -> None:
    rules.count(sku, event.data.location, event.data.status, cut_of(event, rank))


def _stated(rules: Arithmetic, sku: Sku, event: e.ProductUpserted, rank: str, ref: int) -> None:
    product = event.data
    if product.safety_stock is not None:
        mine = Statement(product.version or 0, event.time, rank, product.safety_stock)
        known = sku.stated
        if known is None or (mine.version, mine.at, mine.rank) > (known.version, known.at, known.rank):
            sku.stated = mine


BOOKS: dict[type, Callable[[Arithmetic, Sku, Any, str, int], None]] = {
    e.InventoryMoved: _moved,
    e.InventoryStatusChanged: _status_changed,
    e.InventoryCounted: _counted,
    e.ProductUpserted: _stated,
}
"""Event type → how it changes the SKU. Balances and listings change no number: they are compared (section 6)."""
