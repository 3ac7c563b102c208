"""Kits: definitions, versions, nesting; and what can be sold of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from canonical.events import Component, Product, ProductUpserted
from canonical.messages import Part, Parts
from canonical.outputs import Availability, PoolAvailability
from canonical.policy import Policy
from operators.kit_shard import KitShard
from operators.kits import Kits

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def defined(
    sku: str, parts: dict[str, int] | None, minute: int = 0, version: int | None = None
) -> ProductUpserted:
    components = None if parts is None else [Component(part, units) for part, units in parts.items()]
    return ProductUpserted(
        specversion="1.0",
        id=f"{sku} {minute} {version}",
        source="/catalogue",
        subject=sku,
        time=DAY + timedelta(minutes=minute),
        data=Product(sku, version, components=components),
    )


def after(*events: ProductUpserted) -> Kits:
    kits = Kits()
    for event in events:
        kits.apply(event)
    return kits


def test_a_kit_is_its_components() -> None:
    assert after(defined("K", {"C": 2, "D": 1})).parts("K") == {"C": 2, "D": 1}


def test_a_plain_sku_has_no_parts() -> None:
    assert after(defined("K", None)).parts("K") is None


def test_nested_kits_are_flattened() -> None:
    assert after(defined("K", {"L": 2, "C": 1}), defined("L", {"C": 3})).parts("K") == {"C": 7}


def test_a_cycle_is_cut_where_it_closes() -> None:
    assert after(defined("K", {"L": 2}), defined("L", {"K": 1, "C": 1})).parts("K") == {"K": 2, "C": 2}


def test_the_highest_version_wins_in_any_order_of_arrival() -> None:
    events = [defined("K", {"A": 1}, 0, 1), defined("K", {"B": 1}, 1, 3), defined("K", {"C": 1}, 2, 2)]
    assert {tuple(after(*order).parts("K") or ()) for order in permutations(events)} == {("B",)}


def test_without_versions_the_latest_wins() -> None:
    assert after(defined("K", {"B": 1}, 5), defined("K", {"A": 1}, 1)).parts("K") == {"B": 1}


def test_a_repeat_changes_nothing_whatever_it_holds() -> None:
    kits = after(defined("K", {"A": 1}))
    assert kits.apply(defined("K", {"Z": 9})) == set()
    assert kits.parts("K") == {"A": 1}


def test_no_components_end_a_kit_but_it_is_remembered() -> None:
    kits = after(defined("K", {"A": 1}, 0), defined("K", {}, 1))
    assert (kits.parts("K"), kits.is_kit("K"), kits.ever("K")) == (None, True, {"A"})


def test_a_change_concerns_every_kit_it_is_in() -> None:
    kits = after(defined("K", {"L": 1}), defined("M", {"C": 1}))
    assert kits.apply(defined("L", {"C": 1})) == {"K", "L"}


def test_a_restored_table_is_the_same() -> None:
    kits, again = after(defined("K", {"L": 2}), defined("L", {"C": 3}), defined("L", {}, 9)), Kits()
    again.restore(kits.snapshot())
    assert (again.parts("K"), again.ever("K")) == (kits.parts("K"), kits.ever("K"))


def record(sku: str, ats: int, version: int = 1) -> Part:
    return Part(sku, Availability(sku, version, DAY, [PoolAvailability("all", ats, 0)], 0, [], sku), "")


# components of K = {C: 2, D: 1}: ats of C and D → ats of K
SALES = {"the scarcest decides": (5, 9, 2), "halves do not make one": (1, 9, 0), "the other way": (9, 3, 3)}


@pytest.mark.parametrize(("c", "d", "makes"), SALES.values(), ids=SALES.keys())
def test_ats_of_a_kit(c: int, d: int, makes: int) -> None:
    shard = KitShard(0, 1, Policy())
    parts = [record("K", 0), record("C", c, 3), record("D", d, 4)]
    (told,) = shard.apply([Parts(parts, [defined("K", {"C": 2, "D": 1})])])
    assert (told.sku, told.pools, told.version) == ("K", [PoolAvailability("all", makes, 0)], 8)


def test_a_component_nobody_knows_makes_none() -> None:
    (told,) = KitShard(0, 1, Policy()).apply([Parts([record("K", 0)], [defined("K", {"C": 2})])])
    assert told.pools[0].ats == 0
