"""`sellable run` on topics that cannot go on, or must not: each ends with words."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from canonical.broker import Connection
from tests.kafka.broker import free_ports
from tests.kafka.desk import until
from tests.kafka.runs import Day, Run, all_read, command, put, sellable


def test_brokers_that_do_not_answer_at_the_start_are_named(tmp_path: Path) -> None:
    nobody, config = f"127.0.0.1:{free_ports(1)[0]}", tmp_path / "shop.toml"
    config.write_text('[kafka]\nstart_timeout = "1s"\n', encoding="utf-8")
    place = f"kafka://{nobody}"
    words = ("--input", place, "--output", tmp_path / "out", "--config", config, "--job", "availability")
    for workers in (1, 2):
        done = sellable(*words, "--workers", workers, code=1)
        assert f"no broker of {nobody} answered within 1 s" in done.stderr
        assert "Connection refused" in done.stderr


def test_a_second_run_on_the_same_state_is_refused(
    connection: Connection, day: Day, words: list[object], tmp_path: Path
) -> None:
    put(connection, day.parts(20)[0])
    with Run(*words, "--workers", 2) as run:
        until(lambda: (tmp_path / "state/local/meta/run.json").exists(), "the run has begun")
        done = sellable(*words, code=2)
        assert f"is in use by process {run.process.pid} on " in done.stderr
        assert "two runs on one state would destroy it" in done.stderr
        run.stop()


def test_children_end_with_their_parent(
    connection: Connection, day: Day, words: list[object], tmp_path: Path
) -> None:
    """A run whose parent alone is killed leaves nobody behind who holds the state."""
    put(connection, day.parts(20)[0])
    with Run(*words, "--workers", 2) as run:
        until(lambda: all_read(connection), "the part is read")
        run.process.kill()
        run.process.communicate(timeout=20)
        until(lambda: "is in use" not in sellable_says(*words, "--until-end"), "the state is free")


def sellable_says(*words: object) -> str:
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=60, check=False).stderr


def test_state_of_files_is_not_taken_up_on_topics(
    connection: Connection, day: Day, words: list[object], tmp_path: Path
) -> None:
    sellable("--input", day.directory, "--output", tmp_path / "out", "--state", tmp_path / "state")
    done = sellable(*words, "--until-end", code=2)
    assert "edges was 'files to files', is 'topics to topics'" in done.stderr


def test_a_byte_turned_in_what_is_kept_is_noticed(
    connection: Connection, day: Day, words: list[object], tmp_path: Path
) -> None:
    put(connection, day.parts(20)[0])
    sellable(*words, "--until-end")
    whole = shutil.copytree(tmp_path / "state", tmp_path / "whole")
    for step in ("%lanes%", "%orders%", "%outlets%"):
        shutil.rmtree(tmp_path / "state")
        shutil.copytree(whole, tmp_path / "state")
        spoil(tmp_path / "state/parts", step)
        done = sellable(*words, "--until-end", code=2)
        assert "damaged" in done.stderr or "mixed up" in done.stderr, step


def spoil(parts: Path, step: str) -> None:
    """Turn a byte in the middle of one thing kept for this step, in a way that SQLite cannot see."""
    for part in sorted(parts.glob("part-*.sqlite3")):
        with closing(sqlite3.connect(part)) as kept, kept:
            found = kept.execute(
                "SELECT rowid, ser_change FROM snaps WHERE step_id LIKE ? AND ser_change IS NOT NULL", (step,)
            ).fetchone()
            if found is not None:
                changed = bytearray(found[1])
                changed[-20] ^= 0x10
                kept.execute("UPDATE snaps SET ser_change = ? WHERE rowid = ?", (bytes(changed), found[0]))
                return
    pytest.fail(f"nothing is kept for {step}")
