"""What a channel's orders must have reached by when, as the oracle is told it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DEFAULT: dict[str, timedelta] = {
    "accepted": 15 * MINUTE,
    "allocated": 30 * MINUTE,
    "released": 2 * HOUR,
    "picked": 8 * HOUR,
    "packed": 10 * HOUR,
    "shipped": 24 * HOUR,
    "acknowledged": 2 * HOUR,
    "delivered": 7 * DAY,
    "goods_issue": 4 * HOUR,
    "posted": 24 * HOUR,
    "shipment_confirmed": 4 * HOUR,
    "refunded": 3 * DAY,
}


@dataclass(frozen=True)
class Deadlines:
    """`channels` states a table for some channels, whole; all others have the default."""

    channels: dict[str, dict[str, timedelta]] = field(default_factory=dict)
    orphan_grace: timedelta = HOUR
    erp_grace: timedelta = 4 * HOUR
    still: frozenset[str] = frozenset()
    """Locations that send no movements."""

    def of(self, channel: str | None) -> dict[str, timedelta]:
        return self.channels.get(channel or "", DEFAULT)

    def settings(self) -> dict[str, Any]:
        """The same as tables of a configuration file."""
        tables = {
            channel: {"sla": {name: f"{int(allowed.total_seconds())}s" for name, allowed in table.items()}}
            for channel, table in self.channels.items()
        }
        grace = {"orphan_grace": self.orphan_grace, "erp_grace": self.erp_grace}
        return {"channels": tables, "time": {k: f"{int(v.total_seconds())}s" for k, v in grace.items()}}
