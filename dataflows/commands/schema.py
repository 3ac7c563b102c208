"""`sellable schema`: the contract as JSON Schema, AsyncAPI or data dictionary, from the types the code runs on."""

from __future__ import annotations

import argparse
from typing import Any

EPILOG = """\
examples:
  sellable schema > sellable.schema.json          JSON Schema 2020-12 of one event; outputs are under $defs
  sellable schema --format asyncapi               AsyncAPI 3.0.0 of every topic, for catalogues and generators
  sellable schema --format tables                 data dictionary of the Parquet tables: unit and meaning per column
  sellable schema | jq '."$defs".OrderPlaced'     one type of it

A schema cannot say everything: sellable check also sees keys, repeated names and times.
"""


def add(words: Any) -> None:
    """Describe the command."""
    command = words.add_parser(
        "schema",
        help="the contract, generated from the models",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--format",
        choices=["json-schema", "asyncapi", "tables"],
        default="json-schema",
        help="default: json-schema",
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the document."""
    import json

    if args.format == "tables":
        from canonical.tables import dictionary

        print(dictionary())
        return 0

    from dataflows import contract

    document = contract.asyncapi() if args.format == "asyncapi" else contract.json_schema()
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return 0
