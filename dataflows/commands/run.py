"""`sellable run`: events in, availability, lifecycle and dead letters out."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from canonical.errors import Terminal
from canonical.stanza import duration
from dataflows.brokers import Brokers, hosts, place

EPILOG = """\
examples:
  sellable run --input day --output out
  sellable run --input day --output out --workers 2          two processes, the same result
  sellable run --input day --output out --state state        killed and started again, it goes on where it was
  sellable run --input kafka://k-1:9092,k-2:9092 --output kafka://k-1:9092 --state state       for ever, live
  sellable run --input day --output out --config shop.toml --as-of 2026-03-02T00:00:00Z

input: orders.ndjson, shipments.ndjson, inventory.ndjson, returns.ndjson, postings.ndjson, products.ndjson,
listings.ndjson, or folders of those names with *.ndjson; also .gz and .zst; any may be missing.
Topics (`sellable topics create`) are read for ever, with --until-end to where they end now; TLS and SASL: [kafka].
A run without --state starts its outputs anew; with --state it resumes.

jobs: `all` is the main job with Parquet snapshots beside it; `availability` the main job alone; `snapshots` reads the
streams another run writes (--input) and publishes Parquet below --output; `channel-feed` follows the channel-updates of
another run (--output), tells the channels through their drivers, and leaves their answers below --input for the next
ingest, until it is stopped (--until-end: until all that is there is told and answered).
"""


JOBS = ("all", "availability", "snapshots", "channel-feed")


def add(words: Any) -> None:
    command = words.add_parser(
        "run",
        help="turn events into availability, lifecycle and dead letters",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _places(command)
    _manner(command)
    _cluster(command)
    command.set_defaults(run=run)


def _places(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--input",
        required=True,
        type=somewhere,
        metavar="DIR|kafka://HOST:PORT[,…]",
        help="where events come from: a directory of files, or topics",
    )
    command.add_argument(
        "--output",
        required=True,
        type=somewhere,
        metavar="DIR|kafka://HOST:PORT[,…]",
        help="where goes what comes out",
    )
    command.add_argument(
        "--local",
        type=Path,
        metavar="DIR",
        help="with topics as output: where the counts go (default: local, in the state directory)",
    )
    command.add_argument(
        "--until-end", action="store_true", help="read topics to where they end at the start, not for ever"
    )
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML configuration (default: one pool, default deadlines)",
    )
    command.add_argument(
        "--state", type=Path, metavar="DIR", help="keep state here, so that a killed run resumes"
    )


def _manner(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as-of",
        type=moment,
        metavar="TIME",
        help="where time stands at the end (default: the latest event)",
    )
    command.add_argument(
        "--workers", type=positive, default=1, metavar="N", help="processes to share the work (default 1)"
    )
    command.add_argument("--job", choices=JOBS, default="all", help="which job (default all)")
    command.add_argument(
        "--epoch",
        type=length,
        default=timedelta(seconds=10),
        metavar="10s",
        help="time between two durable moments",
    )
    command.add_argument("--strict", action="store_true", help="exit 1 if there were dead letters")
    command.add_argument("--json", action="store_true", help="print the summary as JSON")


def _cluster(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--process-id", type=int, metavar="N", help="which process of a cluster this is, from 0"
    )
    command.add_argument(
        "--addresses",
        type=addresses,
        default=(),
        metavar="HOST:PORT;…",
        help="where the processes of the cluster find each other, in the order of their numbers",
    )
    command.add_argument("--child", action="store_true", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    from dataflows import running

    if args.job == "channel-feed":
        running.feed_of(args)
        return 0
    if args.job == "snapshots":
        running.snapshots_of(args)
        return 0
    if args.process_id is not None:
        running.member(args)
        return 0
    summary = running.all_of(args)
    print(summary.as_json() if args.json else summary.as_table(colour=sys.stdout.isatty()))
    if summary.whole and not summary.adds_up:
        print(
            "sellable run: the counts do not add up: this is a bug of ours, please report it", file=sys.stderr
        )
        return 1
    return 1 if args.strict and summary.dead_letters else 0


def somewhere(text: str) -> Path | Brokers:
    try:
        return place(text)
    except Terminal as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def addresses(text: str) -> tuple[str, ...]:
    try:
        return tuple(hosts(one) for one in text.split(";"))
    except Terminal as error:
        raise argparse.ArgumentTypeError(str(error).replace("broker", "address")) from error


def moment(text: str) -> datetime:
    """An RFC 3339 time with a zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time like 2026-03-01T10:00:00Z") from error
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no zone: write {text}Z for UTC")
    return time


def positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    if int(text) > (os.cpu_count() or 1) * 4:
        raise argparse.ArgumentTypeError(
            f"{text} processes on {os.cpu_count()} cores would only slow each other"
        )
    return int(text)


def length(text: str) -> timedelta:
    try:
        return duration(text)
    except (ValueError, Terminal) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
