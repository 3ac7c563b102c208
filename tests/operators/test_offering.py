"""What a SKU shard has for the channels: what products state, field by field, and each thing once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from canonical import events as e
from canonical.messages import Time
from canonical.outputs import Availability, LocationAvailability, PoolAvailability
from canonical.policy import Policy
from operators.offering import Offering
from tests.oracle.pools import Demand, room

DAY = datetime(2026, 3, 1, tzinfo=UTC)
TIME = Time("skus-00", DAY, DAY, ended=False, now=DAY)


def product(minute: int, version: int | None = None, **fields: Any) -> e.ProductUpserted:
    data = e.Product("A", version, **fields)
    at = DAY + timedelta(minutes=minute)
    return e.ProductUpserted(
        specversion="1.0", id=str(minute), source="/erp", subject="A", time=at, data=data
    )


def ids(channel: str | None, value: str) -> list[e.Identifier]:
    return [e.Identifier("asin", value, channel)]


def after(*products: e.ProductUpserted, policy: Policy | None = None) -> Offering:
    offering = Offering(policy or Policy())
    for each in products:
        offering.hear("A", each, f"{each.source}\x00{each.id}")
    return offering


# what is stated → active, listings
STATED = {
    "nothing": ([], True, {}),
    "the later word": ([product(1, active=True), product(2, active=False)], False, {}),
    "the higher version, whenever it was": (
        [product(1, 7, active=True), product(2, 6, active=False)],
        True,
        {},
    ),
    "what is absent states nothing": ([product(1, active=False), product(2, 9)], False, {}),
    "fields by themselves": (
        [product(1, 9, active=False), product(2, 3, active=True, identifiers=ids("web", "B0"))],
        False,
        {"web": "B0"},
    ),
    "an identifier of no channel is no listing": ([product(1, identifiers=ids(None, "40"))], True, {}),
    "all identifiers of a statement count": (
        [product(1, identifiers=ids("web", "B0")), product(2, identifiers=ids("shop", "S0"))],
        True,
        {"shop": "S0"},
    ),
}


@pytest.mark.parametrize(("products", "active", "listings"), STATED.values(), ids=STATED.keys())
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_what_products_state(
    products: list[e.ProductUpserted], active: bool, listings: dict[str, str], order: int
) -> None:
    offering = after(*products[::order])
    again = Offering(Policy())
    again.restore(offering.snapshot())
    for each in (offering, again):
        assert (each.wares("A").active, each.wares("A").listings) == (active, listings)


def record(free: list[int], safety: list[int], pools: dict[str, int]) -> Availability:
    places = [
        LocationAvailability(name, units, 0, 0, 0, kept, units)
        for name, units, kept in zip("abcd", free, safety, strict=False)
    ]
    asked = [PoolAvailability(name, 0, units) for name, units in pools.items()]
    return Availability("A", 1, DAY, asked, 0, places, "cause")


@pytest.mark.parametrize("seed", range(100))
def test_what_a_channel_of_every_location_may_promise_by_maximum_flow(seed: int) -> None:
    rng = Random(seed)
    names = "abcd"[: rng.randint(1, 4)]
    pools = {f"P{n}": tuple(rng.sample(names, rng.randint(1, len(names)))) for n in range(rng.randint(1, 4))}
    free, safety = [rng.randint(-6, 10) for _ in names], [rng.choice([0, 0, 3]) for _ in names]
    asked = {name: rng.choice([0, 0, 2, 7]) for name in pools}
    demands = [Demand(name, units, frozenset(pools[name])) for name, units in asked.items()]
    for name, units in zip(names, free, strict=True):
        reach = frozenset(place for places in pools.values() if name in places for place in places)
        demands += [Demand(f"debt {name}", -units, reach)] if units < 0 else []
    supply = {name: max(0, n - kept) for name, n, kept in zip(names, free, safety, strict=True)}
    offering = Offering(Policy.model_validate({"pools": pools}))
    promised = offering.everywhere(record(free, safety, asked))
    assert promised == max(0, room(Demand("all", 0, frozenset(names)), demands, supply))


def test_an_offer_has_every_pool_of_the_record_and_the_one_of_every_location() -> None:
    offering = after(policy=Policy.model_validate({"pools": {"east": ["a"], "west": ["b"]}}))
    told = record([5, 7], [0, 0], {"east": 0, "west": 0})
    told.pools[0].ats, told.pools[1].ats = 5, 7
    offering.offer(told, "rank")
    news = offering.take(TIME, beat=False)
    assert news is not None
    assert news.offers[0].pools == [("east", 5), ("west", 7), ("all", 12)]


def test_everything_is_taken_once_and_the_time_with_every_beat() -> None:
    offering = after()
    assert offering.take(TIME, beat=False) is None
    beat = offering.take(TIME, beat=True)
    assert beat is not None
    assert (beat.offers, beat.answers, beat.time) == ([], [], TIME)
    seen = e.ListingObservation("web", "A", 3, DAY)
    event = e.ListingObserved(specversion="1.0", id="1", source="/web", subject="A", time=DAY, data=seen)
    offering.hear("A", event, "rank")
    news = offering.take(TIME, beat=False)
    assert news is not None
    assert news.answers == [event]
    assert offering.take(TIME, beat=False) is None
