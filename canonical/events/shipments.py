"""What warehouses and carriers say of parcels."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Struct

from canonical.envelope import Event, Prose, Text, Units


class ItemLine(Struct, gc=False):
    line_id: Text
    sku: Text
    quantity: Units


class Shipment(Struct, gc=False):
    """A shipment's lines never change; a repeated shipment_id is the same shipment."""

    shipment_id: Text
    order_id: Text
    location: Text
    lines: Annotated[list[ItemLine], msgspec.Meta(min_length=1)]
    carrier: Text | None = None
    tracking_number: Text | None = None


class ShipmentShipped(Event, tag="shipment.shipped"):
    data: Shipment


class ShipmentNews(Struct, gc=False):
    shipment_id: Text
    order_id: Text
    reason: Prose | None = None


class ShipmentInTransit(Event, tag="shipment.in_transit"):
    data: ShipmentNews


class ShipmentOutForDelivery(Event, tag="shipment.out_for_delivery"):
    data: ShipmentNews


class ShipmentDelivered(Event, tag="shipment.delivered"):
    data: ShipmentNews


class ShipmentException(Event, tag="shipment.exception"):
    data: ShipmentNews


class ShipmentReturnedToSender(Event, tag="shipment.returned_to_sender"):
    data: ShipmentNews


class ShipmentAcknowledged(Event, tag="shipment.acknowledged"):
    data: ShipmentNews
