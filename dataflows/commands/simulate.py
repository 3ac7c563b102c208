"""`sellable simulate`: a retailer's days with known truth, to try things on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

EPILOG = """\
examples:
  sellable simulate --output day --orders 20000 --skus 2000 --seed 7
  sellable simulate --output day --orders 20000 --faults all --seed 11
  sellable simulate --output day --faults duplicates,oversell,wrong_item

The same arguments give the same bytes on every machine. Beside the events it writes truth.ndjson (the true final
stock, and every fault with the exception or dead letter it must lead to) and sellable.toml (the configuration
that fits: pools, channels, deadlines).
"""


def add(words: Any) -> None:
    from sources.simulator import FAULTS, Scenario

    names = "\n".join(f"  {name:18} {sentence}" for name, sentence in FAULTS.items())
    command = words.add_parser(
        "simulate",
        help="make a retailer's days with known truth",
        description=__doc__,
        epilog=f"{EPILOG}\nfaults:\n{names}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    default = Scenario()
    command.add_argument("--output", required=True, type=Path, metavar="DIR")
    command.add_argument(
        "--orders", type=int, default=default.orders, metavar="N", help=f"default {default.orders}"
    )
    command.add_argument(
        "--skus", type=int, default=default.skus, metavar="N", help=f"default {default.skus}"
    )
    command.add_argument(
        "--channels", default=",".join(default.channels), metavar="A,B", help="names, by commas"
    )
    command.add_argument(
        "--days", type=int, default=default.days, metavar="N", help=f"default {default.days}"
    )
    command.add_argument(
        "--seed", type=int, default=default.seed, metavar="N", help=f"default {default.seed}"
    )
    command.add_argument(
        "--faults", default="none", metavar="all|none|NAMES", help="which faults to plant (default none)"
    )
    command.add_argument("--json", action="store_true", help="print the summary as JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import dataclasses
    import json

    from sources.simulator import Scenario, simulate

    try:
        channels = tuple(name.strip() for name in args.channels.split(","))
        scenario = Scenario(args.orders, args.skus, channels, args.days, args.seed, args.faults)
    except ValueError as error:
        print(f"sellable simulate: {error}", file=sys.stderr)
        return 2
    args.output.mkdir(parents=True, exist_ok=True)
    moving = sys.stderr.isatty()

    def progress(placed: int, orders: int) -> None:
        if moving:
            end = "\n" if placed >= orders else ""
            print(f"\r{placed:,} of {orders:,} orders", end=end, file=sys.stderr, flush=True)

    summary = simulate(scenario, args.output, progress)
    if args.json:
        print(json.dumps(dataclasses.asdict(summary), indent=2, default=str))
    else:
        faults = sum(summary.faults.values())
        planted = f", {faults:,} faults planted" if faults else ""
        print(
            f"{args.output}: {summary.orders:,} orders, {summary.events:,} events{planted}, until {summary.as_of}"
        )
    return 0
