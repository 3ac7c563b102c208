from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canonical.errors import Terminal
from sources.block import Block, Fault
from sources.compressed import CompressedFile
from tests.sources.stored import LINE, lines_in, lines_of, packed, restarted, rewritten, sizes, stored

NAMES = ("orders.ndjson.gz", "orders.ndjson.zst")
DAY = b"".join(b'{"event":%d,"of":"%d"}\n' % (number, number * number % 7919) for number in range(4000))
SAME_FOLDER = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_all(reader: Any, *, again: bool = False) -> list[Block]:
    blocks: list[Block] = []
    while not reader.ended:
        if again and (not blocks or blocks[-1].data or blocks[-1].fault):  # else it would skip for ever
            reader = restarted(reader, 0, 1)
        blocks.append(reader.next_block())
    assert reader.bytes_read == reader.bytes_total
    return blocks


def faults(blocks: list[Block]) -> list[Fault]:
    return [block.fault for block in blocks if block.fault is not None]


def readable(name: str, data: bytes) -> tuple[bytes, bool]:
    """What can be unpacked byte by byte before the data breaks, and whether it does."""
    out, stream = b"", None
    for byte in data:
        if stream is None:
            stream = (
                zlib.decompressobj(wbits=31)
                if name.endswith(".gz")
                else zstandard.ZstdDecompressor().decompressobj()
            )
        try:
            out += stream.decompress(bytes((byte,)))
        except (zlib.error, zstandard.ZstdError):
            return out, True
        stream = None if stream.eof else stream
    return out, stream is not None


@pytest.mark.parametrize("name", NAMES)
@given(
    content=st.lists(LINE, max_size=40),
    end=st.sampled_from([b"", b"\n"]),
    stripe=st.integers(1, 300),
    again=st.booleans(),
    members=st.integers(1, 3),
)
@SAME_FOLDER
def test_the_lines_are_those_of_the_plain_file(
    tmp_path: Path, name: str, content: list[bytes], end: bytes, stripe: int, again: bool, members: int
) -> None:
    data = b"\n".join(content) + end
    file = stored(tmp_path, name, b"")
    parts = [data[len(data) * part // members : len(data) * (part + 1) // members] for part in range(members)]
    file = rewritten(file, b"".join(packed(name, part) for part in parts))
    with sizes(STRIPE=stripe, MAX_LINE_BYTES=40, PIECE=7, STORED_PIECE=11, SKIPPED=50):
        reader = CompressedFile(file)
        blocks = read_all(reader, again=again)
    assert lines_of(blocks, 40) == lines_in(data, 40)
    numbers = {block.offset: block.line for block in blocks if block.data}
    assert all(line == data[:offset].count(b"\n") + 1 for offset, line in numbers.items())


@pytest.mark.parametrize("name", NAMES)
def test_a_truncated_file_gives_all_that_can_be_read_and_one_letter(tmp_path: Path, name: str) -> None:
    whole = packed(name, DAY)
    file = stored(tmp_path, name, DAY)
    for kept in [1, 2, 9, 10, 11, *range(20, len(whole), len(whole) // 23), len(whole) - 1]:
        prefix, _ = readable(name, whole[:kept])
        blocks = read_all(CompressedFile(rewritten(file, whole[:kept])))
        [fault] = faults(blocks)
        begun = prefix.rfind(b"\n") + 1
        assert (fault.code, fault.head, fault.offset) == ("corrupt_file", prefix[begun:], begun)
        assert fault.reason == f"the {name.rpartition('.')[2]} data ends in the middle"
        assert b"".join(block.data for block in blocks) == prefix[:begun]


@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_file_gives_all_that_can_be_read_and_one_letter(tmp_path: Path, name: str) -> None:
    whole = packed(name, DAY)
    file = stored(tmp_path, name, DAY)
    for place in [0, 3, *range(30, len(whole), len(whole) // 19), len(whole) - 1, len(whole) - 5]:
        broken = bytearray(whole)
        broken[place] ^= 0x55
        prefix, breaks = readable(name, bytes(broken))
        blocks = read_all(CompressedFile(rewritten(file, bytes(broken))))
        begun = prefix.rfind(b"\n") + 1 if breaks else len(prefix)
        assert b"".join(block.data for block in blocks) == prefix[:begun]
        assert [(fault.code, fault.head) for fault in faults(blocks)] == [
            ("corrupt_file", prefix[begun:])
        ] * breaks


def test_what_is_not_compressed_at_all_is_one_letter(tmp_path: Path) -> None:
    for name in NAMES:
        file = stored(tmp_path, name, b"")
        blocks = read_all(CompressedFile(rewritten(file, b'{"plain":1}\n')))
        assert [fault.code for fault in faults(blocks)] == ["corrupt_file"]
        assert lines_of(blocks) == [(0, b"corrupt_file:0")]


def test_garbage_after_the_end_is_one_letter_and_padding_is_none(tmp_path: Path) -> None:
    file = stored(tmp_path, "orders.ndjson.gz", b"a\nb\n")
    sound = file.path.read_bytes()
    for tail, expected in ((b"garbage", ["corrupt_file"]), (b"\0" * 5000, []), (b"\0" + sound, [])):
        blocks = read_all(CompressedFile(rewritten(file, sound + tail)))
        assert [fault.code for fault in faults(blocks)] == expected
        assert b"".join(block.data for block in blocks) == b"a\nb\n" * (2 if sound in tail else 1)


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    for name in NAMES:
        file = stored(tmp_path, name, b"")
        assert lines_of(read_all(CompressedFile(file))) == []
        assert CompressedFile(rewritten(file, b"")).ended


def test_a_break_inside_a_huge_line_is_one_letter(tmp_path: Path) -> None:
    data = b"a\n" + b"x" * 3_000_000
    for name in NAMES:
        file = stored(tmp_path, name, data)
        cut = packed(name, data[:2_000_000]) + packed(name, data[2_000_000:])[:-3]
        blocks = read_all(CompressedFile(rewritten(file, cut)))
        [fault] = faults(blocks)
        assert (fault.code, fault.offset, fault.head) == ("corrupt_file", 2, b"x" * 4096)
        assert fault.size > 1_900_000
        assert blocks[0].data == b"a\n"


def test_a_huge_line_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    data = b"a\n" + b"x" * 3_000_000 + b"\nb\n" + b"y" * 2_000_000
    expected = [(0, b"a"), (2, b"too_large:3000000"), (3_000_003, b"b"), (3_000_005, b"too_large:2000000")]
    for name in NAMES:
        file = stored(tmp_path, name, data)
        blocks = read_all(CompressedFile(file), again=True)
        assert lines_of(blocks) == expected
        told = [(block.line, block.fault.offset) for block in blocks if block.fault]
        assert told
        assert all(line == data[:offset].count(b"\n") + 1 for line, offset in told)


def test_a_broken_file_that_was_completed_is_read_on_with_the_whole_line(tmp_path: Path) -> None:
    whole = gzip.compress(DAY, mtime=0)
    file = stored(tmp_path, "orders.ndjson.gz", DAY)
    reader: Any = CompressedFile(rewritten(file, whole[: len(whole) // 2]))
    blocks = read_all(reader)
    assert len(faults(blocks)) == 1
    file.path.write_bytes(whole)
    blocks += read_all(restarted(reader, 0, 1))
    assert [line for _, line in lines_of(blocks) if b"corrupt" not in line] == DAY.splitlines()


def test_a_file_that_lost_what_was_read_is_refused_with_words(tmp_path: Path) -> None:
    file = stored(tmp_path, "orders.ndjson.gz", DAY)
    with sizes(STRIPE=500):
        reader: Any = CompressedFile(file)
        for _ in range(100):
            reader.next_block()
        file.path.write_bytes(gzip.compress(DAY, mtime=0)[:50])
        with pytest.raises(Terminal, match="was cut or replaced"):
            restarted(reader, 0, 1)
        file.path.write_bytes(gzip.compress(b"other\n") + b"\0" * 21_000)
        with pytest.raises(Terminal, match=r"held .* bytes and holds 6: it was cut or replaced"):
            read_all(restarted(reader, 0, 1))


def test_resuming_skips_a_little_at_a_time_and_tells_nothing_meanwhile(tmp_path: Path) -> None:
    file = stored(tmp_path, "orders.ndjson.gz", DAY)
    with sizes(STRIPE=1000, SKIPPED=2000):
        reader: Any = CompressedFile(file)
        first = [reader.next_block() for _ in range(20)]
        again: Any = restarted(reader, 0, 1)
        for _ in range(2):
            assert again.next_block().data == b""
        rest = read_all(restarted(again, 0, 1))  # stopped while skipping
    assert sum(not block.data for block in rest) >= 3
    assert lines_of(first + rest) == lines_in(DAY)
