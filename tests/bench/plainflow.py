"""The rival: the same numbers from a plain Bytewax flow, one event per item, pydantic models at both ends.

    lines → event → state per order → state per SKU → state per kit → JSON → files

Written as a good engineer would who reads the engine's documentation and has not thought of blocks. What it leaves
out makes it faster, never slower: no lateness, no schema drift, no counts of what became of every input.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import bytewax.operators as op
from bytewax._bytewax import cli_main
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from pydantic import ValidationError

from tests.bench.plain.events import ADAPTER, MovedEvent
from tests.bench.plain.lines import Kits, LifecycleRecord
from tests.bench.plain.order import OrderState
from tests.bench.plain.sku import AvailabilityRecord, KitState, SkuState

BATCH = 1000
AVAILABILITY, DEAD_LETTERS, LIFECYCLE = OUTPUTS = ("availability", "dead-letters", "lifecycle")


class LinesPart(StatefulSourcePartition[bytes, int]):
    def __init__(self, path: Path, resume: int | None) -> None:
        self._file: BinaryIO = path.open("rb")
        self._file.seek(resume or 0)

    def next_batch(self) -> list[bytes]:
        lines = [line for _ in range(BATCH) if (line := self._file.readline())]
        if not lines:
            raise StopIteration
        return lines

    def snapshot(self) -> int:
        return self._file.tell()


class LinesSource(FixedPartitionedSource[bytes, int]):
    """Every event file of a directory is a partition."""

    def __init__(self, directory: Path) -> None:
        self._paths = {path.name: path for path in directory.glob("*.ndjson") if path.stem != "truth"}

    def list_parts(self) -> list[str]:
        return sorted(self._paths)

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> LinesPart:
        return LinesPart(self._paths[for_part], resume_state)


class FilePart(StatefulSinkPartition[str, int]):
    def __init__(self, path: Path, resume: int | None) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._file.truncate(resume or 0)

    def write_batch(self, values: list[str]) -> None:
        for value in values:
            self._file.write(value)
            self._file.write("\n")

    def snapshot(self) -> int:
        self._file.flush()
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


class FilesSink(FixedPartitionedSink[str, int]):
    """A file per output; an item is (file's name, line). The engine counts partitions in the order of their names."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def list_parts(self) -> list[str]:
        return list(OUTPUTS)

    def part_fn(self, item_key: str) -> int:
        return OUTPUTS.index(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> FilePart:
        return FilePart(self._directory / f"{for_part}.ndjson", resume_state)


def kits_of(directory: Path) -> Kits:
    """The catalogue's kits, as the products stand in the file."""
    kits: Kits = {}
    with (directory / "products.ndjson").open("rb") as lines:
        for line in lines:
            product = json.loads(line)["data"]
            if product.get("components"):
                kits[product["sku"]] = {part["sku"]: part["quantity"] for part in product["components"]}
    return kits


def decode(line: bytes) -> Any:
    try:
        return ADAPTER.validate_json(line)
    except ValidationError as error:
        return error


def is_of_order(event: Any) -> bool:
    if isinstance(event, MovedEvent):
        return event.data.reason == "issue" and event.data.order_id is not None
    return hasattr(event.data, "order_id")


def flow(source: Path, output: Path) -> Dataflow:
    kits = kits_of(source)
    in_kits: dict[str, list[str]] = {}
    for name, needs in kits.items():
        for needed in needs:
            in_kits.setdefault(needed, []).append(name)

    def order(state: OrderState | None, event: Any) -> tuple[OrderState, Iterable[Any]]:
        state = state or OrderState(event.data.order_id)
        record, claims = state.apply(event, kits)
        told: list[Any] = [] if record is None else [record]
        return state, told + [(claim, event.time) for claim in claims]

    def sku(state: SkuState | None, fact: Any) -> tuple[SkuState, Iterable[AvailabilityRecord]]:
        state = state or SkuState(fact[0].sku if isinstance(fact, tuple) else fact.data.sku)
        record = state.apply(fact)
        return state, [] if record is None else [record]

    def kit(
        state: KitState | None, item: tuple[str, AvailabilityRecord]
    ) -> tuple[KitState, AvailabilityRecord]:
        state = state or KitState(item[0])
        return state, state.apply(item[1], kits[item[0]])

    def to_kits(record: AvailabilityRecord) -> Iterator[tuple[str, AvailabilityRecord]]:
        for name in in_kits.get(record.sku, ()):
            yield name, record

    dataflow = Dataflow("plain")
    decoded = op.branch(
        "accepted", op.map("decode", op.input("lines", dataflow, LinesSource(source)), decode),
        lambda event: not isinstance(event, ValidationError),
    )  # fmt: skip
    events = op.branch("of_order", decoded.trues, is_of_order)
    orders = op.key_on("by_order", events.trues, lambda event: str(event.data.order_id))
    told = op.key_rm("any_order", op.stateful_flat_map("orders", orders, order))
    lives = op.branch("lives", told, lambda item: isinstance(item, LifecycleRecord))
    facts = op.merge(
        "facts",
        op.key_on("claim_by_sku", lives.falses, lambda item: item[0].sku),
        op.key_on("event_by_sku", events.falses, lambda event: str(event.data.sku)),
    )
    numbers = op.key_rm("any_sku", op.stateful_flat_map("skus", facts, sku))
    parts = op.key_on("by_kit", op.flat_map("to_kits", numbers, to_kits), lambda item: item[0])
    in_sets = op.key_rm("any_kit", op.stateful_map("kits", parts, kit))
    plain = op.filter("no_kits", numbers, lambda record: record.sku not in kits)
    availability = op.map(
        "availability",
        op.merge("sold", plain, in_sets),
        lambda record: (AVAILABILITY, record.model_dump_json()),
    )
    lifecycle = op.map("lifecycle", lives.trues, lambda record: (LIFECYCLE, record.model_dump_json()))
    refused = op.map("refused", decoded.falses, lambda error: (DEAD_LETTERS, error.json()))
    op.output("files", op.merge("all", availability, lifecycle, refused), FilesSink(output))
    return dataflow


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--epoch", type=float, default=10.0)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    recovery = None
    if args.state is not None:
        args.state.mkdir(parents=True)
        init_db_dir(args.state, 4)  # type: ignore[no-untyped-call]  # the engine's Rust side has no types
        recovery = RecoveryConfig(str(args.state))  # type: ignore[no-untyped-call]  # the Rust side has no types
    cli_main(  # type: ignore[no-untyped-call]  # the Rust side has no types
        flow(args.input, args.output), epoch_interval=timedelta(seconds=args.epoch), recovery_config=recovery
    )


if __name__ == "__main__":
    main()
