"""The envelope every event travels in: one CloudEvents 1.0 JSON object, structured mode (DESIGN section 3)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

MAX_LINE_BYTES = 1 << 20
"""A line longer than this (bytes, without its newline) is refused as `too_large`."""

MAX_QUANTITY = 10**12
"""No quantity in base units may exceed this: far above any retailer, far below what a 64-bit column holds."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Prose = Annotated[str, msgspec.Meta(max_length=4096)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Money = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$")]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
Units = Annotated[int, msgspec.Meta(ge=1, le=MAX_QUANTITY)]
Level = Annotated[int, msgspec.Meta(ge=0, le=MAX_QUANTITY)]
SignedUnits = Annotated[int, msgspec.Meta(ge=-MAX_QUANTITY, le=MAX_QUANTITY)]
Version = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Sequence = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,18}$")]
SequenceNumber = Annotated[int, msgspec.Meta(ge=0, lt=10**18)]
"""The same as a number, where a sender writes it so; both fit a 64-bit column."""


class Event(msgspec.Struct, kw_only=True, tag_field="type", gc=False):
    """What all events share. `(source, id)` names the event; `subject` is its key; `time` is when it happened.

    `sequence` is a decimal integer that increases per source; `dataschema` is `<type>/<version>`.
    """

    specversion: Literal["1.0"]
    id: Text
    source: Text
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=520)]
    time: Moment
    dataschema: str | None = None
    correlationid: Text | None = None
    traceparent: str | None = None
    sequence: Sequence | None = None
