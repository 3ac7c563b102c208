"""`sellable snapshots`: what was published for analysts: list it, check it, look into it as of any time."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from dataflows.commands.run import moment

if TYPE_CHECKING:
    from sinks.parquet.manifest import Manifest
    from sinks.parquet.store import Store

SHOWN = 40
EPILOG = """\
examples:
  sellable snapshots list --output out
  sellable snapshots verify --output out                                 every checksum, row count and pointer
  sellable snapshots show availability --output out --as-of 2026-03-02T09:00:00Z
  sellable snapshots show locations --output out --key sku-00017 --json
  sellable snapshots list --output s3://bucket/prefix

--output is the output of a run, or the [snapshots] root where that is somewhere else.
"""


def add(words: Any) -> None:
    """Describe the command."""
    command = words.add_parser(
        "snapshots",
        help="the Parquet snapshots: list, verify, show",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = command.add_subparsers(dest="what", metavar="list|verify|show", required=True)
    for name, told in (("list", "which there are"), ("verify", "whether all is as it was published")):
        _shared(what.add_parser(name, help=told))
    show = what.add_parser("show", help="the rows of one table")
    show.add_argument("table", metavar="TABLE", help="availability, locations, lifecycle, order_lines, …")
    show.add_argument(
        "--as-of", type=moment, metavar="TIME", help="the newest up to then (default: the newest)"
    )
    show.add_argument("--key", metavar="KEY", help="only rows of this SKU, order, exception or channel")
    _shared(show)
    command.set_defaults(run=run)


def _shared(command: argparse.ArgumentParser) -> None:
    command.add_argument("--output", required=True, metavar="DIR", help="the output of a run, or s3://…")
    command.add_argument("--json", action="store_true", help="for scripts")


def run(args: argparse.Namespace) -> int:
    """Do what was asked; 1 if verify finds a fault or there is nothing to show."""
    from sinks.parquet.store import store_of

    store = store_of(args.output)
    return {"list": _list, "verify": _verify, "show": _show}[args.what](args, store)


def _list(args: argparse.Namespace, store: Store) -> int:
    import msgspec

    from dataflows.showing import Page, when
    from sinks.parquet.catalog import published

    manifests = published(store)
    if args.json:
        print(msgspec.json.format(msgspec.json.encode(manifests)).decode())
        return 0
    page = Page(colour=sys.stdout.isatty(), width=180)
    rows = [(m.snapshot, when(m.watermark), when(m.published_at), *_sizes(m)) for m in manifests]
    names = tuple(manifests[-1].tables) if manifests else ()
    page.table(
        "snapshot", "watermark", "published", "bytes", *names, rows=rows, numbers=range(3, 4 + len(names))
    )
    print(page.text() if rows else "no snapshots yet")
    return 0


def _sizes(manifest: Manifest) -> list[str]:
    files = manifest.tables.values()
    return [f"{sum(file.bytes for file in files):,}", *(f"{file.rows:,}" for file in files)]


def _verify(args: argparse.Namespace, store: Store) -> int:
    import json

    from sinks.parquet.catalog import faults, published

    found = list(faults(store))
    count = len(published(store))
    if args.json:
        print(json.dumps({"snapshots": count, "faults": found}, indent=2))
    else:
        print("\n".join(found) or f"{count} snapshots: every file, row count and pointer is as published")
    return 1 if found else 0


def _show(args: argparse.Namespace, store: Store) -> int:
    import polars

    from canonical.errors import Terminal
    from canonical.tables import TABLE
    from dataflows.showing import Page, when
    from sinks.parquet.catalog import rows_of, standing_at

    if args.table not in TABLE:
        raise Terminal(f"no table {args.table!r}; there are: {', '.join(TABLE)}")
    manifest = standing_at(store, args.as_of)
    if manifest is None:
        print(
            "sellable snapshots: there is no snapshot" + (" that old" if args.as_of else ""), file=sys.stderr
        )
        return 1
    rows = rows_of(store, manifest, args.table)
    if args.key is not None:
        rows = rows.filter(polars.col(TABLE[args.table].key[0]) == args.key)
    if args.json:
        sys.stdout.write(rows.write_ndjson())
        return 0
    page = Page(colour=sys.stdout.isatty(), width=180)
    page.say(
        f"{args.table} at {when(manifest.watermark)} (snapshot {manifest.snapshot}): {rows.height:,} rows"
    )
    cells = [tuple("" if cell is None else str(cell) for cell in row) for row in rows.head(SHOWN).rows()]
    numbers = [place for place, kind in enumerate(rows.dtypes) if kind.is_numeric()]
    page.table(*rows.columns, rows=cells, numbers=numbers)
    if rows.height > SHOWN:
        page.say(f"{rows.height - SHOWN:,} more (--json lists them, --key finds one)")
    print(page.text())
    return 0
