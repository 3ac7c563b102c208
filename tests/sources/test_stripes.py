from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.errors import Terminal
from sources.block import Block
from sources.files import LineIndex
from sources.stripes import StripedFile
from tests.sources.stored import LINE, lines_in, lines_of, restarted, sizes, stored

LIMIT = 40
FEW_LINES = st.lists(LINE, max_size=30)
LONG_LINES = st.lists(st.integers(0, 90).map(lambda size: b"y" * size), max_size=12)
CONTENT = st.builds(
    lambda lines, end: b"\n".join(lines) + end, FEW_LINES | LONG_LINES, st.sampled_from([b"", b"\n", b"\n\n"])
)
SAME_FOLDER = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_all(reader: Any, lane: int = 0, lanes: int = 1, *, again: bool = False) -> list[Block]:
    blocks = []
    while not reader.ended:
        if again:
            reader = restarted(reader, lane, lanes)
        blocks.append(reader.next_block())
    assert reader.bytes_read == reader.bytes_total
    return blocks


@given(content=CONTENT, stripe=st.integers(1, 50), lanes=st.integers(1, 9), again=st.booleans())
@SAME_FOLDER
def test_every_line_is_read_exactly_once_over_all_lanes(
    tmp_path: Path, content: bytes, stripe: int, lanes: int, again: bool
) -> None:
    file = stored(tmp_path, "orders.ndjson", content)
    with sizes(STRIPE=stripe, MAX_LINE_BYTES=LIMIT, PIECE=7):
        readers = [StripedFile(file, lane, lanes) for lane in range(lanes)]
        assert sum(reader.bytes_total for reader in readers) == len(content)
        blocks = [
            block for lane in range(lanes) for block in read_all(readers[lane], lane, lanes, again=again)
        ]
    assert lines_of(blocks, LIMIT) == lines_in(content, LIMIT)


@given(
    parts=st.lists(CONTENT, min_size=1, max_size=4),
    stripe=st.integers(1, 50),
    lanes=st.integers(1, 4),
    data=st.data(),
)
@SAME_FOLDER
def test_a_file_that_grew_is_read_on_from_where_it_ended(
    tmp_path: Path, parts: list[bytes], stripe: int, lanes: int, data: st.DataObject
) -> None:
    file = stored(tmp_path, "orders.ndjson", b"")
    blocks: list[Block] = []
    with sizes(STRIPE=stripe, MAX_LINE_BYTES=LIMIT, PIECE=7):
        readers: list[Any] = [StripedFile(file, lane, lanes) for lane in range(lanes)]
        for part in parts:
            with file.path.open("ab") as grown:
                grown.write(part)
            readers = [restarted(reader, lane, lanes) for lane, reader in enumerate(readers)]
            for reader in readers:  # some lanes get to the end before the next part comes, some do not
                wanted = data.draw(st.integers(0, 9))
                blocks += [reader.next_block() for _ in range(wanted) if not reader.ended]
        for reader in readers:
            blocks += read_all(reader)
    expected, start = [], 0
    for part in parts:
        expected += lines_in(part, LIMIT, start)
        start += len(part)
    assert lines_of(blocks, LIMIT) == expected


def test_a_huge_line_leaves_its_neighbours_alone_and_keeps_its_head(tmp_path: Path) -> None:
    content = b"a\n" + b"0123456789" * 300_000 + b"\nb\n"
    file = stored(tmp_path, "orders.ndjson", content)
    blocks = [block for lane in range(8) for block in read_all(StripedFile(file, lane, 8))]
    assert lines_of(blocks) == [(0, b"a"), (2, b"too_large:3000000"), (3_000_003, b"b")]
    [fault] = [block.fault for block in blocks if block.fault]
    assert fault.head == (b"0123456789" * 410)[:4096]


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path) -> None:
    file = stored(tmp_path, "orders.ndjson", b"\xef\xbb\xbfa\nb")
    assert lines_of(read_all(StripedFile(file, 0, 1))) == [(3, b"a"), (5, b"b")]


def test_what_a_position_cannot_fit_is_refused_with_words(tmp_path: Path) -> None:
    reader = StripedFile(stored(tmp_path, "orders.ndjson", b"abc\n" * 10), 0, 1)
    stored(tmp_path, "orders.ndjson", b"abc\n")
    with pytest.raises(Terminal, match=r"orders\.ndjson had 40 bytes and has 4: it was cut or replaced"):
        restarted(reader, 0, 1)


def test_the_next_line_can_be_peeked_without_being_read(tmp_path: Path) -> None:
    file = stored(tmp_path, "orders.ndjson", b"first\nsecond\nthird\n")
    with sizes(STRIPE=8):
        assert StripedFile(file, 0, 1).peek().startswith(b"first")
        one = StripedFile(file, 0, 1)
        one.next_block()
        assert one.peek() == b"third\n"
        assert lines_of([one.next_block(), one.next_block()]) == [(13, b"third")]


@given(content=CONTENT, stripe=st.integers(1, 20), order=st.randoms())
@SAME_FOLDER
def test_lines_are_numbered_as_an_editor_does(
    tmp_path: Path, content: bytes, stripe: int, order: Any
) -> None:
    file = stored(tmp_path, "orders.ndjson", content)
    offsets = list(range(len(content) + 1))
    order.shuffle(offsets)
    with sizes(STRIPE=stripe):
        index = LineIndex(file.path)
        assert all(index.number_at(offset) == content[:offset].count(b"\n") + 1 for offset in offsets)
