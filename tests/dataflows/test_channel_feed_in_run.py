"""The channel feed inside the main job: every channel within its limits, and told the truth in the end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import pytest

from canonical.messages import AnyEvent
from canonical.policy import ALL, Channel, Policy
from dataflows.feeding import feeds_of
from dataflows.settings import load
from sources.simulator import Scenario, simulate
from tests.dataflows.test_engine import last, run_until_killed, sellable
from tests.driving import drive
from tests.histories import Event, history
from tests.oracle import oracle
from tests.oracle.facts import distinct
from tests.oracle.pools import Demand, room
from tests.oracle.products import Catalogue

DAY = datetime(2026, 3, 2, tzinfo=UTC)
Records = dict[str, dict[str, Any]]
Said = dict[tuple[str, str], dict[str, Any]]
"""(channel, sku) → the last update."""

CHANNELS = """
[channels.amazon-us]
pool = "national"
rate = 0.05
burst = 10
batch = 4
share = 0.29
max_listed = 40

[channels.walmart]
pool = "regional"
rate = 0.1
burst = 3
batch = 20
buffer = 2
"""
"""The third channel of the day, storefront, has no stanza: it draws on every location, at the default limits."""


_event = msgspec.json.Decoder(AnyEvent)


def says(type_: str, minute: float, source: str = "/test", **data: Any) -> Event:
    """An event of its own, so many minutes into the day."""
    time = f"2026-03-01T{int(minute) // 60:02}:{int(minute) % 60:02}:00Z"
    subject = data.get("order_id") or data["sku"]
    number = f"{type_}-{minute}-{subject}-{sorted(data.items(), key=str)}"[:256]
    told = {"specversion": "1.0", "id": number, "source": source, "subject": subject, "type": type_}
    return {**told, "time": time, "data": data}


def stocked(sku: str, **units: int) -> list[Event]:
    return [
        says("inventory.moved", 1, sku=sku, location=at, status="sellable", quantity=n, reason="receipt")
        for at, n in units.items()
    ]


def product(sku: str, minute: float = 0, **fields: Any) -> list[Event]:
    return [says("product.upserted", minute, sku=sku, **fields)]


def made_of(sku: str, **parts: int) -> list[Event]:
    return product(sku, components=[{"sku": part, "quantity": n} for part, n in parts.items()])


def ordered(sku: str, units: int, channel: str = "web", **line: Any) -> list[Event]:
    lines = [{"line_id": "1", "sku": sku, "quantity": units, "unit_price": "1.00", **line}]
    return [says("order.placed", 2, order_id="O", channel=channel, currency="EUR", lines=lines)]


def last_said(updates: Iterable[dict[str, Any]]) -> Said:
    return {(update["channel"], update["sku"]): update for update in updates}


def feed(events: list[Event], **tables: Any) -> Said:
    told = drive([[event] for event in events], Policy.model_validate(tables)).told
    return last_said(told.get("channel-updates", []))


EAST: dict[str, Any] = {"pools": {"east": ["e"]}}
WEB: dict[str, Any] = {"channels": {"web": {}}}
IDS = [{"scheme": "asin", "value": "B0A", "channel": "web"}, {"scheme": "gtin", "value": "40"}]
# configuration, events → (channel, sku): quantity
TRUTHS: dict[str, tuple[dict[str, Any], list[Event], dict[tuple[str, str], int]]] = {
    "nobody is told anything while no channel is known": ({}, stocked("A", e=5), {}),
    "a configured channel is told of stock": (WEB, stocked("A", e=5, w=2), {("web", "A"): 7}),
    "a channel is known by its first order": (
        {},
        stocked("A", e=5) + ordered("A", 2, "shop"),
        {("shop", "A"): 3},
    ),
    "a channel draws on its pool": (
        {**EAST, "channels": {"web": {"pool": "east"}}},
        stocked("A", e=5, w=2),
        {("web", "A"): 5},
    ),
    "one that names no pool draws on every location": (
        {**EAST, **WEB},
        stocked("A", e=5, w=2) + ordered("A", 1, "shop", location="w"),
        {("web", "A"): 6, ("shop", "A"): 6},
    ),
    "what is owed elsewhere is not promised again": (
        {**EAST, "channels": {"web": {}, "shop": {"pool": "east"}}},
        stocked("A", e=5, w=2) + ordered("A", 3, "shop"),
        {("web", "A"): 4, ("shop", "A"): 2},
    ),
    "share, buffer and the most to be listed": (
        {"channels": {"a": {"share": 0.29}, "b": {"buffer": 3}, "c": {"max_listed": 9}}},
        stocked("A", e=100),
        {("a", "A"): 29, ("b", "A"): 97, ("c", "A"): 9},
    ),
    "an inactive product shows nothing": (
        WEB,
        stocked("A", e=5) + product("A", active=False),
        {("web", "A"): 0},
    ),
    "an older word on it does not count": (
        WEB,
        stocked("A", e=5) + product("A", 3, active=True) + product("A", 2, active=False),
        {("web", "A"): 5},
    ),
    "nor one that says nothing of it": (
        WEB,
        stocked("A", e=5) + product("A", active=False) + product("A", 3, safety_stock={"e": 1}),
        {("web", "A"): 0},
    ),
    "an excluded SKU shows nothing": (
        {"channels": {"web": {"excluded": ["A"]}}},
        stocked("A", e=5),
        {("web", "A"): 0},
    ),
    "a kit shows what its parts make": (
        WEB,
        made_of("K", A=2) + stocked("A", e=5),
        {("web", "A"): 5, ("web", "K"): 2},
    ),
    "also on a channel of every location": (
        {**EAST, **WEB},
        made_of("K", A=2) + stocked("A", e=5, w=2),
        {("web", "A"): 7, ("web", "K"): 3},
    ),
    "a kit without a part makes none": ({**EAST, **WEB}, made_of("K", A=2), {("web", "K"): 0}),
    "an inactive kit shows nothing while its parts do": (
        WEB,
        made_of("K", A=2) + stocked("A", e=5) + product("K", 3, active=False),
        {("web", "A"): 5, ("web", "K"): 0},
    ),
    "a SKU that is no kit any more shows its own stock": (
        {**EAST, **WEB},
        made_of("K", A=2) + stocked("A", e=5) + product("K", 3, components=[]) + stocked("K", w=1),
        {("web", "A"): 5, ("web", "K"): 1},
    ),
}


@pytest.mark.parametrize(("tables", "events", "shown"), TRUTHS.values(), ids=TRUTHS.keys())
def test_what_channels_are_told(
    tables: dict[str, Any], events: list[Event], shown: dict[tuple[str, str], int]
) -> None:
    said = feed(events, **tables)
    assert {listing: update["quantity"] for listing, update in said.items()} == shown


@pytest.mark.parametrize("kit", [[], made_of("A", B=1)], ids=["plain", "kit"])
def test_a_listing_goes_by_the_channels_own_id(kit: list[Event]) -> None:
    said = feed(kit + stocked("A", e=5) + stocked("B", e=5) + product("A", 3, identifiers=IDS), **WEB)
    assert said["web", "A"]["listing_id"] == "B0A"
    assert said["web", "B"]["listing_id"] == "B"


def test_what_a_channel_shows_wrongly_is_put_right_once() -> None:
    shown = says(
        "listing.observed", 9, "/web", channel="web", sku="A", quantity=99, as_of="2026-03-01T00:09:00Z"
    )
    late = says("order.accepted", 60, order_id="X")
    before = [*stocked("A", e=5), *[says("order.accepted", 8, order_id=f"O-{n}") for n in range(40)]]
    told = drive([[event] for event in [*before, shown, shown, late]], Policy.model_validate(WEB)).told
    assert [update["quantity"] for update in told["channel-updates"]] == [5, 5]
    assert told["channel-updates"][-1]["previous_quantity"] == 5


def test_less_is_shown_while_a_source_is_silent() -> None:
    tables = {
        "sources": {"/wms": {"expected_every": "1h", "feeds": ["e"]}},
        "pools": {"east": ["e"], "west": ["w"]},
        "channels": {
            "web": {"pool": "east", "stale_buffer": 2, "burst": 99},
            "shop": {"pool": "west", "stale_buffer": 2, "burst": 99},
        },
    }
    beats = [says("order.accepted", minute, order_id=f"O-{minute}") for minute in range(2, 300)]
    back = says("order.accepted", 250, "/wms", order_id="O")
    first = [{**event, "source": "/wms"} for event in stocked("A", e=5, w=7)]
    steps = [[event] for event in sorted([*first, *beats, back], key=lambda event: str(event["time"]))]
    told = drive(steps, Policy.model_validate(tables)).told["channel-updates"]
    assert [u["quantity"] for u in told if u["channel"] == "web"] == [5, 3, 5]
    assert [u["quantity"] for u in told if u["channel"] == "shop"] == [7]


def everywhere(record: dict[str, Any], pools: dict[str, list[str]]) -> int:
    """What a channel of no pool may promise, by maximum flow, from the oracle's record."""
    places = record["locations"]
    names = frozenset(place["location"] for place in places)
    asked = [Demand(p["pool"], p["unallocated"], frozenset(pools[p["pool"]])) for p in record["pools"]]
    for place in places:
        if place["free"] < 0:
            reach = frozenset(x for pool in pools.values() if place["location"] in pool for x in pool)
            asked.append(Demand(f"debt {place['location']}", -place["free"], reach))
    supply = {place["location"]: max(0, place["free"] - place["safety_stock"]) for place in places}
    return max(0, room(Demand(ALL, 0, names), asked, supply))


def ats(sku: str, pool: str, records: Records, catalogue: Catalogue, pools: dict[str, list[str]]) -> int:
    """The true number for a channel of the pool."""
    record = records.get(sku)
    listed = {} if record is None else {entry["pool"]: entry["ats"] for entry in record["pools"]}
    if pool in listed or record is None:
        return int(listed.get(pool, 0))
    if not catalogue.is_kit(sku):
        return everywhere(record, pools)
    parts = catalogue.parts(sku).items()
    return min(ats(part, pool, records, catalogue, pools) // units for part, units in parts)


def due(
    policy: Policy, channels: Iterable[str], records: Records, catalogue: Catalogue
) -> dict[tuple[str, str], int]:
    """(channel, sku) → what the channel should show, by DESIGN section 4, from the last records."""
    pools = {name: list(places) for name, places in policy.pools.items()}
    shown = {}
    for channel in channels:
        rules = policy.channels.get(channel) or Channel()
        for sku in records:
            units = Fraction(str(rules.share)) * ats(sku, policy.pool_of(channel), records, catalogue, pools)
            quantity = max(0, int(units) - rules.buffer)
            quantity = quantity if rules.max_listed is None else min(quantity, rules.max_listed)
            shown[channel, sku] = 0 if catalogue.stated(sku, "active") is False else quantity
    return shown


@pytest.mark.parametrize("seed", range(120))
def test_every_known_channel_ends_at_the_truth(seed: int) -> None:
    told = history(seed)
    policy = Policy.model_validate(told.config.settings())
    outcome = drive([[event] for event in told.events], policy)
    said = last_said(outcome.told.get("channel-updates", []))
    facts = [fact for fact in distinct(told.events)[0] if fact.type == "product.upserted"]
    channels = {e["data"]["channel"] for e in told.events if "channel" in e["data"]} | policy.channels.keys()
    true = due(policy, channels, oracle(told.events, told.config).availability, Catalogue(facts))
    assert {listing: update["quantity"] for listing, update in said.items()} == true


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A faulty day, and channels that may make far fewer calls than it has changes."""
    folder = tmp_path_factory.mktemp("day")
    simulate(Scenario(orders=600, skus=60, seed=5, faults="all", fault_rate=0.01), folder)
    tables = (folder / "sellable.toml").read_text(encoding="utf-8").partition("[channels")[0]
    (folder / "shop.toml").write_text(tables + CHANNELS, encoding="utf-8")
    return folder


def updates_of(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "channel-updates.ndjson").read_bytes().splitlines()]


def run(day: Path, output: Path, *more: str) -> list[dict[str, Any]]:
    """A whole run; every update it told."""
    words = ["run", "--input", str(day), "--output", str(output), "--job", "availability"]
    sellable(*words, "--config", str(day / "shop.toml"), *more)
    return updates_of(output)


def accepted(path: Path) -> list[Event]:
    """The events of a file that keep the contract."""
    events = []
    for line in path.read_bytes().splitlines():
        with suppress(msgspec.MsgspecError):
            _event.decode(line)
            events.append(msgspec.json.decode(line))
    return events


def products_of(day: Path) -> Catalogue:
    return Catalogue(distinct(accepted(day / "products.ndjson"))[0])


def check_truth(day: Path, output: Path, updates: list[dict[str, Any]]) -> None:
    """Every channel shows of every SKU what the last availability records allow it."""
    channels = ("amazon-us", "walmart", "storefront")
    true = due(load(day / "shop.toml"), channels, last(output, "availability"), products_of(day))
    assert {listing: update["quantity"] for listing, update in last_said(updates).items()} == true


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def check_limits(day: Path, updates: list[dict[str, Any]]) -> None:
    """In no window more than burst + rate × its length calls, in no call more updates than a batch."""
    policy = load(day / "shop.toml")
    for channel in {update["channel"] for update in updates}:
        rules = policy.channels.get(channel) or Channel()
        mine = [update for update in updates if update["channel"] == channel]
        calls = [(call, list(rides)) for call, rides in groupby(mine, key=lambda update: update["call"])]
        assert [call for call, _ in calls] == list(range(1, len(calls) + 1))
        assert max(len(rides) for _, rides in calls) <= rules.batch
        least, rate = Fraction(0), Fraction(str(rules.rate))
        for number, (_, rides) in enumerate(calls):
            (at,) = {moment(update["released_at"]) for update in rides}
            spent = number - rate * ((at - DAY) // timedelta(microseconds=1)) / 1_000_000
            least = spent if number == 0 else min(least, spent)
            assert spent + 1 - least <= rules.burst, f"{channel}: too many calls before call {number + 1}"


def check_versions(updates: list[dict[str, Any]]) -> None:
    """Each listing's versions count up."""
    known: dict[tuple[str, str], int] = {}
    for update in updates:
        listing = update["channel"], update["sku"]
        assert update["version"] == known.get(listing, 0) + 1
        known[listing] = update["version"]


@pytest.fixture(scope="module")
def alone(day: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """What one process tells."""
    output = tmp_path_factory.mktemp("alone")
    return output, run(day, output)


def test_a_day_ends_at_the_truth_within_every_limit(day: Path, alone: Any) -> None:
    output, updates = alone
    check_truth(day, output, updates)
    check_limits(day, updates)
    check_versions(updates)


def test_a_day_in_small_steps_keeps_every_limit(day: Path, alone: Any) -> None:
    """A file is read in blocks of a thousand lines; here time passes as it does on a live day."""
    valid = [event for path in sorted(day.glob("*.ndjson")) for event in accepted(path)]
    valid.sort(key=lambda event: str(event["time"]))
    steps = [valid[at : at + 20] for at in range(0, len(valid), 20)]
    outcome = drive(steps, load(day / "shop.toml"))
    updates = outcome.told["channel-updates"]
    check_limits(day, updates)
    check_versions(updates)
    assert len(updates) > 3 * len(last_said(updates)), "most must be told while the day goes on"
    assert {reason for update in updates if (reason := update["reason"])} >= {"zero", "decrease", "increase"}
    waited = [moment(update["released_at"]) - moment(update["queued_at"]) for update in updates]
    assert max(waited) > timedelta(minutes=1), "calls must be short"


def test_two_processes_tell_the_same_in_the_end(day: Path, alone: Any, tmp_path: Path) -> None:
    updates = run(day, tmp_path, "--workers", "2")
    check_truth(day, tmp_path, updates)
    check_limits(day, updates)
    assert quantities(updates) == quantities(alone[1])


def quantities(updates: list[dict[str, Any]]) -> dict[tuple[str, str], int]:
    return {listing: update["quantity"] for listing, update in last_said(updates).items()}


def test_a_killed_run_goes_on_within_the_limits(day: Path, alone: Any, tmp_path: Path) -> None:
    output, state = tmp_path / "out", tmp_path / "state"
    words = ["--state", str(state), "--epoch", "0s"]
    whole = ["run", "--input", str(day), "--output", str(output), "--job", "availability"]
    whole += ["--config", str(day / "shop.toml"), *words]
    for part in (1, 2):
        run_until_killed(whole, output, part * 300_000)
    updates = run(day, output, *words)
    check_limits(day, updates)
    check_versions(updates)
    assert quantities(updates) == quantities(alone[1])


def test_how_every_channel_does_is_told(day: Path, alone: Any) -> None:
    output, updates = alone
    feeds = feeds_of(output)
    assert set(feeds) == {"amazon-us", "storefront", "walmart"}
    for channel, feed_ in feeds.items():
        assert (feed_.waiting, feed_.units_at_risk, feed_.oldest) == (0, 0, None)
        assert feed_.calls == max(update["call"] for update in updates if update["channel"] == channel)
        assert feed_.calls <= feed_.allowed


def test_a_run_that_knows_no_channel_says_nothing_of_channels(tmp_path: Path) -> None:
    assert feeds_of(tmp_path) == {}
