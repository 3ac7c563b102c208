"""`sellable trace`: one order's life across all systems: milestones, the time between them, lines and events."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

EPILOG = """\
examples:
  sellable trace o-0000123 --output out
  sellable trace o-0000123 --output out --json
"""


def add(words: Any) -> None:
    command = words.add_parser(
        "trace",
        help="one order's life across all systems",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("order_id", metavar="ORDER_ID")
    command.add_argument("--output", required=True, type=Path, metavar="DIR", help="the output of a run")
    command.add_argument(
        "--input", type=Path, metavar="DIR", help="where the run's input is now, if it has moved"
    )
    command.add_argument("--json", action="store_true", help="for scripts")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import msgspec

    from dataflows import past
    from dataflows.showing import Page
    from dataflows.tracing import trace

    found = trace(past.plan_of(args.output, args.input), args.order_id)
    if found is None:
        print(f"sellable trace: no event names order {args.order_id}", file=sys.stderr)
        return 1
    exceptions = past.exceptions(args.output, "order_id", args.order_id)
    if args.json:
        document = {**msgspec.to_builtins(found), "exceptions": exceptions}
        print(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        page = Page(colour=sys.stdout.isatty())
        page.trace(found)
        page.exceptions(exceptions)
        print(page.text())
    return 0
