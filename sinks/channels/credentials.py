"""Secrets from files, read again when a file changes, and never shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from canonical.errors import Transient

HIDDEN = "•••"
LONGEST_SECRET = 64 << 10
REMEMBERED = 64
SHORTEST_HIDDEN = 6
"""Shorter texts are not searched for in what is shown: they would be found in innocent words."""

Mark = tuple[int, int, int]


class Credentials:
    """`files`: what a secret is for → the file that holds it. `generation` grows with every change seen."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)
        self._values: dict[str, tuple[Mark, str]] = {}
        self._hidden: dict[str, None] = {}
        self.generation = 0

    def get(self, name: str) -> str:
        """The secret as its file has it now, without the line's end. Raises Transient while it cannot be read."""
        path = self._files[name]
        try:
            status = path.stat()
            mark = (status.st_mtime_ns, status.st_size, status.st_ino)
            known = self._values.get(name)
            if known is not None and known[0] == mark:
                return known[1]
            with path.open("rb") as file:
                value = file.read(LONGEST_SECRET).decode().strip("\r\n")
        except OSError as error:
            words = os.strerror(error.errno or 0)
            raise Transient(f"credential {name!r}: its file cannot be read ({words})") from None
        except UnicodeDecodeError:
            raise Transient(f"credential {name!r}: its file is not UTF-8 text") from None
        if not value:
            raise Transient(f"credential {name!r}: its file is empty")
        self._values[name] = (mark, value)
        self.generation += 1
        self.hide(value)
        return value

    def hide(self, secret: str) -> None:
        """Never show this text either: a token the channel gave us."""
        if len(secret) >= SHORTEST_HIDDEN:
            self._hidden.pop(secret, None)
            self._hidden[secret] = None
            while len(self._hidden) > REMEMBERED:
                del self._hidden[next(iter(self._hidden))]

    def redact(self, text: str) -> str:
        """The text with every known secret in it hidden: channels do echo what they were sent."""
        for secret in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self._files))})"
