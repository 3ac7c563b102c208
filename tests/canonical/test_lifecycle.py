"""The chain of milestones, keys and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from canonical.errors import REFUSALS, Code
from canonical.keys import fingerprint, shard_of
from canonical.lifecycle import CHAIN, MILESTONE_OF, OWNERS, imply

DAY = datetime(2026, 3, 1, tzinfo=UTC)

# own milestone times in minutes → effective ones
CHAINS: dict[str, tuple[dict[str, int], dict[str, int]]] = {
    "in order": ({"placed": 0, "accepted": 5}, {"placed": 0, "accepted": 5}),
    "a later one implies the earlier": (
        {"placed": 0, "picked": 9},
        {"placed": 0, "accepted": 9, "allocated": 9, "released": 9, "picked": 9},
    ),
    "an earlier one told later was reached by then": (
        {"placed": 0, "accepted": 9, "allocated": 4},
        {"placed": 0, "accepted": 4, "allocated": 4},
    ),
    "placed keeps its own time": ({"placed": 7, "accepted": 3}, {"placed": 7, "accepted": 3}),
    "placed is implied where nobody said it": ({"accepted": 3}, {"placed": 3, "accepted": 3}),
    "nothing": ({}, {}),
}


@pytest.mark.parametrize(("own", "effective"), CHAINS.values(), ids=CHAINS.keys())
def test_imply(own: dict[str, int], effective: dict[str, int]) -> None:
    told = imply({name: DAY + timedelta(minutes=minute) for name, minute in own.items()})
    assert {name: int((at - DAY).total_seconds() // 60) for name, at in told.items()} == effective


def test_milestones_come_in_the_order_of_the_chain() -> None:
    told = imply(dict.fromkeys(reversed(CHAIN), DAY))
    assert tuple(told) == CHAIN


def test_every_milestone_of_a_type_is_one_of_the_tables() -> None:
    assert set(MILESTONE_OF.values()) <= {*CHAIN, "returned", "refunded"}
    assert set(OWNERS) - {"acknowledged"} <= set(CHAIN)


def test_every_refusal_has_a_sentence() -> None:
    assert set(REFUSALS) == set(get_args(Code))


@pytest.mark.parametrize(("key", "shard"), [("O-1", 10), ("SKU-000001", 10), ("", 0), ("ä", 3)])
def test_the_shard_of_a_key_never_changes(key: str, shard: int) -> None:
    """Golden values: state on disk depends on them."""
    assert shard_of(key, 16) == shard


def test_a_fingerprint_never_changes() -> None:
    assert fingerprint("/wms/dc-east", "42") == 6968294355816804965


def test_source_and_id_do_not_run_together() -> None:
    assert fingerprint("a", "bc") != fingerprint("ab", "c")
