"""The demo: what a newcomer should see first, made by the same commands a user types."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from dataflows.showing import Page

TIGHTEST = 8


def show(directory: Path, orders: int) -> int:
    """Simulate, run and show; the first step that fails ends it with its exit code."""
    day, out = directory / "day", directory / "out"
    steps = [
        (
            "A retailer's day, with every kind of fault planted",
            [
                "simulate",
                "--output",
                str(day),
                "--orders",
                str(orders),
                "--skus",
                "800",
                "--faults",
                "all",
                "--seed",
                "11",
            ],
        ),
        (
            "Events in; availability, lifecycle, exceptions and dead letters out",
            ["run", "--input", str(day), "--output", str(out), "--config", str(day / "sellable.toml")],
        ),
    ]
    for title, words in steps:
        code = _step(title, words)
        if code:
            return code
    latest = _latest(out / "availability.ndjson", "sku")
    tight = sorted(latest.values(), key=_tightness)[:TIGHTEST]
    _title("The tightest SKUs: what each pool can still promise, what is promised already and cannot be kept")
    _tight(tight)
    _reasons(out)
    code = _step("How one number comes about", ["explain", tight[0]["sku"], "--output", str(out)], lines=34)
    code = code or _step(
        "One order's life across all systems", ["trace", _returned(out), "--output", str(out)], lines=48
    )
    print(f"\nEverything is in {directory}/ — look around:")
    print(
        f"  sellable explain SKU --output {out}\n  sellable trace ORDER_ID --output {out}\n  sellable --help"
    )
    return code


def _title(text: str) -> None:
    bold = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold[0]}== {text}{bold[1]}")


def _step(title: str, words: list[str], lines: int | None = None) -> int:
    """Run one command as a user would; `lines` cuts what it says short."""
    import contextlib
    import io

    from dataflows.__main__ import main

    _title(title)
    print(f"$ sellable {' '.join(words)}")
    if lines is None:
        return main(words)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main(words)
    rows = said.getvalue().splitlines()
    print("\n".join(rows[:lines]))
    if len(rows) > lines:
        print(f"  … {len(rows) - lines} more lines")
    return code


def _latest(path: Path, key: str) -> dict[str, dict[str, Any]]:
    with path.open("rb") as lines:
        return {record[key]: record for record in map(json.loads, lines)}


def _tightness(record: dict[str, Any]) -> tuple[int, int, str]:
    return (-record["shortage"], sum(pool["ats"] for pool in record["pools"]), record["sku"])


def _tight(records: list[dict[str, Any]]) -> None:
    page = Page(colour=sys.stdout.isatty())
    rows = [
        (
            record["sku"],
            ", ".join(f"{pool['pool']} {pool['ats']}" for pool in record["pools"]),
            str(record["shortage"]),
            str(sum(place["on_hand"] for place in record["locations"])),
            str(sum(place["committed"] for place in record["locations"])),
        )
        for record in records
    ]
    page.table("sku", "ats by pool", "shortage", "on hand", "committed", rows=rows, numbers=(2, 3, 4))
    print(page.text())


def _reasons(out: Path) -> None:
    """Dead letters by code, with one example each: where it came from and what is wrong."""
    path = out / "dead-letters.ndjson"
    found: dict[str, list[dict[str, Any]]] = {}
    with path.open("rb") as lines:
        for letter in map(json.loads, lines):
            found.setdefault(letter["code"], []).append(letter)
    if not found:
        return
    _title("Inputs that could not be accepted, kept whole with the reason")
    page = Page(colour=sys.stdout.isatty())
    rows = []
    for code, letters in sorted(found.items(), key=lambda item: -len(item[1])):
        first = letters[0]
        where = f"{first['origin'].get('file')}:{first['origin'].get('line')}"
        rows.append((code, str(len(letters)), where, f"{first['field']} {first['reason']}".strip()))
    page.table("code", "inputs", "for example", "because", rows=rows, numbers=(1,))
    print(page.text())


def _returned(out: Path) -> str:
    """An order with a long story: one that came back, else any delivered one."""
    orders = _latest(out / "lifecycle.ndjson", "order_id")
    told = sorted(
        orders.values(),
        key=lambda record: (record["state"] != "refunded", -record["version"], record["order_id"]),
    )
    return str(told[0]["order_id"])
