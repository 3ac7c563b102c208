"""The state directory, with the real engine killed in it: whole states go on, anything else is refused with words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from bytewax.recovery import init_db_dir

from canonical.errors import Terminal
from dataflows.state import State
from tests.dataflows.keeping import PARTS, SHAPE

ROOT = Path(__file__).parents[2]


def kept(directory: Path, last: int, kill_at: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.dataflows.keeping", str(directory), str(last), str(kill_at)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def opened(directory: Path) -> State:
    return State(directory, SHAPE, PARTS, init_db_dir)


@pytest.fixture(scope="module")
def killed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state whose run was killed after some epochs: what it wrote last is in the -wal files."""
    directory = tmp_path_factory.mktemp("killed") / "state"
    assert kept(directory, 100, kill_at=40).returncode == -9
    return directory


@pytest.fixture
def killed(killed_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(killed_once, tmp_path / "killed"))


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """A state whose run ended in good order."""
    assert kept(tmp_path / "state", 40).returncode == 0
    return tmp_path / "state"


def part(directory: Path, number: int, more: str = "") -> Path:
    return directory / "parts" / f"part-{number}.sqlite3{more}"


def test_runs_killed_anywhere_go_on_exactly(tmp_path: Path) -> None:
    rng = Random(5)
    at = 1
    assert kept(tmp_path / "state", 300, kill_at=at).returncode == -9
    while at < 250:
        at += rng.choice([1, 2, 40, 60])
        assert kept(tmp_path / "state", 300, kill_at=at).returncode == -9
    again = kept(tmp_path / "state", 300)
    assert again.returncode == 0, again.stderr
    assert kept(tmp_path / "state", 307).stdout.split() == ["307"], "seven numbers touch every key"


def test_a_state_is_private(stopped: Path) -> None:
    assert stopped.stat().st_mode & 0o777 == 0o700
    stopped.chmod(0o755)
    opened(stopped).close()
    assert stopped.stat().st_mode & 0o777 == 0o700


def test_a_second_run_is_refused_while_the_first_holds_it(killed: Path) -> None:
    first = opened(killed)
    with pytest.raises(Terminal, match=rf"is in use by process {os.getpid()} on .*two runs on one state"):
        opened(killed)
    first.close()
    opened(killed).close()


def test_the_state_of_another_job_is_refused_naming_what_differs(stopped: Path) -> None:
    with pytest.raises(Terminal, match=r"another job or release \(shards was 2, is 3\)"):
        State(stopped, {**SHAPE, "shards": 3}, PARTS, init_db_dir)
    opened(stopped).close()


def lose(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def spoil(path: Path) -> None:
    """Another byte in the first frame of a -wal, or in the tables of a part."""
    content = bytearray(path.read_bytes())
    place = 100 if path.name.endswith("-wal") else 4096 + 5
    content[place] ^= 0x55
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("parts/part-1.sqlite3-wal", lose, r"part-1.sqlite3-wal is missing"),
        ("parts/part-1.sqlite3-wal", cut, r"part-1.sqlite3 is from epoch \d+, though epoch 3\d was kept"),
        ("parts/part-1.sqlite3-wal", spoil, r"part-1.sqlite3 .*"),
        ("parts/part-1.sqlite3", lose, r"part-1.sqlite3 is missing"),
        ("parts/part-1.sqlite3", cut, r"part-1.sqlite3 is damaged"),
        ("parts/manifest.json", lose, r"manifest.json is missing"),
        ("parts/manifest.json", cut, r"manifest.json is damaged"),
        ("parts", shutil.rmtree, r"parts is missing, with all that was kept"),
        ("mark.json", cut, r"mark.json is damaged"),
    ],
)
def test_what_is_lost_or_damaged_is_refused_every_time(
    killed: Path, name: str, damage: Callable[[Path], object], words: str
) -> None:
    damage(killed / name)
    for _ in range(2):
        with pytest.raises(Terminal, match=f"{words}.*restore the directory from a copy"):
            opened(killed)


def test_every_byte_of_a_parts_schema_is_looked_at(stopped: Path) -> None:
    spoil(part(stopped, 2))
    with pytest.raises(Terminal, match=r"part-2.sqlite3 is damaged"):
        opened(stopped)


def test_swapped_parts_are_refused(stopped: Path) -> None:
    part(stopped, 0).rename(part(stopped, 9))
    part(stopped, 1).rename(part(stopped, 0))
    part(stopped, 9).rename(part(stopped, 1))
    with pytest.raises(Terminal, match="parts were swapped or mixed"):
        opened(stopped)


def test_a_part_of_another_state_is_refused(stopped: Path, killed: Path) -> None:
    shutil.copy(part(killed, 0), part(stopped, 0))
    with pytest.raises(Terminal, match="parts were swapped or mixed"):
        opened(stopped)


def test_a_part_too_many_is_refused(stopped: Path) -> None:
    shutil.copy(part(stopped, 0), part(stopped, PARTS))
    with pytest.raises(Terminal, match=r"part-3\.sqlite3 does not belong to this state"):
        opened(stopped)


def test_an_older_copy_of_one_part_is_refused(stopped: Path, tmp_path: Path) -> None:
    shutil.copy(part(stopped, 0), tmp_path / "older")
    assert kept(stopped, 60).returncode == 0
    shutil.copy(tmp_path / "older", part(stopped, 0))
    with pytest.raises(Terminal, match=r"part-0.sqlite3 is from epoch \d+, though epoch \d+ was kept"):
        opened(stopped)


def test_a_copy_of_the_whole_directory_goes_on(killed: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(killed, tmp_path / "copy")
    assert kept(killed, 100).returncode == 0
    assert kept(Path(copy), 100).returncode == 0


def test_a_crash_while_making_a_state_leaves_none(tmp_path: Path) -> None:
    def crash(parts: Path, _: int) -> None:
        parts.joinpath("part-0.sqlite3").write_bytes(b"")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        State(tmp_path / "state", SHAPE, PARTS, crash)
    state = opened(tmp_path / "state")
    assert state.is_new
    state.close()
