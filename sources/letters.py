"""Dead letters: what could not be accepted, kept whole with its reason and where it stood."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import datetime

from canonical.envelope import MAX_LINE_BYTES
from canonical.errors import Refusal
from canonical.outputs import DeadLetter, Origin

HEAD_BYTES = 4096
"""So much is kept of an input over the limit; the rest is still where it came from."""
MAX_KEY = 520

_SUBJECT = re.compile(rb'"subject"\s*:\s*("(?:[^"\\]|\\.){1,3120}")')


def letter(key: str, line: bytes, refusal: Refusal, stem: str, origin: Origin, now: datetime) -> DeadLetter:
    """The dead letter of one refused line."""
    result = DeadLetter(key, refusal.code, refusal.reason, refusal.field, stem, origin, now)
    keep(result, line, len(line))
    return result


def keep(result: DeadLetter, head: bytes, size: int) -> None:
    """Puts the input's bytes into its letter: `head` are the first of `size`, all of them up to 1 MiB."""
    if size > MAX_LINE_BYTES:
        head = head[:HEAD_BYTES]
        result.size = size
    try:
        result.input = head.decode()
    except UnicodeDecodeError as error:
        if size > len(head) and error.reason == "unexpected end of data":
            result.input = head[: error.start].decode()  # our own cut went through a character
        else:
            result.input_base64 = b64encode(head).decode()


def subject_of(line: bytes) -> str:
    """The subject a line seems to have, as the letter's key; "" where none can be made out."""
    found = _SUBJECT.search(line)
    if found is None:
        return ""
    try:
        subject = json.loads(found[1])
        subject.encode()
    except ValueError:
        return ""
    return str(subject) if len(subject) <= MAX_KEY else ""
