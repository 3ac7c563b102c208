"""What readers hand to decoding, and what decoding hands on: a block of lines in, events and refusals out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from canonical.envelope import Event
from canonical.errors import Code
from canonical.outputs import DeadLetter, Origin


class Fault(Struct, frozen=True):
    """An input the reader could not give as a line: it follows the block's lines and becomes one letter.

    `head` holds the first bytes, `size` says how many there were, `offset` where the first of them stood.
    """

    code: Code
    reason: str
    head: bytes
    size: int
    offset: int


class Block(Struct):
    """Whole lines of one input partition, separated by newlines; the last may lack its own.

    From a file: `file` (relative, posix), the byte `offset` of the first byte (in a compressed file: of what
    is inside), and `line`, the number of the first line from 1, where the reader knows it without counting.
    From a broker: `topic`, `partition`, and the offset of each line in `offsets`.
    """

    stem: str
    data: bytes
    file: str | None = None
    offset: int = 0
    line: int | None = None
    topic: str | None = None
    partition: int | None = None
    offsets: Sequence[int] | None = None
    fault: Fault | None = None


class Drift(Struct, frozen=True):
    """A field the contract does not know, found by sampling. `sample` names its neighbours, never a value.

    The line in `origin` is given only where the block knew it: nobody counts lines for a sample. `at` and `id` are
    those of the event.
    """

    source: str
    type: str
    field: str
    sample: str
    origin: Origin
    at: datetime
    id: str


class Decoded(Struct):
    """One block, taken apart: `read` lines that are not blank, each now an event or a letter.

    `greatest` is the greatest event time this input partition has accepted so far. Of a file that lanes share,
    `file` names it, and the lines are those that begin at `first` ≤ byte < `last`.
    """

    stem: str
    read: int
    events: list[Event]
    letters: list[DeadLetter]
    drift: list[Drift]
    greatest: datetime | None
    file: str | None = None
    first: int = 0
    last: int = 0
