"""The contestants on the same day, each round all of them in turn, so that ratios are between neighbours in time."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import median

from msgspec import Struct

from tests.bench.day import CACHE
from tests.bench.measure import Running, Taken, measured

JOB = ["-m", "dataflows", "run", "--job", "availability"]
QUIET = ["-m", "tests.bench.quiet", "run", "--job", "availability"]
RIVAL = ["-m", "tests.bench.plainflow"]
FLOOR = ["-m", "tests.bench.floor"]
CONTESTANTS: dict[str, tuple[list[str], bool]] = {
    "job": (JOB, False),
    "numbers": (QUIET, False),
    "rival": (RIVAL, False),
    "floor": (FLOOR, False),
    "job, recovery": (JOB, True),
    "numbers, recovery": (QUIET, True),
    "rival, recovery": (RIVAL, True),
}
"""Name → how it is started, and whether with recovery on. `numbers` is the job without exceptions and channels."""


class Race(Struct):
    """What each contestant took in each round, and on how many events."""

    events: dict[str, int]
    rounds: dict[str, list[Taken]]

    def rate(self, name: str) -> float:
        """Events per second of wall-clock, in the median round."""
        return self.events[name] / median(taken.wall for taken in self.rounds[name])

    def cost(self, name: str) -> float:
        """Microseconds of processor time per event, in the median round."""
        return 1e6 * median(taken.cpu for taken in self.rounds[name]) / self.events[name]

    def peak(self, name: str) -> float:
        return max(taken.peak for taken in self.rounds[name])

    def ratio(self, slower: str, faster: str, of: str = "wall") -> float:
        """How many times the time per event of `faster` the other takes; the median over rounds."""
        pairs = zip(self.rounds[slower], self.rounds[faster], strict=True)
        share = self.events[faster] / self.events[slower]
        shares = [float(getattr(one, of) / getattr(two, of)) for one, two in pairs]
        return median(shares) * share


def output_of(name: str) -> Path:
    return CACHE / "out" / name.replace(", ", "-")


def arguments(name: str, day: Path, epoch: float) -> list[str]:
    """A contestant's command line, with an empty output (and state) of its own."""
    command, recovery = CONTESTANTS[name]
    output = output_of(name)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    call = [*command, "--input", str(day), "--output", str(output / "records")]
    if command is FLOOR:
        return call
    call += ["--epoch", f"{epoch:g}" if command is RIVAL else f"{epoch:g}s"]
    return [*call, "--state", str(output / "state")] if recovery else call


def race(days: dict[str, tuple[Path, int]], repeat: int, epoch: float) -> Race:
    """`days`: contestant → its day and events. The order turns by one each round."""
    names = list(days)
    rounds: dict[str, list[Taken]] = {name: [] for name in names}
    for turn in range(repeat):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            taken = measured(arguments(name, days[name][0], epoch), CACHE / "words.txt")
            rounds[name].append(taken)
            print(f"  round {turn + 1}, {name}: {taken.wall:.1f} s, processor {taken.cpu:.1f} s", flush=True)
    return Race({name: events for name, (_, events) in days.items()}, rounds)


class Two(Struct, frozen=True):
    """Speed with two processes as a multiple of one's: as one cluster, and as two that know nothing of each other."""

    cluster: float
    unrelated: float


def two(day: Path, repeat: int, epoch: float) -> Two:
    """Each round: one process, two as a cluster, two unrelated ones on the same input."""
    cluster, unrelated = [], []
    log = CACHE / "words.txt"
    for turn in range(repeat):
        one = measured(arguments("job", day, epoch), log).wall
        together = measured([*arguments("job", day, epoch), "--workers", "2"], log).wall
        both = [
            Running(arguments(name, day, epoch), CACHE / f"words-{name}.txt") for name in ("job", "job, twin")
        ]
        apart = max(running.wait().wall for running in both)
        print(
            f"  round {turn + 1}: one {one:.1f} s, cluster {together:.1f} s, unrelated {apart:.1f} s",
            flush=True,
        )
        cluster.append(one / together)
        unrelated.append(2 * one / apart)
    return Two(median(cluster), median(unrelated))


CONTESTANTS["job, twin"] = (JOB, False)


def flat(days: list[tuple[Path, int]], empty: Path, repeat: int, epoch: float) -> dict[int, float]:
    """Events → microseconds of processor time per event beyond starting and ending, for days of different size."""
    log = CACHE / "words.txt"
    costs: dict[int, list[float]] = {events: [] for _, events in days}
    for _ in range(repeat):
        start = measured(arguments("job", empty, epoch), log).cpu
        for day, events in days:
            costs[events].append(1e6 * (measured(arguments("job", day, epoch), log).cpu - start) / events)
    return {events: median(each) for events, each in costs.items()}
