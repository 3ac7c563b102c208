"""The catalogue: what the products' events add up to, field by field, and what kits are made of."""

from __future__ import annotations

from typing import Any

from tests.oracle.facts import Fact


class Catalogue:
    """What is known of every product. A kit is a SKU whose stated components are not empty."""

    def __init__(self, facts: list[Fact]) -> None:
        self.facts = facts

    def stated(self, sku: str, name: str) -> Any:
        """The field as the greatest (version or 0, time, source, id) stating it has it; None: nobody did."""
        said = [f for f in self.facts if f.data["sku"] == sku and f.data.get(name) is not None]
        best = max(said, key=lambda f: (f.data.get("version") or 0, f.rank), default=None)
        return None if best is None else best.data[name]

    def safety_stock(self, sku: str) -> dict[str, int]:
        return self.stated(sku, "safety_stock") or {}

    def is_kit(self, sku: str) -> bool:
        return bool(self.stated(sku, "components"))

    def parts(self, sku: str, above: tuple[str, ...] = ()) -> dict[str, int]:
        """Units of each plain SKU in one unit of this one; a plain SKU is one of itself.

        A SKU met again on the way down counts as plain, so that a kit of itself ends.
        """
        if sku in above or not self.is_kit(sku):
            return {sku: 1}
        total: dict[str, int] = {}
        for component in self.stated(sku, "components"):
            for part, units in self.parts(component["sku"], (*above, sku)).items():
                total[part] = total.get(part, 0) + units * component["quantity"]
        return total

    def ever(self, sku: str) -> set[str]:
        """Every SKU that any statement ever made a component of this one, at any depth.

        Versions count by this, so that none falls when a kit is defined anew.
        """
        found: set[str] = set()
        waiting = [sku]
        while waiting:
            kit = waiting.pop()
            said = [fact.data.get("components") or [] for fact in self.facts if fact.data["sku"] == kit]
            parts = {component["sku"] for components in said for component in components} - found
            found |= parts
            waiting += parts
        return found
