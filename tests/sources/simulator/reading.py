"""A simulated day read back from its files, plainly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sources.simulator import Scenario, Summary, simulate

STEMS = ("orders", "shipments", "inventory", "returns", "postings", "products", "listings")
Record = dict[str, Any]


@dataclass(frozen=True)
class Day:
    """Files and summary of a scenario; `events` of a stem in file order."""

    folder: Path
    summary: Summary

    def lines(self, stem: str) -> list[bytes]:
        return (self.folder / f"{stem}.ndjson").read_bytes().splitlines()

    def events(self, *stems: str) -> list[Record]:
        return [json.loads(line) for stem in stems or STEMS for line in self.lines(stem)]

    def truth(self, kind: str) -> list[Record]:
        records = [json.loads(line) for line in self.lines("truth")]
        return [record for record in records if record["kind"] == kind]

    def placed(self) -> dict[str, Record]:
        """order_id -> its order.placed event."""
        return {e["subject"]: e for e in self.events("orders") if e["type"] == "order.placed"}

    def kits(self) -> dict[str, list[tuple[str, int]]]:
        """kit -> its components and their quantities."""
        products = [event["data"] for event in self.events("products")]
        return {
            data["sku"]: [(part["sku"], part["quantity"]) for part in data["components"]]
            for data in products
            if "components" in data
        }


def make(folder: Path, **parameters: Any) -> Day:
    return Day(folder, simulate(Scenario(**parameters), folder))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
