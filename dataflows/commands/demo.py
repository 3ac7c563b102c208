"""`sellable demo`: a retailer's day, simulated, run and shown, in under a minute."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EPILOG = """\
A day of 6,000 orders on three channels with every fault the simulator knows: duplicates, late and malformed
events, stalls, miscounts, oversells. Everything it makes stays in the directory, to look around in.
"""


def add(words: Any) -> None:
    command = words.add_parser(
        "demo",
        help="a retailer's day, simulated, run and shown, in under a minute",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--directory", type=Path, default=Path("demo"), metavar="DIR", help="default ./demo")
    command.add_argument("--orders", type=int, default=6_000, metavar="N", help="default 6000")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from dataflows.showcase import show

    return show(args.directory, args.orders)
