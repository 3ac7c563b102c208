"""`sellable check`: validate events against the contract, before anybody sends them."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from canonical.errors import REFUSALS
from canonical.topics import STEMS
from dataflows.commands.run import moment

EPILOG = """\
examples:
  sellable check day                                  everything a run would read
  sellable check orders.ndjson inventory/*.ndjson.gz  the topic is in the file's name, or its folder's
  sellable check export.json --stem orders            or is said; without any, all types may be in the file
  sellable check day --json | jq 'select(.code == "missing_field")'

Each fault is one line: FILE:LINE  code  field  sentence. Unknown fields are warnings (a run ignores them),
shown at the first line that has them, and counted. With --json each finding is one object; the summary is the last.
Not checked, because only a run can tell: whether an event is a duplicate, and whether it comes too late.

exit codes: 0 no fault; 1 faults; 2 bad usage.
"""


def add(words: Any) -> None:
    """Describe the command."""
    command = words.add_parser(
        "check",
        help="validate events against the contract",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="plain, .gz, .zst or a directory"
    )
    command.add_argument("--stem", choices=STEMS, metavar="STEM", help=f"the topic: {', '.join(STEMS)}")
    command.add_argument(
        "--as-of", type=moment, metavar="TIME", help="no event may lie after this (default: now)"
    )
    command.add_argument("--json", action="store_true", help="one JSON object per finding, for scripts")
    command.add_argument("--quiet", action="store_true", help="only the summary")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is found; returns the exit code."""
    import msgspec

    from dataflows.checking import Totals, check, inputs

    now = args.as_of or datetime.now(UTC)
    totals = Totals()
    for file in inputs(args.files, args.stem):
        for finding in check(file, now, totals):
            if args.quiet:
                continue
            if args.json:
                print(msgspec.json.encode(finding).decode())
            else:
                word = finding.code if finding.severity == "fault" else f"warning: {finding.code}"
                print(f"{finding.file}:{finding.line}  {word}  {finding.field or '-'}  {finding.sentence}")
    if args.json:
        print(msgspec.json.encode({"severity": "summary", **msgspec.structs.asdict(totals)}).decode())
    else:
        print(_summary(totals))
    return 1 if totals.faults else 0


def _summary(totals: Any) -> str:
    """What was read and, per code, how often it was found and what it means."""
    faults, warnings = totals.faults.total(), totals.warnings.total()
    read = f"{totals.files} files, {totals.lines} lines: {totals.events} events"
    rows = [f"{read}, {faults} faults, {warnings} warnings"]
    from dataflows.checking import DRIFT

    meanings = REFUSALS | {DRIFT: "fields the contract does not know: a run ignores them"}
    for code, count in (*totals.faults.most_common(), *totals.warnings.most_common()):
        rows.append(f"  {count:>9}  {code:<15}  {meanings[code]}")
    return "\n".join(rows)
