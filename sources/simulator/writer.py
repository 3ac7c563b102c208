"""The files of a day: one per stem, and the truth beside them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

STEM_OF: dict[str, str] = {
    "order.placed": "orders",
    "order.changed": "orders",
    "order.cancelled": "orders",
    "order.accepted": "orders",
    "order.rejected": "orders",
    "order.allocated": "orders",
    "order.released": "orders",
    "order.picked": "orders",
    "order.packed": "orders",
    "shipment.shipped": "shipments",
    "shipment.in_transit": "shipments",
    "shipment.out_for_delivery": "shipments",
    "shipment.delivered": "shipments",
    "shipment.exception": "shipments",
    "shipment.returned_to_sender": "shipments",
    "shipment.acknowledged": "shipments",
    "inventory.moved": "inventory",
    "inventory.status_changed": "inventory",
    "inventory.counted": "inventory",
    "inventory.balance_reported": "inventory",
    "return.requested": "returns",
    "return.received": "returns",
    "refund.issued": "returns",
    "posting.recorded": "postings",
    "product.upserted": "products",
    "listing.observed": "listings",
    "listing.acknowledged": "listings",
    "listing.rejected": "listings",
}
STEMS = tuple(dict.fromkeys(STEM_OF.values()))
TRUTH = "truth"
_BUFFER = 1 << 20

encode = msgspec.json.Encoder().encode


class Writer:
    """Appends lines to `<stem>.ndjson` and `truth.ndjson` in a folder it makes; counts what it wrote."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, BinaryIO] = {
            stem: (folder / f"{stem}.ndjson").open("wb", buffering=_BUFFER) for stem in (*STEMS, TRUTH)
        }
        self.lines: dict[str, int] = dict.fromkeys(STEMS, 0)
        self.duplicates: dict[str, int] = dict.fromkeys(STEMS, 0)
        self.malformed: dict[str, Counter[str]] = {stem: Counter() for stem in STEMS}
        self.faults: Counter[str] = Counter()

    def write(self, stem: str, line: bytes) -> int:
        """One line without its newline → its number in the file, from 1."""
        self._files[stem].write(line + b"\n")
        self.lines[stem] = number = self.lines[stem] + 1
        return number

    def tell(self, record: dict[str, Any]) -> None:
        """One record of the truth; one of kind "fault" is counted under its name."""
        if record["kind"] == "fault":
            self.faults[record["fault"]] += 1
        self._files[TRUTH].write(encode(record) + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()
