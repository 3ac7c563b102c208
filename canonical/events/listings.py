"""What channels show, took or refused."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Struct

from canonical.envelope import Event, Level, Moment, Prose, Text, Version


class ListingObservation(Struct, gc=False):
    channel: Text
    sku: Text
    quantity: Level
    as_of: Moment


class ListingObserved(Event, tag="listing.observed"):
    data: ListingObservation


class ListingAcknowledgement(Struct, gc=False):
    channel: Text
    sku: Text
    version: Version
    quantity: Level


class ListingAcknowledged(Event, tag="listing.acknowledged"):
    data: ListingAcknowledgement


class ListingRejection(Struct, gc=False):
    channel: Text
    sku: Text
    version: Version
    code: Text
    message: Prose | None = None
    retry_after_seconds: Annotated[float, msgspec.Meta(ge=0, le=86400)] | None = None


class ListingRejected(Event, tag="listing.rejected"):
    data: ListingRejection
