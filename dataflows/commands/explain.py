"""`sellable explain`: how a SKU's number comes about, every term of it, with the events behind each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

EPILOG = """\
examples:
  sellable explain sku-00017 --output out
  sellable explain sku-00017 --output out --pool east
  sellable explain sku-00017 --output out --json

The events are read again from the input of the run (--input DIR where it has moved) and folded by the job's own
rules; the result is checked against what the run told last.
"""


def add(words: Any) -> None:
    command = words.add_parser(
        "explain",
        help="how a number comes about, term by term",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("sku", metavar="SKU")
    command.add_argument("--output", required=True, type=Path, metavar="DIR", help="the output of a run")
    command.add_argument(
        "--input", type=Path, metavar="DIR", help="where the run's input is now, if it has moved"
    )
    command.add_argument("--pool", metavar="P", help="only this pool and its locations")
    command.add_argument("--json", action="store_true", help="for scripts")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    import msgspec

    from dataflows import past
    from dataflows.explaining import explain
    from dataflows.showing import Page

    plan = past.plan_of(args.output, args.input)
    explanation = explain(plan, args.sku)
    if explanation is None:
        print(f"sellable explain: no event names {args.sku}", file=sys.stderr)
        return 1
    pools = {pool.pool for pool in explanation.record.pools}
    if args.pool is not None and args.pool not in pools:
        print(
            f"sellable explain: no pool {args.pool}; there are: {', '.join(sorted(pools))}", file=sys.stderr
        )
        return 2
    told = past.last(args.output, "availability", "sku", args.sku)
    agrees = told is not None and told == msgspec.to_builtins(explanation.record)
    if args.json:
        found = past.exceptions(args.output, "sku", args.sku)
        document = {**msgspec.to_builtins(explanation), "agrees_with_run": agrees, "exceptions": found}
        print(msgspec.json.format(msgspec.json.encode(document)).decode())
    else:
        places = None if args.pool is None else plan.policy.pools.get(args.pool)
        page = Page(colour=sys.stdout.isatty())
        page.explanation(explanation, args.pool, places, agrees=agrees)
        page.exceptions(past.exceptions(args.output, "sku", args.sku))
        print(page.text())
    return 0 if agrees else 1
