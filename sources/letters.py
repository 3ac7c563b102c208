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


def letter(
    line: bytes, refusal: Refusal, stem: str, origin: Origin, now: datetime, size: int | None = None
) -> DeadLetter:
    """The dead letter of a refused line. Where `size` is given, `line` is only the first of so many bytes."""
    subject = subject_of(line)
    result = DeadLetter(subject, refusal.code, refusal.reason, refusal.field, stem, origin, now)
    size = len(line) if size is None else size
    if size > MAX_LINE_BYTES:
        line = line[:HEAD_BYTES]
        result.size = size
    try:
        result.input = line.decode()
    except UnicodeDecodeError as error:
        if size > len(line) and error.reason == "unexpected end of data":
            result.input = line[: error.start].decode()  # our own cut went through a character
        else:
            result.input_base64 = b64encode(line).decode()
    return result


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
