"""Reads the one TOML file a run is configured by; refuses what cannot work before anything starts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from pydantic import ValidationError

from canonical.errors import Terminal
from canonical.policy import Policy, sentence


def load(path: Path | None) -> Policy:
    """The policy of a configuration file, or the defaults. Raises Terminal with file, key and what would be right."""
    if path is None:
        return Policy()
    try:
        text = path.read_text(encoding="utf-8")
        return Policy.model_validate(tomllib.loads(text))
    except OSError as error:
        raise Terminal(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise Terminal(f"{path}: is not UTF-8 text ({error.reason} at byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise Terminal(f"{path}: is not TOML: {error}") from error
    except ValidationError as error:
        faults = [f"{path}{_line(text, fault['loc'])}: {sentence(dict(fault))}" for fault in error.errors()]
        raise Terminal("\n".join(faults)) from error


def _line(text: str, loc: tuple[int | str, ...]) -> str:
    """`:LINE` of the key a fault is at, as far as it can be found by its last names; "" otherwise."""
    table, key = [str(part) for part in loc[:-1]], str(loc[-1]) if loc else ""
    inside = not table
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[(.+)\]\s*(#.*)?$", line)
        if header is not None:
            names = [name.strip(" \"'") for name in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", header[1])]
            inside = names == table
            if names == [*table, key]:
                return f":{number}"
        elif inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return f":{number}"
    return ""
