"""What comes from outside may be anything: these give what was hoped for, or nothing."""

from __future__ import annotations

from typing import Any

import msgspec


def parsed(text: bytes) -> object:
    """JSON, None when it is not."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


def table(value: object) -> dict[str, Any]:
    """The object, {} if it is none."""
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[dict[str, Any]]:
    """The objects of a list, [] if it is none."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def text(value: object) -> str:
    """The text, "" if it is none."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int | None:
    """The whole number of units (≥ 0), also where it is written as text or with ".0"; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return int(found) if found >= 0 and found.is_integer() else None
