"""What every table of the configuration is made of: closed to unknown keys, and durations with a unit."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: object) -> timedelta:
    """Text like "90s", "15m", "4h", "2d" → timedelta. Raises ValueError saying what would be right."""
    if isinstance(text, timedelta):
        return text
    match = re.fullmatch(r"(\d+)([smhd])", text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('a duration is a whole number with a unit: "90s", "15m", "4h" or "2d"')
    return timedelta(**{UNITS[match[2]]: int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(duration)]
PositiveDuration = Annotated[Duration, Field(gt=timedelta(0))]
Share = Annotated[float, Field(ge=0, le=1)]


class Table(BaseModel):
    """A TOML table of ours: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")
