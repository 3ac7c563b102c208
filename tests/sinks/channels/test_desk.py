"""Channels side by side, and the throttle and a driver as they work together."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from canonical.events import ListingAcknowledged
from operators.throttle import breaker
from operators.throttle.answers import acknowledged, rejected
from operators.throttle.feed import Feed
from operators.throttle.instants import SECOND
from sinks.channels import http as http_module
from tests.sinks.channels.fake import TIMEOUT
from tests.sinks.channels.fakes.http import Channel
from tests.sinks.channels.fakes.shopify import Channel as Shop
from tests.sinks.channels.telling import AT, open_desk, refused, taken, update, wait_for


@pytest.fixture
def good(tmp_path: Path) -> Iterator[Channel]:
    (tmp_path / "good").mkdir()
    fake = Channel(tmp_path / "good")
    yield fake
    fake.close()


@pytest.fixture
def bad(tmp_path: Path) -> Iterator[Channel]:
    (tmp_path / "bad").mkdir()
    fake = Channel(tmp_path / "bad")
    yield fake
    fake.close()


def seconds_for(good: Channel, others: dict[str, Channel]) -> float:
    """How long the good channel takes for sixty updates beside the others."""
    channels = {"good": good.policy(), **{name: fake.policy() for name, fake in others.items()}}
    desk = open_desk(channels)
    desk.submit([update(f"s{n}", n, channel=name) for n in range(60) for name in others])
    began = time.monotonic()
    desk.submit([update(f"s{n}", n, channel="good") for n in range(60)])
    wait_for(desk, lambda told: sum(e.data.channel == "good" for e in told) == 60)
    spent = time.monotonic() - began
    desk.close()
    return spent


@pytest.mark.parametrize("fault", ["lost_after", "slow", "broken"])
def test_a_channel_that_fails_delays_no_other(good: Channel, bad: Channel, fault: str) -> None:
    bad.faults.extend([fault] * 100)
    # Its 20 calls take milliseconds; taking turns with the other's would take 20 timeouts.
    assert seconds_for(good, {"bad": bad}) < 5 * TIMEOUT
    assert good.shown == {f"L-s{n}": n for n in range(60)}


def test_a_bug_in_a_driver_ends_neither_the_thread_nor_the_truth(
    good: Channel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    right = http_module.body_of

    def broken(*_: object) -> bytes:
        raise KeyError("canary-5ecret")

    monkeypatch.setattr(http_module, "body_of", broken)
    desk = open_desk({"c": good.policy()})
    desk.submit([update("s", 1)])
    told = wait_for(desk, lambda told: len(told) == 1)
    assert refused(told) == {"s": "channel_failed"}
    assert desk._workers["c"]._thread.is_alive()
    assert "canary" not in caplog.text
    monkeypatch.setattr(http_module, "body_of", right)
    desk._workers["c"]._setup.pause.until = 0  # the pause after a bug is for people
    desk.submit([update("s", 1, 2)])
    wait_for(desk, lambda told: taken(told) == {"s": (2, 1)})
    desk.close()


def test_updates_for_channels_without_a_driver_are_nobodys(good: Channel) -> None:
    desk = open_desk({"c": good.policy()})
    desk.submit([update("s", 1, channel="unheard-of")])
    assert desk.unfinished().updates == []
    desk.close()


def test_an_update_that_replaces_an_unsent_one_knows_what_the_channel_shows(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.shown = {"L-s": 9}
    shop.faults.append("busy")
    desk = open_desk({"c": shop.policy()})
    desk.submit([update("other", 1)])
    time.sleep(0.05)
    desk.submit([update("s", 5, previous_quantity=9)])
    desk.submit([update("s", 4, 2, previous_quantity=5)])
    wait_for(desk, lambda told: taken(told).get("s") == (2, 4))
    desk.close()
    shop.close()
    assert [entry for entry in shop.applied if entry[0] == "L-s"] == [("L-s", 4)]
    assert len(shop.calls) == 2, "the busy one and the one after: nothing had to be looked up"


@pytest.mark.parametrize("kind", [Channel, Shop])
def test_the_throttle_and_a_driver_end_at_the_truth(
    kind: type[Channel | Shop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quantities change for a while at a channel with bad days; when they stop, it shows the true ones."""
    monkeypatch.setattr(breaker, "FIRST_WAIT", SECOND // 5)
    monkeypatch.setattr(breaker, "LONGEST_WAIT", SECOND)
    dice, fake = random.Random(5), kind(tmp_path)
    policy = fake.policy(rate=100, burst=10, answer_within="1s")
    feed, desk = Feed("c", policy, answered=True), open_desk({"c": policy})
    truth: dict[str, int] = {}
    feed.start(began := int(time.time() * SECOND))
    over = time.monotonic() + 30
    while True:
        now = int(time.time() * SECOND)
        if now < began + SECOND:
            for _ in range(2):
                sku = f"s{dice.randrange(12)}"
                truth[sku] = dice.randrange(30)
                feed.listing(sku).listing_id = f"L-{sku}"
                feed.offer(sku, truth[sku], now)
            if dice.random() < 0.05:
                fake.faults.append(
                    dice.choice(["busy", "broken", "lost_after", "lost_before", "busy_mute", "expired"])
                )
        desk.submit(feed.advance(now, inclusive=True))
        for event in desk.poll(AT):
            at = max(feed.at, now)
            if isinstance(event, ListingAcknowledged):
                acknowledged(feed, event, at, at)
            else:
                rejected(feed, event, at, at)
        shown = {sku: fake.shown.get(f"L-{sku}") for sku in truth}
        if now > began + SECOND and shown == truth and not feed.waiting:
            break
        assert time.monotonic() < over, f"{shown} is not {truth}"
        time.sleep(0.005)
    desk.close()
    fake.close()
    assert fake.violations == []


def test_an_older_version_is_told_neither_after_nor_instead_of_a_newer(good: Channel) -> None:
    good.faults.append("lost_after")
    desk = open_desk({"c": good.policy()})
    desk.submit([update("s", 2, 2)])
    wait_for(desk, lambda _: bool(good.calls))
    desk.submit([update("s", 9, 1), update("t", 3, 3)])
    desk.submit([update("t", 8, 2)])
    told = wait_for(desk, lambda told: taken(told) == {"s": (2, 2), "t": (3, 3)})
    desk.close()
    assert len(told) == 2
    assert good.shown == {"L-s": 2, "L-t": 3}
    assert desk.unfinished().updates == []
