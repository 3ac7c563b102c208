"""What a channel may show of what can be sold."""

from __future__ import annotations

from typing import Any

import pytest

from canonical.policy import Channel, Policy
from operators.throttle.quote import Quote, stale_pools


@pytest.mark.parametrize(
    ("settings", "ats", "shown"),
    [
        ({}, 7, 7),
        ({"share": 0.5}, 7, 3),
        ({"share": 0.29}, 100, 29),  # 0.29 × 100 is 28.999… in binary
        ({"buffer": 3}, 7, 4),
        ({"buffer": 3}, 2, 0),
        ({"max_listed": 5}, 7, 5),
        ({"max_listed": 5, "buffer": 4}, 7, 3),
        ({"share": 0.0}, 7, 0),
        ({"stale_buffer": 3}, 7, 7),
        ({"excluded": ["sku"]}, 7, 0),
    ],
)
def test_the_quantity_shown(settings: dict[str, Any], ats: int, shown: int) -> None:
    assert Quote(Channel(**settings)).quantity("sku", ats, active=True, stale=False) == shown


def test_an_inactive_product_shows_nothing() -> None:
    assert Quote(Channel()).quantity("sku", 7, active=False, stale=False) == 0


def test_a_stale_source_takes_the_stale_buffer_off() -> None:
    assert Quote(Channel(buffer=1, stale_buffer=2)).quantity("sku", 7, active=True, stale=True) == 4


def test_a_stale_source_makes_the_pools_of_its_locations_stale() -> None:
    policy = Policy.model_validate(
        {
            "pools": {"east": ["dc-1", "dc-2"], "west": ["dc-3"]},
            "sources": {"/wms/1": {"feeds": ["dc-1"]}, "/erp": {}},
        }
    )
    assert stale_pools(policy, {"/wms/1"}) == {"east", "all"}
    assert stale_pools(policy, {"/erp", "/unknown"}) == set()
