"""Whether two ways of computing came to the same numbers: their last records, key by key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

_decode = msgspec.json.Decoder().decode


class Agreement(Struct, frozen=True):
    """Of `keys` known to either side `same` have equal numbers; `first` is one that has not."""

    keys: int
    same: int
    first: str | None


def numbers(record: dict[str, Any]) -> Any:
    """What a SKU's record comes to: what pool `all` may promise."""
    return next(pool["ats"] for pool in record["pools"] if pool["pool"] == "all")


def standings(record: dict[str, Any]) -> Any:
    """What an order's record comes to: its state, and what each line has open."""
    return record["state"], {(line["line_id"], line["sku"]): line["open"] for line in record["lines"]}


def agree(ours: Path, theirs: Path) -> dict[str, Agreement]:
    """Stem → how far the outputs in two directories agree."""
    return {
        "availability": _compare(ours, theirs, "availability", "sku", numbers),
        "lifecycle": _compare(ours, theirs, "lifecycle", "order_id", standings),
    }


def _compare(
    ours: Path, theirs: Path, stem: str, key: str, reads: Callable[[dict[str, Any]], Any]
) -> Agreement:
    one, two = (_last(path / f"{stem}.ndjson", key, reads) for path in (ours, theirs))
    keys = sorted(one.keys() | two.keys())
    differ = [name for name in keys if one.get(name) != two.get(name)]
    first = f"{differ[0]}: {one.get(differ[0])} against {two.get(differ[0])}" if differ else None
    return Agreement(len(keys), len(keys) - len(differ), first)


def _last(path: Path, key: str, reads: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    with path.open("rb") as lines:
        latest = {record[key]: line for line in lines for record in (_decode(line),)}
    return {name: reads(_decode(line)) for name, line in latest.items()}
