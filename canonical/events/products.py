"""The catalogue."""

from __future__ import annotations

from msgspec import Struct

from canonical.envelope import Event, Level, Money, Text, Units, Version


class Identifier(Struct, gc=False):
    scheme: Text
    value: Text
    channel: Text | None = None


class Component(Struct, gc=False):
    sku: Text
    quantity: Units


class Product(Struct, gc=False):
    """An absent field states nothing; per field the greatest version wins. `components` [] ends a kit."""

    sku: Text
    version: Version | None = None
    identifiers: list[Identifier] | None = None
    safety_stock: dict[str, Level] | None = None
    unit_cost: Money | None = None
    active: bool | None = None
    components: list[Component] | None = None


class ProductUpserted(Event, tag="product.upserted"):
    data: Product
