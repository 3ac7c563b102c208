"""How long choosing a batch takes with very many SKUs waiting on one channel."""

from __future__ import annotations

import gc
from random import Random
from time import process_time
from typing import NamedTuple

from canonical.policy import Channel
from operators.throttle.feed import Feed
from operators.throttle.instants import SECOND

BATCHES = 2_000


class Choosing(NamedTuple):
    """Milliseconds of processor a call, from "a call is due" to its updates made out: the machine may be shared."""

    median: float
    p99: float


def measure(waiting: int) -> Choosing:
    """Fill a channel with `waiting` updates, half of them with demand known; time calls of 25, with offers between."""
    rng = Random(1)
    feed = Feed("big", Channel(rate=5, burst=1, batch=25))
    for sku in range(waiting):
        if sku % 2:
            feed.sold(f"s{sku}", rng.randrange(1, 9), 1, 1)
        feed.offer(f"s{sku}", rng.randrange(100), 1)
    feed.start(SECOND)
    gc.freeze()
    took = []
    for _ in range(BATCHES):
        for _ in range(25):
            feed.offer(f"s{rng.randrange(waiting)}", rng.randrange(100), feed.at)
        due = feed.due
        begun = process_time()
        updates = feed.advance(due, inclusive=True)
        took.append(1e3 * (process_time() - begun))
        assert len(updates) == 25, "a call should have been due"
    took.sort()
    return Choosing(took[BATCHES // 2], took[BATCHES * 99 // 100])
