"""`make bench-throttle`: what each policy costs at equal calls, and how long choosing a batch takes (some minutes).

Judged on seeds 1 to 6. Seeds from 101 on were used to look at settings, and no figure of theirs is printed here.
Regret = (cost − clairvoyant) / (first in, first out − clairvoyant). Exits with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import sys
from functools import cache
from multiprocessing import Pool
from statistics import mean

from canonical.policy import Channel
from operators.throttle.risk import Ranking
from tests.bench.throttle.choosing import measure
from tests.bench.throttle.market import CHANNELS, Market, Size, market
from tests.bench.throttle.replay import Replay, Result
from tests.bench.throttle.rivals import Clairvoyant, FirstInFirstOut, LargestChange, ZeroFirst

RATES = (0.5, 1.0, 2.0, 4.0, 10.0)
"""Calls a minute and channel."""
OURS, FIFO, BOUND = "expected cost", "first in, first out", "clairvoyant"
RIVALS: dict[str, type[Ranking]] = {
    FIFO: FirstInFirstOut,
    "largest change": LargestChange,
    "zero first": ZeroFirst,
}
POLICIES = (*RIVALS, OURS, BOUND)
RATIO = {0.5: 3.0, 1.0: 6.0, 2.0: 6.0, 4.0: 3.0}
"""Times cheaper than first in, first out, at least."""
REGRET = {0.5: 0.30, 1.0: 0.15, 2.0: 0.15, 4.0: 0.30, 10.0: 0.30}
"""At most."""
CHOOSING_MS = 1.0
Task = tuple[int, float, Size]
Costs = dict[str, list[Result]]


@cache
def _market(seed: int, size: Size) -> Market:
    return market(seed, size)


def play(task: Task) -> tuple[Task, dict[str, Result]]:
    """One market at one rate under every policy. Only ours shares with the oldest, as it does in earnest."""
    seed, rate, size = task
    played = _market(seed, size)
    ours = Channel(rate=rate / 60, burst=10, lowers_on_sale=True)
    selfish = ours.model_copy(update={"fair_share": 0.0})
    results = {
        name: Replay(played, selfish, [rival()] * len(CHANNELS)).run() for name, rival in RIVALS.items()
    }
    results[OURS] = Replay(played, ours, [None] * len(CHANNELS)).run()
    seers = [Clairvoyant(played, channel) for channel in range(len(CHANNELS))]
    results[BOUND] = Replay(played, selfish, seers).run()
    return task, results


def table(seeds: int, size: Size, processes: int) -> dict[float, Costs]:
    """rate → policy → one result per seed."""
    tasks = [(seed, rate, size) for seed in range(1, seeds + 1) for rate in RATES]
    results: dict[float, Costs] = {rate: {name: [] for name in POLICIES} for rate in RATES}
    with Pool(processes) as pool:
        for (_, rate, _), played in pool.imap(play, tasks):
            for name, result in played.items():
                results[rate][name].append(result)
    return results


def show(rate: float, costs: Costs) -> bool:
    """Print the lines of one rate; returns whether the targets were met."""
    cost = {name: mean(result.cost for result in results) for name, results in costs.items()}
    span = cost[FIFO] - cost[BOUND]
    for name, results in costs.items():
        over = mean(1e4 * result.oversold / result.demanded for result in results)
        lost = mean(1e4 * result.lost / result.demanded for result in results)
        calls = mean(result.calls for result in results)
        oldest = max(result.oldest for result in results)
        ratio = f"{cost[FIFO] / cost[name]:7.1f}×" if cost[name] else "       ∞"
        regret = f"{(cost[name] - cost[BOUND]) / span:6.3f}" if span else "      "
        units = f"{cost[name]:8.1f} {over:8.1f} {lost:7.1f}"
        print(f"{rate:5} {name:20} {units} {ratio} {regret} {calls:9.0f} {oldest:7.0f}")
    ratio_met = cost[FIFO] >= RATIO.get(rate, 0) * cost[OURS]
    return ratio_met and cost[OURS] - cost[BOUND] <= REGRET[rate] * span


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--seeds", type=int, default=6)
    arguments.add_argument("--skus", type=int, default=Size().skus)
    arguments.add_argument("--processes", type=int, default=2)
    asked = arguments.parse_args()
    results = table(asked.seeds, Size(skus=asked.skus), asked.processes)
    print("Per 10,000 units demanded; cost = 5·oversold + lost; the oldest update in hours, worst seed.")
    print("rate  policy                   cost oversold    lost    ratio regret     calls  oldest")
    missed = [rate for rate, costs in results.items() if not show(rate, costs)]
    for rate in missed:
        print(
            f"MISSED at {rate} calls a minute: at least {RATIO.get(rate, '-')}×, regret at most {REGRET[rate]}"
        )
    choosing = measure(1_000_000)
    print(
        f"choosing a batch of 25 among 1,000,000: median {choosing.median:.3f} ms, 99 % within {choosing.p99:.3f} ms"
    )
    return 1 if missed or choosing.p99 >= CHOOSING_MS else 0


if __name__ == "__main__":
    sys.exit(main())
