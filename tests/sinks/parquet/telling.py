"""Records as the jobs tell them, made by hand, and what is published of them read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import polars

from canonical.outputs import (
    Availability,
    ChannelUpdate,
    ExceptionRecord,
    Lifecycle,
    LifecycleLine,
    LocationAvailability,
    PoolAvailability,
)
from canonical.policy import Policy
from canonical.tables import TABLE, history
from sinks.parquet.catalog import published, rows_of
from sinks.parquet.manifest import Manifest
from sinks.parquet.snapshots import Snapshots
from sinks.parquet.store import store_of

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_line = msgspec.json.Encoder()


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def lines(*records: msgspec.Struct) -> list[bytes]:
    return [_line.encode_lines(list(records))]


def stock(
    sku: str,
    version: int,
    ats: int = 5,
    shortage: int = 0,
    minutes: float = 0,
    places: str = "ab",
    pools: str = "p",
) -> Availability:
    """A SKU with `ats` in every pool and as many free at every place; pools and places are letters."""
    return Availability(
        sku=sku,
        version=version,
        as_of=at(minutes),
        pools=[PoolAvailability(pool, ats, 0) for pool in pools],
        shortage=shortage,
        locations=[LocationAvailability(place, ats + 1, 0, 1, 0, 0, ats) for place in places],
        correlationid=f"o-{version}",
    )


def order(
    order_id: str, version: int, state: str = "placed", minutes: float = 0, skus: str = "x"
) -> Lifecycle:
    """An order of one unit of each SKU (letters), whose only milestone is its state's."""
    return Lifecycle(
        order_id=order_id,
        version=version,
        channel="web",
        state=state,
        milestones={state: at(minutes)},
        lines=[LifecycleLine(str(place), sku, 1, 0, 0, 0, 1) for place, sku in enumerate(skus)],
        exceptions=[],
    )


def trouble(
    exception_id: str,
    status: Literal["opened", "escalated", "cleared"],
    opened: float,
    detected: float,
    cleared: float | None = None,
    **other: Any,
) -> ExceptionRecord:
    """An exception; times in minutes."""
    told: dict[str, Any] = {
        "code": "oversold",
        "severity": "high",
        "owner": "commerce",
        "units": 2,
        "value": "19.90",
        "currency": "EUR",
        "evidence": ["e-1"],
        "correlationid": "o-1",
        "message": "Two units too many were promised.",
        **other,
    }
    return ExceptionRecord(
        exception_id=exception_id,
        status=status,
        opened_at=at(opened),
        detected_at=at(detected),
        cleared_at=None if cleared is None else at(cleared),
        **told,
    )


def update(channel: str, sku: str, version: int, quantity: int = 3) -> ChannelUpdate:
    return ChannelUpdate(
        channel, sku, f"l-{sku}", quantity, None, version, 7, "increase", 1, at(0), at(version), "o-1"
    )


def policy(**snapshots: Any) -> Policy:
    return Policy.model_validate({"snapshots": {"every": "5m", **snapshots}})


def publish(sink: Snapshots, minutes: float, positions: dict[str, Any] | None = None) -> None:
    """Let a snapshot be made at a watermark, on time, and wait for it."""
    sink.tick(at(minutes), at(minutes), positions or {})
    sink.settle()


def snapshots_at(root: Path | str, **settings: Any) -> Snapshots:
    """A sink whose first snapshot is due from minute 5 on."""
    sink = Snapshots(root, policy(**settings))
    sink.tick(at(0), at(0), {})
    return sink


def manifests(root: Path | str) -> list[Manifest]:
    return published(store_of(root))


def table(root: Path | str, name: str, manifest: Manifest | None = None) -> list[dict[str, Any]]:
    """Rows of a snapshot, by default the latest."""
    return rows_of(store_of(root), manifest or manifests(root)[-1], name).to_dicts()


def changes(root: Path, name: str) -> polars.DataFrame:
    """All of a history, in the order told."""
    return polars.read_parquet(root / f"tables/{name}_history/**/*.parquet").sort("change")


def replayed(root: Path, name: str, manifest: Manifest) -> list[dict[str, Any]]:
    """What a table's history says it was at a snapshot: per key the rows of the latest change up to then."""
    kind = TABLE[name]
    told = changes(root, name).filter(polars.col("change") <= manifest.changes[kind.stem])
    latest = told.filter(polars.col("change") == polars.col("change").max().over(kind.key))
    if kind.row:
        latest = latest.filter(polars.col(kind.row).is_not_null())
    names = [column.name for column in history(kind).columns if column.name != "change"]
    return latest.sort(kind.order).select(names).to_dicts()
