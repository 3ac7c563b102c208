from __future__ import annotations

from pathlib import Path

import pytest

from canonical.errors import Terminal
from sources.files import find
from tests.sources.stored import stored


def test_inputs_are_found_by_stem_as_files_and_as_folders(tmp_path: Path) -> None:
    names = [
        "inventory/2026-03-01.ndjson",
        "inventory/2026-03-02.ndjson.gz",
        "inventory/2026-03-03.ndjson.zst",
        "orders.ndjson",
        "orders.ndjson.gz",
        "returns.ndjson.zst",
    ]
    for name in names:
        stored(tmp_path, name, b"{}\n")
    others = ["truth.ndjson", "orders.json", "orders.ndjson.bz2", "readme.txt", "inventory/.half.ndjson"]
    for name in [*others, "inventory/notes.txt", "inventory/deeper/a.ndjson", "more/orders.ndjson"]:
        stored(tmp_path, name, b"{}\n")
    (tmp_path / "shipments.ndjson").mkdir()
    found = find(tmp_path)
    assert [file.name for file in found] == names
    assert [file.stem for file in found] == ["inventory"] * 3 + ["orders"] * 2 + ["returns"]
    assert [file.packing for file in found] == ["plain", "gz", "zst", "plain", "gz", "zst"]
    assert all(file.size == file.path.stat().st_size for file in found)


@pytest.mark.parametrize("name", ["truth.ndjson", "order.ndjson", "more/orders.ndjson"])
def test_a_directory_without_inputs_is_refused_saying_what_was_looked_for(tmp_path: Path, name: str) -> None:
    stored(tmp_path, name, b"{}\n")
    with pytest.raises(
        Terminal, match=r"holds no events; looked for <stem>\.ndjson .* orders, shipments, inv"
    ):
        find(tmp_path)


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="absent is not a directory; --input wants one that holds <stem>"):
        find(tmp_path / "absent")
    with pytest.raises(Terminal, match="is not a directory"):
        find(stored(tmp_path, "orders.ndjson", b"").path)


def test_a_name_nobody_can_write_down_is_refused(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "\udcff.ndjson").write_bytes(b"")
    with pytest.raises(Terminal, match="is not UTF-8; rename it"):
        find(tmp_path)
