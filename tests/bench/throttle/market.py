"""A replayable market: what is ordered and delivered, SKU by SKU, for weeks; the same for every policy.

Set up as a simulation on real retail demand was: 3 channels (50/30/20 %), every SKU replenished every two days to 1.3 ×
its mean, all between 06:00 and 07:00, orders above 60 units dropped, 1,500 SKUs, some 0.7 million units. Demand is made
up: Zipf over SKUs, order sizes log-normal (not what the policy assumes), popularity that drifts from week to week
and leaps from day to day, each channel its own curve over the day, and flash sales.
"""

from __future__ import annotations

from itertools import accumulate
from math import ceil
from random import Random
from typing import NamedTuple

from sources.simulator.demand import curve

CHANNELS = ("amazon", "shopify", "walmart")
SHARES = (0.5, 0.3, 0.2)
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
CYCLE = 2
"""Days between replenishments of a SKU."""
SERVICE = 1.3
LARGEST = 60
"""Units; larger orders do not come over a channel."""


class Size(NamedTuple):
    """How large the market is. `warm_up`: weeks of orders known before those that count. `campaign`: SKUs in a sale."""

    skus: int = 1_500
    weeks: int = 8
    warm_up: int = 4
    lines: int = 80_000
    flash_sales: int = 24
    campaign: int = 60


class Order(NamedTuple):
    at: int
    channel: int
    sku: int
    units: int


class Delivery(NamedTuple):
    """Stock is filled up to `level`."""

    at: int
    sku: int
    level: int


class Market(NamedTuple):
    """`past`: orders before time 0; `future`: orders and deliveries after it, in time order; `levels`: stock at 0."""

    past: list[Order]
    future: list[Order | Delivery]
    levels: list[int]
    end: int


def market(seed: int, size: Size) -> Market:
    """The market of one seed."""
    rng = Random(f"{seed}:market")
    weights = [1 / (rank + 3) ** 0.8 for rank in range(size.skus)]
    sizes = [min(30.0, rng.lognormvariate(1.9, 0.8)) for _ in weights]
    past: list[Order] = []
    orders: list[Order] = []
    drift = [1.0] * size.skus
    for day in range(-7 * size.warm_up, 7 * size.weeks):
        if day % 7 == 0:
            drift = [0.7 * now + 0.3 * rng.lognormvariate(-0.5, 1.0) for now in drift]
        popularity = [w * now * rng.lognormvariate(-0.5, 1.0) for w, now in zip(weights, drift, strict=True)]
        (orders if day >= 0 else past).extend(
            _day(rng, day, popularity, sizes, size.lines // (7 * size.weeks))
        )
    orders += _flash_sales(rng, size, weights, sizes)
    units = sum(order.units for order in orders) / (size.weeks * 7) * CYCLE
    expected = [w * s for w, s in zip(weights, sizes, strict=True)]
    scale = units / sum(expected)
    levels = [ceil(SERVICE * scale * each) for each in expected]
    future: list[Order | Delivery] = [*orders, *_deliveries(rng, size, levels)]
    future.sort(key=lambda event: event.at)
    return Market(sorted(past), future, levels, size.weeks * 7 * DAY)


def _day(rng: Random, day: int, popularity: list[float], sizes: list[float], lines: int) -> list[Order]:
    skus = rng.choices(range(len(sizes)), cum_weights=list(accumulate(popularity)), k=lines)
    channels = rng.choices(range(len(CHANNELS)), SHARES, k=lines)
    hours = [list(accumulate(curve(channel))) for channel in CHANNELS]
    orders = []
    for sku, channel in zip(skus, channels, strict=True):
        hour = rng.choices(range(24), cum_weights=hours[channel])[0]
        if (units := _units(rng, sizes[sku])) <= LARGEST:
            orders.append(Order(day * DAY + hour * HOUR + rng.randrange(HOUR), channel, sku, units))
    return orders


def _units(rng: Random, mean: float) -> int:
    return max(1, round(mean * rng.lognormvariate(-0.32, 0.8)))


def _flash_sales(rng: Random, size: Size, weights: list[float], sizes: list[float]) -> list[Order]:
    """Campaigns: some SKUs on one channel sell within hours what they sell in days."""
    orders = []
    per_day = size.lines / (size.weeks * 7) / sum(weights)
    for _ in range(size.flash_sales):
        channel = rng.randrange(len(CHANNELS))
        start = rng.randrange(size.weeks * 7) * DAY + rng.randrange(9, 18) * HOUR
        length = rng.randrange(2, 5) * HOUR
        for sku in rng.sample(range(len(sizes)), size.campaign):
            for _ in range(ceil(rng.uniform(0, 2) * weights[sku] * per_day)):
                units = min(LARGEST, _units(rng, sizes[sku]))
                orders.append(Order(start + rng.randrange(length), channel, sku, units))
    return orders


def _deliveries(rng: Random, size: Size, levels: list[int]) -> list[Delivery]:
    return [
        Delivery(day * DAY + 6 * HOUR + rng.randrange(HOUR), sku, level)
        for sku, level in enumerate(levels)
        for day in range(0, size.weeks * 7, CYCLE)
    ]
