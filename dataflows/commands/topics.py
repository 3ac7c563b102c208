"""`sellable topics create|check`: the topics of the contract at a broker, made and compared."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from canonical.broker import Connection
from canonical.errors import Terminal
from canonical.topics import BY_NAME, CO_PARTITIONED, PARTITIONS

if TYPE_CHECKING:
    from sinks.topics import Difference, Found

EPILOG = """\
examples:
  sellable topics create --brokers kafka-1:9092 --dry-run      what would be made
  sellable topics create --brokers kafka-1:9092,kafka-2:9092   make what is missing; what exists is left alone
  sellable topics check --brokers kafka-1:9092                 exit code 1 and a line for every difference
  sellable topics check --brokers kafka-1:9092 --config shop.toml --json

TLS and SASL: the [kafka] table of the configuration.
"""


def add(words: Any) -> None:
    """Describe the command."""
    command = words.add_parser(
        "topics",
        help="make the topics at a broker, or tell what differs from the contract",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("action", choices=["create", "check"])
    command.add_argument(
        "--brokers", required=True, metavar="HOST:PORT", help="several with commas between them"
    )
    command.add_argument(
        "--config", type=Path, metavar="FILE", help="TOML configuration with a [kafka] table"
    )
    command.add_argument(
        "--partitions",
        type=_count,
        metavar="N",
        help=f"partitions of each topic (create: default {PARTITIONS})",
    )
    command.add_argument(
        "--replication",
        type=_count,
        metavar="N",
        help="replicas of each partition (default 3, or one a broker)",
    )
    command.add_argument("--dry-run", action="store_true", help="create: only tell what would be made")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make or compare; 1 when `check` finds differences."""
    from dataflows.brokers import SCHEME, connection, hosts
    from dataflows.settings import load
    from sinks import topics

    to = connection(hosts(args.brokers.removeprefix(SCHEME)), load(args.config).kafka)
    admin = topics.Admin(to)
    replicas = args.replication or min(topics.REPLICAS, admin.brokers())
    now = topics.found(admin, list(BY_NAME))
    if args.action == "check":
        told = [
            difference
            for topic in BY_NAME.values()
            for difference in topics.differences(topic, now.get(topic.name), args.partitions, replicas)
        ]
        return _tell([*told, *topics.uneven(now)], to, as_json=args.json)
    missing = _planned(now, args.partitions)
    topics.create(admin, missing, replicas, dry_run=args.dry_run)
    _tell_made(missing, replicas, args)
    return 0


def _planned(now: Mapping[str, Found], partitions: int | None) -> dict[str, int]:
    """Missing topic → partitions to make it with: those keyed by order as many as their like already have."""
    like = {now[topic.name].partitions for topic in CO_PARTITIONED if topic.name in now}
    if len(like) > 1 or (like and partitions is not None and like != {partitions}):
        have = ", ".join(f"{t.name} {now[t.name].partitions}" for t in CO_PARTITIONED if t.name in now)
        raise Terminal(f"topics keyed by order need the same number of partitions; there are already: {have}")
    other = partitions or PARTITIONS
    together = like.pop() if like else other
    return {
        name: together if topic in CO_PARTITIONED else other
        for name, topic in BY_NAME.items()
        if name not in now
    }


def _tell(differences: list[Difference], to: Connection, *, as_json: bool) -> int:
    if as_json:
        fields = [{name: getattr(one, name) for name in one.__struct_fields__} for one in differences]
        print(json.dumps({"brokers": to.brokers, "differences": fields}, indent=2))
    for one in () if as_json else differences:
        print(f"{one.topic}: {one.what}: {one.found}, should be {one.wanted}; {one.words}")
    if not differences and not as_json:
        print(f"{len(BY_NAME)} topics are as they should be")
    return 1 if differences else 0


def _tell_made(missing: dict[str, int], replicas: int, args: argparse.Namespace) -> None:
    if args.json:
        print(json.dumps({"made": missing, "replication": replicas, "dry_run": args.dry_run}, indent=2))
        return
    for name, partitions in missing.items():
        settings = ", ".join(f"{key}={value}" for key, value in BY_NAME[name].settings().items())
        verb = "would make" if args.dry_run else "made"
        print(f"{verb} {name}: {partitions} partitions, {replicas} replicas, {settings}")
    if len(missing) < len(BY_NAME):
        left = f"{len(BY_NAME) - len(missing)} topics were there; `sellable topics check` compares them"
        print(left, file=sys.stderr)


def _count(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 10_000:  # noqa: PLR2004  more than any cluster takes
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 10000")
    return int(text)
