"""The house rules that no linter knows: names, sizes, reasons, the locks and the top level."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("canonical", "operators", "sources", "sinks", "dataflows")
LOCKS = ("requirements.lock", "requirements-dev.lock")

CATCH_ALL = {"util", "utils", "common", "helper", "helpers", "misc"}
FILE_LINES = 260
TABLE_LINES = 300
"""Tests may be a little longer: their tables are read a row at a time."""
FUNCTION_LINES = 60
# Path of a longer file -> why it reads better in one piece. An entry that is no longer needed fails too.
LONG_FILES: dict[str, str] = {
    "tests/dataflows/test_channel_feed_in_run.py": "one law of the feed, tried from every side on one simulated day",
}

TOP_LEVEL = {
    *PACKAGES,
    *LOCKS,
    "tests",
    "k8s",
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "DEVELOPERS.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "pyproject.toml",
}

# Either `name==version \`, perhaps with a marker, or one of its hashes: no host, no path, no option of pip.
LOCK_LINE = re.compile(
    r"[a-z0-9][a-z0-9-]*==[\w.!+]+( ; [\w.<>=!'() ]+)? \\"
    r"|    --hash=sha256:[0-9a-f]{64}( \\)?"
)


def modules(*folders: str) -> list[Path]:
    """Every Python file under the folders, in a stable order."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


SOURCES = modules(*PACKAGES)
ALL_CODE = modules(*PACKAGES, "tests")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name(path))


def imported(path: Path) -> set[str]:
    """The top names of every module the file imports, at whatever depth it does so."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def importers(paths: Iterable[Path], *names: str) -> list[str]:
    return [name(path) for path in paths if imported(path) & set(names)]


def tracked() -> list[str]:
    """Every path git knows; a copy without git history cannot be asked."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git work tree")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607  git is found on the PATH wherever it is installed
    return [entry for entry in listing.stdout.split("\0") if entry]


def requirements() -> list[Requirement]:
    """Every dependency that pyproject.toml states, of the program and of its developers."""
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [read["project"]["dependencies"], *read["dependency-groups"].values()]
    return [Requirement(line) for group in groups for line in group]


def pins(lock: str) -> dict[str, str]:
    """Name -> exact version, as the lock states it."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    heads = [line.split(" ")[0] for line in lines if not line.startswith(" ")]
    return {package: version for package, _, version in (head.partition("==") for head in heads)}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_a_catch_all() -> None:
    paths = [name(path) for path in ALL_CODE]
    assert [path for path in paths if CATCH_ALL & set(re.split("[/._]", path))] == []


def test_every_file_can_be_read_in_one_sitting() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ALL_CODE}
    limit = {path: TABLE_LINES if path.startswith("tests/") else FILE_LINES for path in lengths}
    long = {path: length for path, length in lengths.items() if length > limit[path]}
    assert {path: length for path, length in long.items() if path not in LONG_FILES} == {}
    assert [path for path in LONG_FILES if path not in long] == [], "no longer long"
    assert [path for path, reason in LONG_FILES.items() if len(reason) < 20] == [], "say why"


def test_every_function_can_be_seen_in_one_look() -> None:
    long = [
        f"{name(path)}:{function.lineno} {function.name} has {lines} lines"
        for path in ALL_CODE
        for function in functions(path)
        if (lines := (function.end_lineno or function.lineno) - function.lineno + 1) > FUNCTION_LINES
    ]
    assert long == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X)\b")
    left = [
        f"{name(path)}:{number}"
        for path in [*ALL_CODE, ROOT / "Makefile", ROOT / "pyproject.toml"]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if later.search(line)
    ]
    assert left == []


def test_no_path_of_somebodys_machine() -> None:
    machine = re.compile(r"(?<![\w.:/-])/(root|home|work|Users)/\w")
    texts = [*ALL_CODE, *(ROOT / entry for entry in (*LOCKS, "Makefile", "pyproject.toml", "CHANGELOG.md"))]
    assert [name(path) for path in texts if machine.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed_and_says_what_it_is(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert ast.get_docstring(tree(ROOT / package / "__init__.py"))


def test_the_engine_is_spoken_in_exactly_one_file() -> None:
    assert importers(SOURCES, "bytewax") == ["dataflows/engine.py"]


def test_no_state_is_pickled() -> None:
    assert importers(SOURCES, "pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve") == []


def test_nouns_and_verbs_are_told_the_time() -> None:
    asked = [
        f"{name(path)}:{node.lineno}"
        for path in modules("canonical", "operators")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
        if isinstance(node.value, ast.Name | ast.Attribute)
        if ast.unparse(node.value).rpartition(".")[2] in {"datetime", "date"}
    ]
    assert asked == []


def test_every_dependency_and_every_lint_exception_has_a_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    entries = [line.strip() for line in lines if re.match(r'\s+"[^"]+",', line)]
    explained = [entry for entry in entries if re.search(r'",\s+# \S.{9,}', entry)]
    # Classifiers and options of pytest speak for themselves.
    assert [entry for entry in entries if entry not in explained and not re.match('"-|.* :: ', entry)] == []
    assert {str(requirement) for requirement in requirements()} <= {
        entry.split('"')[1] for entry in explained
    }


def test_every_silenced_line_says_why() -> None:
    silenced = re.compile(
        r"#\s*(?:noqa|type: ignore)\b(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[\w, -]+\])?(?P<why>.*)"
    )
    mute = [
        f"{name(path)}:{number}"
        for path in ALL_CODE
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := silenced.search(line)) and len(found["why"].strip(" #-")) < 10
        if path != Path(__file__).resolve()
    ]
    assert mute == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_names_versions_and_hashes_only(lock: str) -> None:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not LOCK_LINE.fullmatch(line)] == []
    pairs = zip(lines, [*lines[1:], ""], strict=True)
    assert [line for line, after in pairs if line.endswith("\\") and "--hash" not in after] == []


def test_the_locks_are_of_this_pyproject_and_agree() -> None:
    runtime, everything = (pins(lock) for lock in LOCKS)
    assert runtime.items() <= everything.items()
    wrong = [
        str(wanted) for wanted in requirements() if everything.get(wanted.name, "0") not in wanted.specifier
    ]
    assert wrong == []


def test_the_top_level_holds_only_what_belongs_there() -> None:
    assert {entry.partition("/")[0] for entry in tracked()} <= TOP_LEVEL
