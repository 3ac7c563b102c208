"""`sellable`: the one command. Each file in `dataflows/commands` adds one word to it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

from canonical.errors import Terminal, Transient
from dataflows import commands

DONE, FAILED, USAGE = 0, 1, 2
EPILOG = """\
start here:
  sellable demo                                   a retailer's day, simulated, run and reported, in under a minute
  sellable simulate --output day --orders 20000   make a day's worth of events
  sellable run --input day --output out           turn events into availability, lifecycle and dead letters
  sellable explain SKU --output out               how a number comes about, term by term
  sellable trace ORDER_ID --output out            one order's life across all systems

exit codes: 0 done; 1 a fault of ours or of the world; 2 bad usage or configuration.
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line, from the files in `dataflows/commands`."""
    root = argparse.ArgumentParser(
        prog="sellable",
        description="How many of every SKU can still be sold, which order is stuck, what each channel must be told.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    words = root.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in sorted(module.name for module in iter_modules(commands.__path__)):
        import_module(f"dataflows.commands.{module}").add(words)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Faults end as one sentence on stderr, bugs as a traceback."""
    args = parser().parse_args(arguments)
    try:
        code: int = args.run(args)
    except Terminal as fault:
        print(f"sellable {args.command}: {fault}", file=sys.stderr)
        return USAGE
    except (Transient, OSError) as fault:
        print(f"sellable {args.command}: {fault}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"sellable {args.command}: interrupted", file=sys.stderr)
        return FAILED
    return code


if __name__ == "__main__":
    sys.exit(main())
