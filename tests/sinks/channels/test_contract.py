"""What every driver must do, whoever it tells. Drivers are found, not listed; each brings a fake of its channel."""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from canonical.api import Api
from canonical.errors import Terminal
from canonical.policy import Channel
from sinks.channels.driver import Setup, find, names
from tests.sinks.channels.fake import CANARY, Call, Fake, Said
from tests.sinks.channels.telling import open_desk, refused, taken, update, wait_for

FAULTS = ("busy", "busy_mute", "broken", "expired", "lost_before", "lost_after", "slow")


@pytest.fixture(params=names())
def fake(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fake]:
    module = importlib.import_module(f"tests.sinks.channels.fakes.{request.param}")
    channel: Fake = module.Channel(tmp_path)
    yield channel
    channel.close()


class Elsewhere(Fake):
    """Where a redirect would lead."""

    def operation(self, call: Call) -> str:
        return "any"

    def sets_stock(self, call: Call) -> bool:
        return False

    def answer(self, call: Call) -> Said:
        return Said(200, {})


def test_the_four_drivers_are_found_and_nothing_else_is_one() -> None:
    assert {"amazon", "http", "shopify", "walmart"} <= set(names())
    assert not {"driver", "desk", "transport", "worker"} & set(names())


def test_a_driver_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    for name in ("telepathy", "transport", "../http", "http.x"):
        with pytest.raises(Terminal, match=r"there are: .*http"):
            find("c", Channel(driver=name))


def test_what_is_missing_is_refused_at_start(fake: Fake) -> None:
    with pytest.raises(Terminal, match=r"channels\.c\.api: driver .* needs endpoint.*, credentials\."):
        find("c", Channel(driver=fake.driver))
    api = fake.api().model_dump() | {"credentials": {**fake.api().credentials, "pasword": "x"}}
    with pytest.raises(Terminal, match=r"no credentials\.pasword"):
        find("c", fake.policy(api=Api(**api)))


def test_the_channel_shows_the_truth(fake: Fake) -> None:
    desk = open_desk({"c": fake.policy()})
    desk.submit([update(f"s{n}", n) for n in range(8)])
    told = wait_for(desk, lambda told: len(taken(told)) == 8)
    desk.close()
    assert fake.shown == {f"L-s{n}": n for n in range(8)}
    assert taken(told) == {f"s{n}": (1, n) for n in range(8)}
    assert len(told) == 8
    assert fake.violations == []
    assert desk.unfinished().updates == []


@pytest.mark.parametrize("fault", FAULTS)
def test_the_channel_shows_the_truth_after(fault: str, fake: Fake) -> None:
    desk = open_desk({"c": fake.policy()})
    fake.faults.extend(["", fault, "", fault])
    desk.submit([update(f"s{n}", 10 + n) for n in range(4)])
    time.sleep(0.02)
    desk.submit([update(f"s{n}", n, 2, previous_quantity=10 + n) for n in range(4)])
    wait_for(desk, lambda told: {s: v for s, (v, _) in taken(told).items()} == {f"s{n}": 2 for n in range(4)})
    desk.close()
    assert not fake.faults, "the faults were not met"
    assert fake.shown == {f"L-s{n}": n for n in range(4)}
    assert fake.violations == []
    for n in range(4):
        mine = [quantity for listing, quantity in fake.applied if listing == f"L-s{n}"]
        assert mine == sorted(mine, reverse=True), "an older version after a newer one"


def test_one_listing_the_channel_does_not_know_costs_the_others_nothing(fake: Fake) -> None:
    fake.unknown.add("L-s1")
    desk = open_desk({"c": fake.policy()})
    desk.submit([update(f"s{n}", n) for n in range(4)])
    told = wait_for(desk, lambda told: len(told) == 4)
    desk.close()
    assert set(refused(told)) == {"s1"}
    assert fake.shown == {"L-s0": 0, "L-s2": 2, "L-s3": 3}


def test_a_redirect_is_refused_and_never_followed(fake: Fake, tmp_path: Path) -> None:
    elsewhere = Elsewhere(tmp_path)
    fake.elsewhere = elsewhere.url
    fake.faults.append("redirect")
    desk = open_desk({"c": fake.policy()})
    desk.submit([update("s", 1)])
    told = wait_for(desk, lambda told: len(told) == 1)
    desk.close()
    elsewhere.close()
    assert refused(told) == {"s": "http_307"}
    assert elsewhere.calls == []


def test_a_new_secret_is_used_without_a_restart(fake: Fake) -> None:
    desk = open_desk({"c": fake.policy()})
    desk.submit([update("s", 5)])
    wait_for(desk, lambda told: "s" in taken(told))
    fake.rotate()
    desk.submit([update("s", 4, 2, previous_quantity=5)])
    wait_for(desk, lambda told: "s" in taken(told))
    desk.close()
    assert fake.shown == {"L-s": 4}


def test_no_secret_is_ever_shown(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in logging.root.manager.loggerDict:
        logging.getLogger(name).disabled = False
    fake.faults.extend(["broken", "lost_after", "broken", "expired", "slow"])
    policy = fake.policy(answer_within="2s")
    desk = open_desk({"c": policy})
    desk.submit([update(f"s{n}", n) for n in range(3)])
    told = wait_for(desk, lambda told: len(told) == 3)
    worker = desk._workers["c"]
    driver: Any = worker._driver
    shown = [
        repr(thing) for thing in (policy, desk, worker, driver, worker._setup, worker._setup.credentials)
    ]
    shown += [repr(vars(driver)), repr(vars(worker._setup)), msgspec.json.encode(told).decode(), caplog.text]
    desk.close()
    assert CANARY not in "".join(shown)


def test_a_stopped_desk_says_what_is_left_and_another_finishes_it(fake: Fake) -> None:
    desk = open_desk({"c": fake.policy()})
    desk.submit([update(f"s{n}", n) for n in range(30)])
    told = wait_for(desk, lambda told: len(told) >= 1)
    began = time.monotonic()
    desk.close()
    assert time.monotonic() - began < 3
    told += desk.poll(update("s", 0).released_at)
    left = desk.unfinished()
    submitted = {u.sku for u in left.updates} | {
        u.sku for s in left.submissions.get("c", ()) for u in s.updates
    }
    assert submitted | set(taken(told)) == {f"s{n}" for n in range(30)}
    left = msgspec.json.decode(msgspec.json.encode(left), type=type(left))
    again = open_desk({"c": fake.policy()}, left)
    wait_for(again, lambda told: set(taken(told)) >= submitted)
    again.close()
    assert fake.shown == {f"L-s{n}": n for n in range(30)}


def test_an_account_that_is_closed_is_told_of_and_left_alone(fake: Fake) -> None:
    before = {name: Path(path).read_text() for name, path in fake.api().credentials.items()}
    fake.rotate()
    for name, text in before.items():  # the files still say what was so before
        (fake.directory / Path(fake.api().credentials[name]).name).write_text(text)
    desk = open_desk({"c": fake.policy()})
    desk.submit([update("s", 1), update("t", 1)])
    told = wait_for(desk, lambda told: "s" in refused(told))
    calls = len(fake.calls)
    time.sleep(0.1)
    desk.close()
    assert refused(told)["s"] == "unauthorised"
    assert CANARY not in msgspec.json.encode(told).decode()
    assert len(fake.calls) == calls <= 4


def test_setups_show_nothing_of_the_channels_secrets(fake: Fake) -> None:
    setup = Setup("c", fake.policy())
    for name in fake.api().credentials:
        assert setup.credentials.get(name).startswith(CANARY)
    assert CANARY not in repr(vars(setup)) + repr(setup.credentials)
