"""The engine and the plain loop give the same output; processes, kills and restarts change nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from canonical.policy import Policy
from dataflows.availability import Plan, availability_job
from dataflows.plain import Plain
from sources.simulator import Scenario, simulate

KEYS = {"availability": "sku", "lifecycle": "order_id"}


def sellable(*words: str, code: int = 0) -> str:
    """Run the command as a user does; what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "dataflows", *words], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def last(output: Path, stem: str) -> dict[str, Any]:
    """The latest record of the highest version, per key."""
    best: dict[str, Any] = {}
    with (output / f"{stem}.ndjson").open("rb") as lines:
        for record in map(json.loads, lines):
            known = best.get(record[KEYS[stem]])
            if known is None or record["version"] >= known["version"]:
                best[record[KEYS[stem]]] = record
    return best


def ends(output: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    counts = json.loads((output / "meta/counts.json").read_text(encoding="utf-8"))
    return last(output, "availability"), last(output, "lifecycle"), counts


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A faulty day of 1,500 orders."""
    folder = tmp_path_factory.mktemp("day")
    simulate(Scenario(orders=1_500, skus=120, seed=5, faults="all", fault_rate=0.01), folder)
    return folder


@pytest.fixture(scope="module")
def plain(day: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the plain loop makes of the day."""
    output = tmp_path_factory.mktemp("plain")
    Plain(availability_job(Plan(day, output, Policy()))).run(lambda: datetime.now(UTC))
    return output


def test_the_engine_ends_where_the_plain_loop_does(day: Path, plain: Path, tmp_path: Path) -> None:
    sellable("run", "--input", str(day), "--output", str(tmp_path))
    assert ends(tmp_path) == ends(plain)


def test_two_processes_end_where_one_does(day: Path, plain: Path, tmp_path: Path) -> None:
    sellable("run", "--input", str(day), "--output", str(tmp_path), "--workers", "2")
    assert ends(tmp_path) == ends(plain)


def test_every_input_is_accounted_for(day: Path, tmp_path: Path) -> None:
    said = json.loads(sellable("run", "--input", str(day), "--output", str(tmp_path), "--json"))
    lines = {path.stem: path.read_bytes().count(b"\n") for path in day.glob("*.ndjson")}
    assert said["adds_up"]
    assert {stem: counts["read"] for stem, counts in said["stems"].items()} == {
        stem: lines[stem] for stem in said["stems"]
    }


def test_strict_makes_dead_letters_a_failure(day: Path, tmp_path: Path) -> None:
    sellable("run", "--input", str(day), "--output", str(tmp_path), "--strict", code=1)


def run_until_killed(words: list[str], output: Path, bytes_written: int) -> None:
    """Start the run and SIGKILL it as soon as it has written so much."""
    process = subprocess.Popen([sys.executable, "-m", "dataflows", *words], stdout=subprocess.DEVNULL)
    written = output / "lifecycle.ndjson"
    while process.poll() is None:
        if written.exists() and written.stat().st_size > bytes_written:
            os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.01)
    process.wait()


def test_killed_runs_resume_to_the_same_end(day: Path, plain: Path, tmp_path: Path) -> None:
    output, state = tmp_path / "out", tmp_path / "state"
    words = ["run", "--input", str(day), "--output", str(output), "--state", str(state), "--epoch", "0s"]
    for part in (1, 2, 3):
        run_until_killed(words, output, part * 400_000)
    sellable(*words)
    assert ends(output) == ends(plain)


def test_a_finished_run_started_again_reads_nothing_twice(day: Path, plain: Path, tmp_path: Path) -> None:
    output, state = tmp_path / "out", tmp_path / "state"
    words = ["run", "--input", str(day), "--output", str(output), "--state", str(state)]
    sellable(*words)
    size = (output / "lifecycle.ndjson").stat().st_size
    sellable(*words)
    assert ends(output) == ends(plain)
    assert (output / "lifecycle.ndjson").stat().st_size == size


def test_state_of_another_number_of_processes_is_taken_up(day: Path, plain: Path, tmp_path: Path) -> None:
    output, state = tmp_path / "out", tmp_path / "state"
    words = ["run", "--input", str(day), "--output", str(output), "--state", str(state), "--epoch", "0s"]
    run_until_killed(words, output, 400_000)
    sellable(*words, "--workers", "2")
    assert ends(output) == ends(plain)


def test_output_files_are_followed_line_by_line(day: Path, tmp_path: Path) -> None:
    """Whatever a reader sees while the run goes on is whole records up to the last newline, and stays."""
    words = [sys.executable, "-m", "dataflows", "run", "--input", str(day), "--output", str(tmp_path)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    before, path = b"", tmp_path / "lifecycle.ndjson"
    while process.poll() is None:
        if path.exists():
            data = path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            assert whole.startswith(before)
            for line in whole[len(before) :].splitlines():
                json.loads(line)
            before = whole
    assert before


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stopped_run_ends_cleanly_and_goes_on_exactly(
    day: Path, plain: Path, tmp_path: Path, workers: str
) -> None:
    output, state = tmp_path / "out", tmp_path / "state"
    words = ["run", "--input", str(day), "--output", str(output), "--state", str(state), "--epoch", "0s"]
    words += ["--workers", workers, "--json"]
    process = subprocess.Popen([sys.executable, "-m", "dataflows", *words], stdout=subprocess.PIPE, text=True)
    written = output / "lifecycle.ndjson"
    while not written.exists() or written.stat().st_size < 400_000:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(said)["whole"] is False
    assert json.loads(sellable(*words))["whole"] is True
    assert ends(output) == ends(plain)


def test_snapshots_beside_the_run_hold_its_last_records(day: Path, tmp_path: Path) -> None:
    sellable("run", "--input", str(day), "--output", str(tmp_path))
    shown = sellable("snapshots", "show", "lifecycle", "--output", str(tmp_path), "--json")
    rows = [json.loads(line) for line in shown.splitlines()]
    assert {row["order_id"]: row["version"] for row in rows} == {
        key: record["version"] for key, record in last(tmp_path, "lifecycle").items()
    }
    sellable("snapshots", "verify", "--output", str(tmp_path))


def test_the_main_job_alone_publishes_no_snapshots(day: Path, tmp_path: Path) -> None:
    sellable("run", "--input", str(day), "--output", str(tmp_path), "--job", "availability")
    assert not (tmp_path / "tables").exists()


def test_the_snapshots_job_reads_what_another_run_wrote(day: Path, plain: Path, tmp_path: Path) -> None:
    sellable("run", "--input", str(plain), "--output", str(tmp_path), "--job", "snapshots")
    sellable("snapshots", "verify", "--output", str(tmp_path))
    assert list(tmp_path.glob("tables/availability/**/*.parquet"))
