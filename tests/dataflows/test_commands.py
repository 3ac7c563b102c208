"""The command line: what it says when all is well, and how it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dataflows.__main__ import main
from sources.simulator import Scenario, simulate


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small clean day, run; its output, the day beside it."""
    folder = tmp_path_factory.mktemp("ran")
    simulate(Scenario(orders=300, skus=40, seed=3), folder / "day")
    assert main(["run", "--input", str(folder / "day"), "--output", str(folder / "out")]) == 0
    return folder / "out"


def skus(output: Path) -> list[str]:
    with (output / "availability.ndjson").open("rb") as lines:
        return sorted({json.loads(line)["sku"] for line in lines})


def test_every_explanation_adds_up_to_what_the_run_told(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for sku in skus(ran):
        assert main(["explain", sku, "--output", str(ran), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["agrees_with_run"]
        for place in told["places"]:
            terms = {term["name"]: term["units"] for term in place["terms"]}
            held_back = terms["unavailable"] + terms["committed"] + terms["pending_issue"]
            assert place["free"] == terms["on_hand"] - held_back
            for term in place["terms"]:
                assert term["units"] == sum(fact["units"] for fact in term["facts"])


def test_every_movement_explained_names_its_event(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", skus(ran)[0], "--output", str(ran), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    on_hand = [fact for place in told["places"] for fact in place["terms"][0]["facts"]]
    assert on_hand
    assert all(fact["events"] and "?" not in fact["events"] for fact in on_hand)


def test_explain_says_when_the_input_has_changed(
    ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulate(Scenario(orders=300, skus=40, seed=4), tmp_path)
    assert main(["explain", skus(ran)[0], "--output", str(ran), "--input", str(tmp_path)]) == 1
    assert "this differs from what the run told last" in capsys.readouterr().out


def test_a_trace_tells_the_time_between_milestones(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (ran / "lifecycle.ndjson").open("rb") as lines:
        order = max(map(json.loads, lines), key=lambda record: record["version"])
    assert main(["trace", order["order_id"], "--output", str(ran), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {m["name"]: m["at"] for m in told["milestones"]} == order["milestones"]
    assert len(told["events"]) == order["version"]
    assert [m["after_seconds"] is None for m in told["milestones"]][:2] == [True, False]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["explain", "no-such-sku"], 1, "no event names no-such-sku"),
        (["trace", "no-such-order"], 1, "no event names order no-such-order"),
    ],
)
def test_an_unknown_key_is_said_to_be_unknown(
    ran: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    assert main([*words, "--output", str(ran)]) == code
    assert said in capsys.readouterr().err


def test_an_output_no_run_wrote_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "S", "--output", str(tmp_path)]) == 2
    assert "no run was written here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--input", "nowhere"], "there is no such directory"),
        (["--input", ".", "--as-of", "2026-03-01"], "has no zone"),
        (["--input", ".", "--workers", "0"], "not a whole number above 0"),
        (["--input", ".", "--epoch", "10"], '"90s", "15m", "4h" or "2d"'),
    ],
)
def test_a_run_that_cannot_work_is_refused_with_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    try:
        code = main(["run", *words, "--output", str(tmp_path / "out")])
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 2
    assert said in capsys.readouterr().err


def test_input_and_output_must_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--input", str(tmp_path), "--output", str(tmp_path)]) == 2
    assert "are the same directory" in capsys.readouterr().err


def test_an_input_without_events_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    assert main(["run", "--input", str(tmp_path / "in"), "--output", str(tmp_path / "out")]) == 2
    assert "holds no events" in capsys.readouterr().err
