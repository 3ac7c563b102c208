"""Fields the contract does not know. They are kept out and never fatal, but somebody must hear of them."""

from __future__ import annotations

import json
from typing import Any

from msgspec import inspect

from canonical.envelope import Event
from canonical.outputs import Origin
from canonical.topics import EVENT_TYPES, TYPE_NAME
from sources.block import Drift

LEAF: dict[str, Any] = {}
NAME_LENGTH = 100
"""Their names are shown no longer than this: a name can be anything."""

# Numbers are read as floats because Python refuses whole numbers of more than 4,300 digits.
_READ = json.JSONDecoder(parse_int=float)


def _known(node: inspect.Type) -> dict[str, Any]:
    """Names a value of this type may have → the same of what is below them; empty where any may stand."""
    if isinstance(node, inspect.UnionType):
        return next((known for part in node.types if (known := _known(part))), LEAF)
    if isinstance(node, inspect.ListType):
        return _known(node.item_type)
    if not isinstance(node, inspect.StructType):
        return LEAF
    tag = {} if node.tag_field is None else {node.tag_field: LEAF}
    return tag | {field.encode_name: _known(field.type) for field in node.fields}


KNOWN = {kind: _known(inspect.type_info(kind)) for kind in EVENT_TYPES}


def drift(line: bytes, event: Event, origin: Origin) -> list[Drift]:
    """Every field of an accepted line that its type does not have, each once; list positions are left out."""
    try:
        value = _READ.decode(line.decode())
    except (ValueError, RecursionError):
        return []  # what only one of the two parsers can read is not worth a sample
    found: dict[str, str] = {}
    _walk(value, KNOWN[type(event)], "", found)
    name = TYPE_NAME[type(event)]
    return [
        Drift(event.source, name, path, names, origin, event.time, event.id) for path, names in found.items()
    ]


def _walk(value: object, known: dict[str, Any], path: str, found: dict[str, str]) -> None:
    if isinstance(value, list):
        for part in value:
            _walk(part, known, f"{path}[]", found)
    elif isinstance(value, dict) and known:
        for name, part in value.items():
            below = f"{path}.{_shown(name)}".removeprefix(".")
            if name in known:
                _walk(part, known[name], below, found)
            else:
                found.setdefault(below, ", ".join(map(_shown, value)))


def _shown(name: str) -> str:
    return name.encode("ascii", "backslashreplace").decode()[:NAME_LENGTH]
