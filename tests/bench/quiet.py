"""The job with exceptions and channel updates left out: what the rival and the floor compute, and nothing more.

    python -m tests.bench.quiet run --input DIR --output DIR …      as `sellable run …`

The parts that are left out stand in the shards under these names; if one is renamed this fails at once.
"""

from __future__ import annotations

import sys
from typing import Any

from operators import order_shard, sku_shard
from operators.exceptions.recent import BEGINNING, Generations
from operators.exceptions.sku_watch import Saved
from operators.offering import Offering


class QuietOrders:
    """No order is ever looked at."""

    def __init__(self, *_: Any) -> None:
        self.heeded: frozenset[type] = frozenset()

    def stand(self, *_: Any) -> None: ...
    def recast(self, *_: Any) -> None: ...
    def join(self, *_: Any) -> None: ...
    def look(self, *_: Any) -> list[Any]:
        return []

    def due(self, *_: Any) -> tuple[str, ...]:
        return ()

    def snapshot(self) -> list[Any]:
        return []

    def restore(self, *_: Any) -> None: ...


class QuietSkus(QuietOrders):
    """Claims are held, and nothing is remembered of when."""

    def __init__(self, _: Any, rules: Any, *__: Any) -> None:
        self.hold = rules.hold

    def heard(self, *_: Any) -> None: ...
    def defined(self, *_: Any) -> None: ...
    def weigh(self, *_: Any) -> None: ...
    def tell(self, *_: Any) -> list[Any]:
        return []

    def snapshot(self) -> Any:
        return Saved({}, Generations(), [], [], BEGINNING)


class QuietOffering(Offering):
    """Kits still need their parts; channels are told nothing."""

    def hear(self, *_: Any) -> None: ...
    def offer(self, *_: Any) -> None: ...
    def take(self, *_: Any, **__: Any) -> None:
        return None


class QuietSelling:
    """Nobody learns of demand."""

    def first(self, *_: Any) -> None: ...
    def take(self, *_: Any, **__: Any) -> None:
        return None


def quieten() -> None:
    """Put the quiet parts in place, in this process."""
    quiet: tuple[tuple[Any, str, Any], ...] = (
        (order_shard, "OrderWatch", QuietOrders),
        (order_shard, "Selling", QuietSelling),
        (order_shard, "stand", lambda *_: None),
        (sku_shard, "SkuWatch", QuietSkus),
        (sku_shard, "Offering", QuietOffering),
    )
    for module, name, instead in quiet:
        getattr(module, name)
        setattr(module, name, instead)


if __name__ == "__main__":
    quieten()
    from dataflows.__main__ import main

    sys.exit(main())
