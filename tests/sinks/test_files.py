"""Output files: followed while they grow, whole after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from canonical.errors import Terminal
from sinks.files import LatestFile, LinesFile


def test_lines_are_appended_in_order(tmp_path: Path) -> None:
    out = LinesFile(tmp_path / "a.ndjson", None)
    out.write([b"1\n", b"2\n"])
    out.write([b"3\n"])
    assert (tmp_path / "a.ndjson").read_bytes() == b"1\n2\n3\n"


def test_a_fresh_run_starts_the_file_anew(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"old\n")
    LinesFile(tmp_path / "a.ndjson", None).write([b"new\n"])
    assert (tmp_path / "a.ndjson").read_bytes() == b"new\n"


def test_a_resumed_run_cuts_off_what_was_written_after_the_last_durable_moment(tmp_path: Path) -> None:
    out = LinesFile(tmp_path / "a.ndjson", None)
    out.write([b"kept\n"])
    position = out.flush()
    out.write([b"lost in the crash\n"])
    resumed = LinesFile(tmp_path / "a.ndjson", position)
    resumed.write([b"again\n"])
    assert (tmp_path / "a.ndjson").read_bytes() == b"kept\nagain\n"


def test_a_file_shorter_than_its_saved_position_is_refused_with_words(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"1\n")
    with pytest.raises(Terminal, match=r"has 2 bytes, but the saved state was taken when it had 10"):
        LinesFile(tmp_path / "a.ndjson", 10)


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    LinesFile(tmp_path / "deep" / "er" / "a.ndjson", None).write([b"1\n"])
    assert (tmp_path / "deep/er/a.ndjson").read_bytes() == b"1\n"


def test_the_latest_value_replaces_the_one_before(tmp_path: Path) -> None:
    latest = LatestFile(tmp_path / "counts.json")
    latest.write([b"1", b"2"])
    latest.flush()
    latest.write([b"3"])
    latest.close()
    assert (tmp_path / "counts.json").read_bytes() == b"3"


def test_nothing_written_leaves_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "counts.json").write_bytes(b"1")
    LatestFile(tmp_path / "counts.json").close()
    assert (tmp_path / "counts.json").read_bytes() == b"1"
