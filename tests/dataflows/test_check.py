from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflows.__main__ import main
from dataflows.checking import stem_of
from tests.sources.samples import full, minimal, without, written
from tests.sources.stored import stored

GOOD = written(minimal("order.placed"))
BAD = written(without(minimal("order.placed"), "data.lines.0.sku"))
TWICE = GOOD[:-1] + b',"id":"2"}'
DRIFTING = written(minimal("order.placed") | {"region": "eu"})


def check(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[str]]:
    code = main(["check", *map(str, arguments), "--as-of", "2026-03-02T00:00:00Z"])
    return code, capsys.readouterr().out.splitlines()


def test_a_sound_file_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stored(tmp_path, "orders.ndjson", GOOD + b"\n" + written(full("order.cancelled")))
    assert check(capsys, file.path) == (0, ["1 files, 2 lines: 2 events, 0 faults, 0 warnings"])


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_every_fault_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    huge = b"x" * (2 << 20)
    lines = [GOOD, b"", BAD, DRIFTING, huge, TWICE, DRIFTING, b"{", written(minimal("inventory.moved"))]
    file = stored(tmp_path, f"orders.ndjson{ending}", b"\n".join(lines))
    drift = "/test sends it, order.placed does not have it; beside it: specversion, id, source, type, subject, time"
    code, told = check(capsys, file.path)
    assert code == 1
    assert told[:7] == [
        f"{file.path}:3  missing_field  data.lines[0].sku  data.lines[0].sku is missing",
        f"{file.path}:4  warning: schema_drift  region  {drift}, data, region",
        f"{file.path}:5  too_large  -  the line has 2097152 bytes; at most 1048576 are accepted",
        f"{file.path}:6  duplicate_key  id  id is named twice in one object",
        f"{file.path}:8  not_json  -  the line is not JSON: it ends too early",
        f"{file.path}:9  wrong_topic  type  the type inventory.moved belongs to inventory, not to orders",
        "1 files, 8 lines: 3 events, 5 faults, 2 warnings",
    ]
    counts = {words[1]: int(words[0]) for words in (line.split() for line in told[7:])}
    assert counts == {
        "missing_field": 1,
        "too_large": 1,
        "duplicate_key": 1,
        "not_json": 1,
        "wrong_topic": 1,
        "schema_drift": 2,
    }


def test_lines_are_numbered_across_stripes_and_every_line_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [GOOD] * 5000
    lines[4321], lines[4700] = BAD, DRIFTING
    file = stored(tmp_path, "orders.ndjson", b"\n".join(lines))
    _, told = check(capsys, file.path)
    assert [line.split("  ")[0] for line in told[:2]] == [f"{file.path}:4322", f"{file.path}:4701"]


def test_scripts_get_one_object_per_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = stored(tmp_path, "orders.ndjson", BAD + b"\n" + DRIFTING)
    code, told = check(capsys, file.path, "--json")
    fault, warning, summary = map(json.loads, told)
    assert code == 1
    assert fault == {
        "file": str(file.path),
        "line": 1,
        "severity": "fault",
        "code": "missing_field",
        "field": "data.lines[0].sku",
        "sentence": "data.lines[0].sku is missing",
    }
    assert (warning["severity"], warning["code"], warning["line"]) == ("warning", "schema_drift", 2)
    assert summary == {
        "severity": "summary",
        "files": 1,
        "lines": 2,
        "events": 1,
        "faults": {"missing_field": 1},
        "warnings": {"schema_drift": 1},
    }
    assert len(check(capsys, file.path, "--json", "--quiet")[1]) == 1


def test_warnings_alone_are_no_failure_and_quiet_is_quiet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = stored(tmp_path, "orders.ndjson", DRIFTING)
    code, told = check(capsys, file.path, "--quiet")
    assert code == 0
    assert told[0] == "1 files, 1 lines: 1 events, 0 faults, 1 warnings"
    assert "schema_drift" in told[1]
    assert len(told) == 2


def test_the_topic_comes_from_the_name_or_the_folder_or_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = written(minimal("inventory.moved"))
    for name, code in (("inventory/x.ndjson", 0), ("orders/x.ndjson", 1), ("x.json", 0), ("orders.txt", 1)):
        assert check(capsys, stored(tmp_path, name, moved).path)[0] == code
    assert check(capsys, tmp_path / "x.json", "--stem", "orders")[0] == 1
    assert check(capsys, tmp_path / "orders.txt", "--stem", "inventory")[0] == 0
    assert stem_of(Path("orders/returns.ndjson.gz")) == "returns"


def test_a_directory_stands_for_what_a_run_would_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in (("orders.ndjson", BAD), ("inventory/a.ndjson.gz", BAD), ("truth.ndjson", b"{")):
        stored(tmp_path, name, data)
    code, told = check(capsys, tmp_path)
    assert code == 1
    assert told[-2].startswith("2 files, 2 lines: 0 events, 2 faults")
    assert told[0].startswith(f"{tmp_path / 'inventory/a.ndjson.gz'}:1  ")


def test_late_events_are_no_fault_but_future_ones_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = written(minimal("order.accepted", time="1999-01-01T00:00:00Z"))
    file = stored(tmp_path, "orders.ndjson", GOOD + b"\n" + old)
    assert check(capsys, file.path)[0] == 0
    stored(tmp_path, "orders.ndjson", written(minimal("order.accepted", time="2026-03-02T00:06:00Z")))
    code, told = check(capsys, file.path)
    assert (code, told[0].split("  ")[1]) == (1, "future_event")


@pytest.mark.parametrize("arguments", [[], ["--stem", "order", "x"], ["--as-of", "noon", "x"]])
def test_bad_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["check", *arguments])
    assert end.value.code == 2
    assert "usage: sellable check" in capsys.readouterr().err


def test_what_is_not_there_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "absent.ndjson")]) == 2
    assert "absent.ndjson is not there" in capsys.readouterr().err
    empty: list[Any] = []
    assert main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().out.splitlines() == empty
