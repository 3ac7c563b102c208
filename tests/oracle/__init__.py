"""The oracle: every number again, from the whole list of events, naively, sharing no code with the operators.

    result = oracle(events, Config(pools={"east": ["dc"]}, channels={"web": "east"}))
    result.availability["sku-1"]["pools"]

Nothing here is incremental: each record is worked out from scratch from all distinct events, in the words of
DESIGN sections 4 and 8. Pools are solved by a max-flow library, not by our cut formula.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.oracle.availability import Stock
from tests.oracle.facts import Config, by, distinct
from tests.oracle.lifecycle import lifecycle_record
from tests.oracle.orders import Order
from tests.oracle.products import Catalogue

__all__ = ["Config", "Result", "oracle"]


@dataclass(frozen=True)
class Result:
    """The last record of every key, and how many inputs of each stem were applied or duplicates."""

    availability: dict[str, dict[str, Any]]
    lifecycle: dict[str, dict[str, Any]]
    applied: dict[str, int]
    duplicate: dict[str, int]


def oracle(events: Iterable[dict[str, Any]], config: Config | None = None) -> Result:
    """All records that the events, decoded JSON objects in arrival order, must end in.

    The events must be valid: the oracle judges arithmetic, not inputs.
    """
    config = config or Config()
    facts, applied, duplicate = distinct(events)
    catalogue = Catalogue([fact for fact in facts if fact.type == "product.upserted"])
    of_order = by([fact for fact in facts if fact.order_bound], lambda fact: [fact.data["order_id"]])
    orders = [Order(key, of_order[key], catalogue) for key in sorted(of_order)]
    stock = Stock([fact for fact in facts if not fact.order_bound], orders, catalogue, config)
    return Result(
        availability={sku: stock.record(sku) for sku in stock.skus()},
        lifecycle={order.order_id: lifecycle_record(order) for order in orders},
        applied=applied,
        duplicate=duplicate,
    )
