"""The snapshots job follows files that grow, are cut back by a resumed run, or started anew by another."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from canonical.policy import Policy
from dataflows.__main__ import main
from dataflows.snapshots import Following, beside, follow
from sinks.parquet.catalog import faults
from sinks.parquet.store import store_of
from sources.simulator import Scenario, simulate
from tests.driving import drive
from tests.histories import history, time_of
from tests.oracle import Result, oracle
from tests.sinks.parquet.telling import at, changes, lines, manifests, policy, stock, table

MILESTONES = ("placed", "accepted", "shipped", "delivered", "cancelled", "rejected", "returned", "refunded")


def tell(output: Path, *records: msgspec.Struct, stem: str = "availability", mode: str = "ab") -> None:
    with (output / f"{stem}.ndjson").open(mode) as file:
        file.writelines(lines(*records))


def versions(output: Path) -> dict[str, int]:
    return {row["sku"]: row["version"] for row in table(output, "availability")}


def test_a_job_goes_on_where_the_last_one_stood(tmp_path: Path) -> None:
    tell(tmp_path, stock("s1", 1, minutes=1))
    follow(Following(tmp_path, policy()))
    tell(tmp_path, stock("s2", 1, minutes=2))
    with (tmp_path / "availability.ndjson").open("ab") as file:
        file.write(lines(stock("s3", 1))[0][:-9])  # a line that is being written
    follow(Following(tmp_path, policy()))
    assert versions(tmp_path) == {"s1": 1, "s2": 1}
    assert [m.watermark for m in manifests(tmp_path)] == [at(1), at(2)]
    with (tmp_path / "availability.ndjson").open("ab") as file:
        file.write(lines(stock("s3", 1))[0][-9:])
    follow(Following(tmp_path, policy(), as_of=at(60)))
    assert versions(tmp_path) == {"s1": 1, "s2": 1, "s3": 1}
    assert manifests(tmp_path)[-1].watermark == at(60)
    assert changes(tmp_path, "availability").height == 3


@pytest.mark.parametrize("shorter", [True, False])
def test_a_file_that_a_resumed_run_cut_back_is_read_again(tmp_path: Path, shorter: bool) -> None:
    before = [stock(f"s{n:03d}", 1) for n in range(400)]  # more than the fingerprint of the start
    tell(tmp_path, *before, stock("a", 1), stock("b", 1), stock("c", 1))
    follow(Following(tmp_path, policy()))
    after = [stock("b", 1), stock("a", 2)] + (
        [] if shorter else [stock("c", 1), stock("d", 1), stock("e", 1)]
    )
    tell(tmp_path, *before, *after, mode="wb")
    follow(Following(tmp_path, policy()))
    told = versions(tmp_path)
    assert (told["a"], told["b"], told["c"], len(told)) == (2, 1, 1, 403 if shorter else 405)
    assert changes(tmp_path, "availability").height == len(told) + 1, "what was known is no news"
    assert list(faults(store_of(tmp_path))) == []


def test_another_runs_files_start_the_snapshots_anew(tmp_path: Path) -> None:
    tell(tmp_path, stock("old", 7))
    follow(Following(tmp_path, policy()))
    tell(tmp_path, stock("new", 1), stock("new", 2), mode="wb")
    follow(Following(tmp_path, policy()))
    assert versions(tmp_path) == {"new": 2}
    assert changes(tmp_path, "availability")["sku"].to_list() == ["new", "new"]


def test_a_run_without_state_starts_the_snapshots_anew(tmp_path: Path) -> None:
    for plan in (Following(tmp_path, policy()), Following(tmp_path, policy(), anew=True)):
        tell(tmp_path, stock("s1", 1), mode="wb")
        follow(plan)
        assert changes(tmp_path, "availability").height == 1
        assert [m.number for m in manifests(tmp_path)] == [1]
        tell(tmp_path, stock("s1", 2))
        follow(Following(tmp_path, policy()))


def test_a_file_that_was_put_away_is_no_reason_to_forget(tmp_path: Path) -> None:
    tell(tmp_path, stock("s1", 7))
    follow(Following(tmp_path, policy()))
    (tmp_path / "availability.ndjson").unlink()
    follow(Following(tmp_path, policy()))
    assert versions(tmp_path) == {"s1": 7}


def test_beside_a_run_it_publishes_on_the_way_and_at_the_end(tmp_path: Path) -> None:
    marks: list[datetime] = [at(0)]
    plan = Following(tmp_path, policy(every="1s"), watermark=lambda: marks[-1])
    with beside(plan):
        deadline = time.monotonic() + 30
        version = 0
        while len(manifests(tmp_path)) < 2 and time.monotonic() < deadline:
            version += 1
            tell(tmp_path, stock("s1", version))
            marks.append(at(version))
            time.sleep(0.05)
    on_the_way = manifests(tmp_path)
    assert len(on_the_way) >= 3
    assert versions(tmp_path) == {"s1": version}
    assert on_the_way[-1].watermark == at(version)
    for manifest in on_the_way:  # a record is told before the watermark that covers it
        assert at(table(tmp_path, "availability", manifest)[0]["version"]) >= manifest.watermark


def test_a_run_that_failed_does_not_stand_at_its_end(tmp_path: Path) -> None:
    tell(tmp_path, stock("s1", 1, minutes=30))
    with pytest.raises(ZeroDivisionError), beside(Following(tmp_path, policy(), as_of=at(600))):
        raise ZeroDivisionError
    assert [m.watermark for m in manifests(tmp_path)] == [at(20)]  # the greatest time told, less the lateness


def test_what_fails_in_the_thread_is_raised_by_the_run(tmp_path: Path) -> None:
    (tmp_path / "availability.ndjson").write_text('{"sku": "s1", "colour": "red"}\n')
    with pytest.raises(Exception, match="of one release"), beside(Following(tmp_path, policy())):
        pass


@pytest.mark.parametrize("seed", [3, 14, 15, 92])
def test_a_snapshot_is_the_fold_of_the_events_up_to_it(tmp_path: Path, seed: int) -> None:
    told = history(seed)
    settings = Policy.model_validate(told.config.settings())
    for share in (0.3, 0.6, 0.8, 1.0):
        events = told.events[: int(len(told.events) * share)]
        outcome = drive([events[:9], events[9:]], settings)
        for stem in ("availability", "lifecycle"):
            with (tmp_path / f"{stem}.ndjson").open("ab") as file:
                file.write(msgspec.json.Encoder().encode_lines(outcome.told.get(stem, [])))
        now = max(time_of(event) for event in events)
        follow(Following(tmp_path, settings, as_of=now))
        assert manifests(tmp_path)[-1].watermark == now
        assert _shown(tmp_path) == _true(oracle(events, told.config))


def _shown(root: Path) -> dict[str, Any]:
    """What the tables say, put in one shape."""
    states = {
        row["order_id"]: (row["state"], row["version"], [row[f"{name}_at"] for name in MILESTONES])
        for row in table(root, "lifecycle")
    }
    return {
        "ats": {
            (row["sku"], row["pool"]): (row["ats"], row["shortage"]) for row in table(root, "availability")
        },
        "free": {(row["sku"], row["location"]): row["free"] for row in table(root, "locations")},
        "state": states,
        "open": sorted((row["order_id"], row["line_id"], row["open"]) for row in table(root, "order_lines")),
    }


def _true(truth: Result) -> dict[str, Any]:
    """What the oracle says, in the same shape."""

    def moment(text: str | None) -> datetime | None:
        return None if text is None else datetime.fromisoformat(text)

    sold, orders = truth.availability.items(), truth.lifecycle.items()
    return {
        "ats": {
            (sku, p["pool"]): (p["ats"], record["shortage"]) for sku, record in sold for p in record["pools"]
        },
        "free": {(sku, at["location"]): at["free"] for sku, record in sold for at in record["locations"]},
        "state": {
            key: (r["state"], r["version"], [moment(r["milestones"].get(name)) for name in MILESTONES])
            for key, r in orders
        },
        "open": sorted((key, line["line_id"], line["open"]) for key, r in orders for line in r["lines"]),
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small day, run, and its snapshot."""
    folder = tmp_path_factory.mktemp("ran")
    simulate(Scenario(orders=200, skus=30, seed=3), folder / "day")
    assert main(["run", "--input", str(folder / "day"), "--output", str(folder / "out")]) == 0
    follow(Following(folder / "out", Policy()))
    return folder / "out"


def test_the_tables_of_a_whole_run_hold_its_last_records(ran: Path) -> None:
    last = {}
    for line in (ran / "availability.ndjson").read_bytes().splitlines():
        record = json.loads(line)
        last[record["sku"]] = record["version"]
    assert versions(ran) == last


def test_snapshots_are_listed_checked_and_shown(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--output", str(ran)]
    assert main(["snapshots", "list", *where]) == 0
    assert manifests(ran)[-1].snapshot in capsys.readouterr().out
    assert main(["snapshots", "verify", *where]) == 0
    assert f"{len(manifests(ran))} snapshots: every file" in capsys.readouterr().out
    sku = min(versions(ran))
    assert main(["snapshots", "show", "availability", *where, "--key", sku, "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["sku"] for row in shown] == [sku] * len(shown)
    assert main(["snapshots", "show", "order_lines", *where]) == 0
    assert "more (--json lists them" in capsys.readouterr().out


def test_what_cannot_be_shown_is_said(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshots", "show", "prices", "--output", str(ran)]) == 2
    assert "there are: availability, locations" in capsys.readouterr().err
    assert (
        main(["snapshots", "show", "locations", "--output", str(ran), "--as-of", "1999-01-01T00:00:00Z"]) == 1
    )
    assert "no snapshot that old" in capsys.readouterr().err


def test_verify_fails_where_a_file_was_touched(
    ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "meta/manifests").mkdir(parents=True)
    manifest = manifests(ran)[-1]
    name = f"meta/manifests/{manifest.snapshot}.json"
    (tmp_path / name).write_bytes((ran / name).read_bytes())
    assert main(["snapshots", "verify", "--output", str(tmp_path), "--json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["faults"]) >= 6


def test_the_data_dictionary_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--format", "tables"]) == 0
    assert (
        "available to sell"
        in json.loads(capsys.readouterr().out)["tables"]["availability"]["columns"]["ats"]["meaning"]
    )
