"""Judge a run by the oracle: `python -m tests.oracle DAY OUT [--config FILE]` (refused inputs are left out).

Reads every event of the day again, recomputes all records from scratch, and compares the last of every key.
Minutes for a day of 20,000 orders: it is naive on purpose.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.oracle import Config, oracle

STEMS = ("products", "orders", "shipments", "inventory", "returns", "postings", "listings")
KEYS = {"availability": "sku", "lifecycle": "order_id"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("day", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--config", type=Path)
    args = parser.parse_args()
    events = read(args.day, refused(args.out))
    truth = oracle(events, config(args.config))
    wrong = 0
    for stem, true in (("availability", truth.availability), ("lifecycle", truth.lifecycle)):
        told = last(args.out, stem)
        differing = [key for key in told.keys() | true.keys() if told.get(key) != true.get(key)]
        print(f"{stem}: {len(true):,} keys, {len(differing):,} differ from the oracle")
        for key in sorted(differing)[:3]:
            print(f"  {key}\n    told {told.get(key)}\n    true {true.get(key)}")
        wrong += len(differing)
    counts = json.loads((args.out / "meta/counts.json").read_text(encoding="utf-8"))
    applied = {stem: count["applied"] for stem, count in counts.items() if count["applied"]}
    if applied != truth.applied:
        print(f"applied: told {applied}, true {truth.applied}")
        wrong += 1
    return 1 if wrong else 0


def refused(out: Path) -> set[tuple[str, int]]:
    """File and line of every dead letter."""
    with (out / "dead-letters.ndjson").open("rb") as lines:
        origins = [json.loads(line)["origin"] for line in lines]
    return {(origin["file"], origin["line"]) for origin in origins}


def read(day: Path, without: set[tuple[str, int]]) -> list[dict[str, Any]]:
    events = []
    for stem in STEMS:
        path = day / f"{stem}.ndjson"
        if path.exists():
            with path.open("rb") as lines:
                for number, line in enumerate(lines, 1):
                    if (path.name, number) not in without and line.strip():
                        events.append(json.loads(line))
    return events


def last(out: Path, stem: str) -> dict[str, Any]:
    with (out / f"{stem}.ndjson").open("rb") as lines:
        return {record[KEYS[stem]]: {**record, **_blank(record)} for record in map(json.loads, lines)}


def _blank(record: dict[str, Any]) -> dict[str, Any]:
    """The ids of open exceptions are not this oracle's to judge."""
    return {"exceptions": []} if "exceptions" in record else {}


def config(path: Path | None) -> Config:
    if path is None:
        return Config()
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    locations = said.get("locations", {})
    margins = {place["cut_margin"] for place in locations.values() if "cut_margin" in place}
    if margins:
        raise SystemExit("this oracle knows one cut_margin, the default")
    return Config(
        pools=said.get("pools", {}),
        channels={name: channel.get("pool") for name, channel in said.get("channels", {}).items()},
        location_safety={name: place.get("safety_stock", 0) for name, place in locations.items()},
        movements_false={name for name, place in locations.items() if not place.get("movements", True)},
        counts_available={name for name, place in locations.items() if place.get("counts") == "available"},
        cut_margin=timedelta(minutes=30),
    )


if __name__ == "__main__":
    sys.exit(main())
