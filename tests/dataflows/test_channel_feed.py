"""The channel-feed job over files: resumes, follows other runs, tells answers the next ingest takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from canonical.api import Limit
from canonical.errors import Terminal
from canonical.outputs import ChannelUpdate
from canonical.policy import Policy
from dataflows import channel_feed
from dataflows.channel_feed import ANSWERS, UPDATES, Feeding, tell
from dataflows.checking import Totals, check, inputs
from tests.sinks.channels.fakes.http import Channel
from tests.sinks.channels.telling import AT, update

SLOW = {"update": Limit(rate=20, burst=1)}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Channel]:
    (tmp_path / "secrets").mkdir()
    fake = Channel(tmp_path / "secrets")
    yield fake
    fake.close()


@pytest.fixture
def plan(tmp_path: Path, shop: Channel) -> Feeding:
    return Feeding(tmp_path / "out", Policy(channels={"c": shop.policy()}), tmp_path / "in", first_wait=0.03)


def write(plan: Feeding, updates: list[ChannelUpdate], mode: str = "ab") -> None:
    path = plan.output / UPDATES
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open(mode) as file:
        file.write(msgspec.json.Encoder().encode_lines(updates))


def told(plan: Feeding) -> list[dict[str, str]]:
    return [msgspec.json.decode(line) for line in (plan.answers / ANSWERS).read_bytes().splitlines()]


def whole(plan: Feeding) -> None:
    tell(plan, ended=lambda: True, clock=lambda: AT)


def after(calls: int) -> Callable[[], bool]:
    """True from the so many-th time it is asked on."""
    left = [calls]

    def over() -> bool:
        left[0] -= 1
        return left[0] < 0

    return over


def test_channels_are_told_and_the_next_ingest_can_read_what_they_said(plan: Feeding, shop: Channel) -> None:
    write(plan, [update("a", 3), update("b", 0), update("a", 2, 2, previous_quantity=3)])
    whole(plan)
    assert shop.shown == {"L-a": 2, "L-b": 0}
    assert shop.applied == [("L-a", 2), ("L-b", 0)], "only the newest of a SKU is told"
    assert {entry["type"] for entry in told(plan)} == {"listing.acknowledged"}
    totals = Totals()
    assert [list(check(file, AT, totals)) for file in inputs([plan.answers], None)] == [[]]
    assert totals.events == 2


def test_a_second_job_goes_on_where_the_first_stood(plan: Feeding, shop: Channel) -> None:
    write(plan, [update("a", 3)])
    whole(plan)
    write(plan, [update("b", 1)])
    whole(plan)
    assert shop.applied == [("L-a", 3), ("L-b", 1)]
    assert len(told(plan)) == 2


def test_what_was_not_answered_is_told_again_after_a_stop(plan: Feeding, shop: Channel) -> None:
    slow = Policy(channels={"c": shop.policy(api=shop.api().model_copy(update={"limits": SLOW}))})
    plan = msgspec.structs.replace(plan, policy=slow)
    write(plan, [update(f"s{n}", n) for n in range(60)])
    tell(plan, stopping=after(2), clock=lambda: AT)
    first = len(told(plan))
    whole(plan)
    assert first < 60
    assert shop.shown == {f"L-s{n}": n for n in range(60)}
    assert {entry["subject"] for entry in told(plan)} == {f"c|s{n}" for n in range(60)}


def test_a_submission_is_asked_about_by_the_next_job(plan: Feeding, shop: Channel) -> None:
    shop.defers = True
    write(plan, [update("a", 3)])
    tell(plan, stopping=lambda: bool(shop.deferred), clock=lambda: AT)
    whole(plan)
    assert shop.shown == {"L-a": 3}
    assert len(shop.deferred) == 1


def test_the_updates_of_another_run_are_told_from_the_start(plan: Feeding, shop: Channel) -> None:
    write(plan, [update("a", 3, 5), update("b", 2, 5)])
    whole(plan)
    shop.versions.clear()
    write(plan, [update("z", 9), update("a", 7, released_at=AT + timedelta(days=1))], "wb")
    whole(plan)
    assert shop.shown == {"L-a": 7, "L-b": 2, "L-z": 9}


def test_a_piece_of_a_line_left_by_a_crash_is_removed(plan: Feeding, shop: Channel) -> None:
    write(plan, [update("a", 3)])
    whole(plan)
    with (plan.answers / ANSWERS).open("ab") as file:
        file.write(b'{"specversion": "1.0", "id": "torn')
    write(plan, [update("b", 1)])
    whole(plan)
    assert len(told(plan)) == 2


def test_two_jobs_never_tell_the_same_channels(plan: Feeding, shop: Channel) -> None:
    write(plan, [update("a", 3)])

    def beside() -> bool:
        with pytest.raises(Terminal, match="another channel-feed job"):
            whole(plan)
        return True

    tell(plan, stopping=beside)
    whole(plan)
    assert shop.shown == {"L-a": 3}


def test_a_configuration_without_drivers_and_a_damaged_state_are_refused_with_words(plan: Feeding) -> None:
    with pytest.raises(Terminal, match="nobody to tell"):
        whole(msgspec.structs.replace(plan, policy=Policy()))
    (plan.output / "meta").mkdir(parents=True)
    (plan.output / channel_feed.STATE).write_bytes(b"{}}")
    with pytest.raises(Terminal, match="remove it"):
        whole(plan)
    (plan.output / channel_feed.STATE).unlink()
    (plan.output / UPDATES).write_bytes(b"{}\n")
    with pytest.raises(Terminal, match="no channel update"):
        whole(plan)
