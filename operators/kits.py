"""Kits: SKUs without stock of their own, made of components (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from canonical.events import ProductUpserted

Definition = tuple[int, datetime, str, dict[str, int]]
"""Version, time, source and id of the statement, and component → units per kit."""


class KitsState(Struct, array_like=True):
    """What a snapshot holds of the kits."""

    definitions: dict[str, Definition]
    ever: dict[str, list[str]]
    seen: dict[str, list[str]]


class Kits:
    """All kit definitions, and every component a kit ever had. The greatest (version, time, source, id) wins."""

    def __init__(self) -> None:
        self._definitions: dict[str, Definition] = {}
        self._ever: dict[str, set[str]] = {}
        self._users: dict[str, set[str]] = {}
        self._flat: dict[str, dict[str, int] | None] = {}
        self._seen: dict[str, list[str]] = {}

    def apply(self, event: ProductUpserted) -> set[str]:
        """Take a product's statement; returns the kits (this one, and those it is in) whose parts may have changed."""
        product = event.data
        rank = f"{event.source}\x00{event.id}"
        seen = self._seen.setdefault(product.sku, [])
        if product.components is None or rank in seen:
            return set()
        seen.append(rank)
        definition = (product.version or 0, event.time, rank)
        parts: dict[str, int] = {}
        for component in product.components:
            parts[component.sku] = parts.get(component.sku, 0) + component.quantity
        self._ever.setdefault(product.sku, set()).update(parts)
        self._uses(product.sku, parts)
        known = self._definitions.get(product.sku)
        if known is None or definition > known[:3]:
            self._definitions[product.sku] = (*definition, parts)
            self._flat.clear()
        return {product.sku, *_reached(product.sku, self._users)}

    def _uses(self, kit: str, parts: Iterable[str]) -> None:
        for part in parts:
            self._users.setdefault(part, set()).add(kit)

    def parts(self, sku: str) -> dict[str, int] | None:
        """Component → units per kit, nested kits flattened; None when `sku` is a plain one."""
        if sku not in self._flat and sku in self._definitions:
            self._flat[sku] = self._flattened(sku)
        return self._flat.get(sku)

    def ever(self, sku: str) -> set[str]:
        """Every SKU that is or was a component of this kit, at any depth (without itself)."""
        return _reached(sku, self._ever)

    def known(self) -> list[str]:
        """Every SKU that is a kit or ever was one, also while its list of components is empty."""
        return sorted(self._ever)

    def is_kit(self, sku: str) -> bool:
        """Whether the SKU is or ever was a kit: its record then comes from its kit shard for good."""
        return sku in self._ever

    def __bool__(self) -> bool:
        return bool(self._ever)

    def _flattened(self, kit: str) -> dict[str, int] | None:
        """Worked out when first asked for: a catalogue of thousands of kits arrives before anyone asks."""
        if not self._definitions[kit][3]:
            return None
        flat: dict[str, int] = {}
        self._add(kit, 1, flat, ())
        return flat

    def _add(self, sku: str, units: int, flat: dict[str, int], above: tuple[str, ...]) -> None:
        definition = self._definitions.get(sku)
        if definition is None or not definition[3] or sku in above:
            flat[sku] = flat.get(sku, 0) + units
            return
        for part, quantity in definition[3].items():
            self._add(part, units * quantity, flat, (*above, sku))

    def snapshot(self) -> KitsState:
        ever = {kit: sorted(parts) for kit, parts in self._ever.items()}
        return KitsState(self._definitions, ever, self._seen)

    def restore(self, state: KitsState) -> None:
        self._definitions = dict(state.definitions)
        self._ever = {kit: set(parts) for kit, parts in state.ever.items()}
        self._users.clear()
        for kit, parts in self._ever.items():
            self._uses(kit, parts)
        self._seen = state.seen
        self._flat.clear()


def _reached(sku: str, steps: dict[str, set[str]]) -> set[str]:
    """All that is reached from a SKU, step by step, without itself."""
    found: set[str] = set()
    waiting = [sku]
    while waiting:
        for other in steps.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    found.discard(sku)
    return found
