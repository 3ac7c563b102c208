"""`make bench`: what the job costs beside a plain flow of the same engine and beside a bare loop.

    .venv/bin/python tests/bench/run.py [--events N] [--repeat N] [--rival-events N] [--long] [--json]

Wall-clock decides; processor time stands beside it, because on a shared machine only that can be trusted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.agreement import agree
from tests.bench.day import day_of
from tests.bench.measure import ROOT
from tests.bench.race import CONTESTANTS, Race, Two, flat, output_of, race, two

GIB = 1024.0
TARGETS = {
    "rival ÷ numbers, recovery on": 10.0,
    "rival ÷ numbers, recovery off": 6.0,
    "numbers ÷ floor": 1.5,
    "two processes": 1.7,
    "1M SKUs + 1M orders, GiB": 4.0,
}


def main() -> None:
    args = asked()
    day = day_of(args.events)
    slice_ = day_of(args.rival_events or args.events)
    racing = {
        name: slice_ if name.startswith("rival") else day for name in CONTESTANTS if name != "job, twin"
    }
    print(f"{args.repeat} rounds of {len(racing)} contestants on {day[1]:,} events", flush=True)
    result = race(racing, args.repeat, args.epoch)
    found: dict[str, Any] = {"events": result.events, "agreement": agreement(slice_ == day)}
    found["two"] = two(day[0], args.repeat, args.epoch)
    sizes = [day_of(size) for size in (100_000, args.events, *([10_000_000] if args.long else []))]
    found["flat"] = flat(sizes, day_of(0)[0], 1 if args.long else args.repeat, args.epoch)
    found["state"] = {kind: state(args.keys, kind) for kind in ("quiet", "all")}
    if args.json:
        print(json.dumps(as_json(result, found), indent=2))
    else:
        show(result, found, args)


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument(
        "--rival-events", type=int, help="a smaller day for the rival; rates are compared then"
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--epoch", type=float, default=10.0, help="seconds between two durable moments, for all"
    )
    parser.add_argument(
        "--keys", type=int, default=100_000, help="open orders, and SKUs, whose state is weighed"
    )
    parser.add_argument("--long", action="store_true", help="ten million events too")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def agreement(same_day: bool) -> dict[str, str]:
    """Whether the others came to the job's numbers; they must, or their speed means nothing."""
    told = {}
    ours = output_of("job") / "records"
    for name in ("numbers", "floor", "rival") if same_day else ("numbers", "floor"):
        for stem, each in agree(ours, output_of(name) / "records").items():
            told[f"{name}, {stem}"] = f"{each.same:,} of {each.keys:,} keys"
            if each.same < each.keys:
                sys.exit(f"{name} and the job disagree on {stem}: {each.first}")
    return told


def state(keys: int, kind: str) -> dict[str, float]:
    call = [sys.executable, "-m", "tests.bench.state", str(keys), str(keys), kind]
    done = subprocess.run(call, cwd=ROOT, check=True, capture_output=True, text=True)
    measures: dict[str, float] = json.loads(done.stdout)
    measures["million_gib"] = million(measures)
    return measures


def million(measures: dict[str, float]) -> float:
    """GiB for a million of both at an epoch's end: all packed, and once more as the snapshot the engine takes."""
    return 2 * measures["packed_bytes_per_pair"] * 1e6 / 2**30 + measures["empty_mib"] / GIB


def verdicts(result: Race, found: dict[str, Any]) -> dict[str, float]:
    processes: Two = found["two"]
    return {
        "rival ÷ numbers, recovery on": result.ratio("rival, recovery", "numbers, recovery"),
        "rival ÷ numbers, recovery off": result.ratio("rival", "numbers"),
        "numbers ÷ floor": result.ratio("numbers", "floor"),
        "two processes": processes.cluster,
        "1M SKUs + 1M orders, GiB": found["state"]["all"]["million_gib"],
    }


def as_json(result: Race, found: dict[str, Any]) -> dict[str, Any]:
    names = list(result.rounds)
    return {
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "events_per_second": {name: round(result.rate(name)) for name in names},
        "processor_us_per_event": {name: round(result.cost(name), 2) for name in names},
        "peak_mib": {name: round(result.peak(name)) for name in names},
        "processor_ratios": {
            "rival ÷ job": result.ratio("rival", "job", "cpu"),
            "rival ÷ job, recovery": result.ratio("rival, recovery", "job, recovery", "cpu"),
            "rival ÷ numbers": result.ratio("rival", "numbers", "cpu"),
            "rival ÷ numbers, recovery": result.ratio("rival, recovery", "numbers, recovery", "cpu"),
            "numbers ÷ floor": result.ratio("numbers", "floor", "cpu"),
            "job ÷ floor": result.ratio("job", "floor", "cpu"),
        },
        "verdicts": {
            name: {"reached": round(value, 2), "target": TARGETS[name]}
            for name, value in verdicts(result, found).items()
        },
        "unrelated_processes": found["two"].unrelated,
        "flat_us_per_event": found["flat"],
        "state": found["state"],
        "agreement": found["agreement"],
    }


def show(result: Race, found: dict[str, Any], args: argparse.Namespace) -> None:
    console = Console(width=110)
    told = as_json(result, found)
    table = Table("contestant", "events", "events/s", "processor µs/event", "peak MiB", title=told["machine"])
    for name in result.rounds:
        rate, cost = f"{result.rate(name):,.0f}", f"{result.cost(name):.1f}"
        table.add_row(name, f"{result.events[name]:,}", rate, cost, f"{result.peak(name):,.0f}")
    console.print(table)
    goals = Table("wall-clock, medians of ratios within rounds", "reached", "target")
    for name, each in told["verdicts"].items():
        goals.add_row(name, f"{each['reached']:.2f}", f"{each['target']:g}")
    console.print(goals)
    console.print({"by processor time": {k: round(v, 2) for k, v in told["processor_ratios"].items()}})
    console.print(f"two unrelated processes: {told['unrelated_processes']:.2f} times one")
    for events, cost in told["flat_us_per_event"].items():
        console.print(f"{events:,} events: {cost:.1f} µs of processor time each, beyond starting")
    console.print({"state": told["state"], "the same last records as the job": told["agreement"]})
    console.print(f"medians of {args.repeat}; epochs of {args.epoch:g} s, and one at the end of the input")


if __name__ == "__main__":
    main()
