"""The engine of a simulated day: a clock, a heap of steps to come, and the systems that speak.

A step is a function of (simulation, payload); it emits events at the present time and plans the steps that
follow from it. Nothing that lies beyond the end is kept, so memory holds open business only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from random import Random
from typing import Any

from sources.simulator.clock import DAY, MINUTE, instant, stamp
from sources.simulator.scenario import LOCATIONS, POOLS, Scenario
from sources.simulator.world import World
from sources.simulator.writer import STEM_OF, Writer, encode

Step = Callable[["Simulation", Any], None]
Event = dict[str, Any]

SETTLE = 15 * MINUTE
"""Freed or received units are offered again only after this long: longer than any allowed disorder between
streams, so that no reader can see a sale before the stock it was sold from."""

_EXTRAS_EVERY = 50  # one event in so many carries the optional attributes


class Source:
    """A system that speaks. A `numbered` one gives its inventory messages a sequence.

    `skew` is the error of its clock in ms; `extra` holds, per event type, an unknown field it sends:
    (in the data, not the envelope?, name, value); `first` when it first did.
    """

    __slots__ = ("count", "extra", "first", "last", "name", "numbered", "prefix", "sequence", "skew")

    def __init__(self, name: str, *, numbered: bool = False) -> None:
        self.name = name
        self.prefix = name[1:].replace("/", "-") + "-"
        self.numbered = numbered
        self.count = 0
        self.sequence = 0
        self.skew = 0
        self.extra: dict[str, tuple[bool, str, str]] = {}
        self.first: dict[str, int] = {}
        self.last = 0


class Channel:
    """A place customers order at. `homes` lists the places of its pool as often as they are preferred."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = Source(f"/channels/{name}")
        self.prefix = name.upper()
        self.pool = "national" if "amazon" in name or "walmart" in name else "regional"
        self.places = tuple(LOCATIONS.index(place) for place in POOLS[self.pool])
        self.homes = (0, 0, 0, 1, 1, 2) if self.pool == "national" else (0, 0, 3, 3)
        self.listed: dict[int, int] = {}  # SKU -> version of the listing last acknowledged
        self.strange: set[int] = set()  # SKUs whose listings a fault has in hand


class Simulation:
    """Everything a step may touch.

    `send`, `assign` and `follow` are set when faults are on: the first carries an event to its file in some
    other way, the second may give a new order its trouble, the third gives an order a certain trouble.
    """

    def __init__(self, scenario: Scenario, writer: Writer) -> None:
        self.scenario = scenario
        self.writer = writer
        self.world = World(scenario)
        self.start = self.now = instant(scenario.start)
        self.end = self.start + scenario.days * DAY
        self.rng = Random(f"{scenario.seed}:life")
        self.draw = self.rng.random
        self.heap: list[tuple[int, int, Step, Any]] = []
        self.ticket = 0
        self.serial = {"order": 0, "shipment": 0, "posting": 0, "return": 0, "refund": 0}
        self.channels = tuple(Channel(name) for name in scenario.channels)
        self.erp, self.oms = Source("/erp/main"), Source("/oms/main")
        self.ledger, self.catalogue = Source("/erp/stock"), Source("/catalogue/main")
        self.carriers = (Source("/carriers/ups"), Source("/carriers/fedex"))
        self.warehouses = tuple(Source(f"/wms/{place}", numbered=True) for place in LOCATIONS)
        self.send: Callable[[str, Source, Event], None] | None = None
        self.assign: Callable[[Any], None] | None = None
        self.follow: Callable[[Any, Any], None] | None = None
        self.muted = (0, 0)  # the ERP reports no balances in this stretch of time

    def span(self, low: int, high: int) -> int:
        """A random length of time in [low, high) ms, even as all physical times are."""
        return low + int((high - low) * self.draw()) & ~1

    def next(self, series: str) -> int:
        """The next number of a series of documents, from 1."""
        self.serial[series] = number = self.serial[series] + 1
        return number

    def at(self, when: int, step: Step, payload: Any) -> None:
        """Plan a step, unless it lies beyond the end."""
        if when <= self.end:
            self.ticket = ticket = self.ticket + 1
            heappush(self.heap, (when & ~1, ticket, step, payload))

    def cut(self, when: int, step: Step, payload: Any) -> None:
        """Plan a look at the books: at an odd millisecond, when nothing moves."""
        if when < self.end:
            self.ticket = ticket = self.ticket + 1
            heappush(self.heap, (when | 1, ticket, step, payload))

    def emit(self, source: Source, kind: str, subject: str, data: Event) -> int:
        """One event of now by a source's clock → that time, in ms."""
        source.count = count = source.count + 1
        source.last = self.now
        time = self.now if source.skew == 0 else min(self.now + source.skew, self.end)
        stem = STEM_OF[kind]
        event: Event = {
            "specversion": "1.0",
            "id": source.prefix + str(count),
            "source": source.name,
            "type": kind,
            "subject": subject,
            "time": stamp(time),
        }
        if source.numbered and stem == "inventory":
            source.sequence = sequence = source.sequence + 1
            event["sequence"] = str(sequence)
        if count % _EXTRAS_EVERY == 0:
            event["dataschema"] = kind + "/1"
            event["correlationid"] = data.get("order_id") or data["sku"]
            event["traceparent"] = f"00-{time:016x}{count:016x}-{count:016x}-01"
        event["data"] = data
        if kind in source.extra:
            inside, name, value = source.extra[kind]
            source.first.setdefault(kind, time)
            (data if inside else event)[name] = value
        if self.send is None:
            self.writer.write(stem, encode(event))
        else:
            self.send(stem, source, event)
        return time

    def run(
        self, arrivals: Iterator[tuple[int, int]], place: Step, progress: Callable[[int, int], None] | None
    ) -> None:
        """Take arrivals and planned steps in time order until both are used up."""
        total = self.scenario.orders
        for done, (time, channel) in enumerate(arrivals, 1):
            self._until(time)
            self.now = time
            place(self, self.channels[channel])
            if progress is not None and done % 1000 == 0:
                progress(done, total)
        self._until(self.end)
        if progress is not None:
            progress(total, total)

    def _until(self, time: int) -> None:
        heap = self.heap
        while heap and heap[0][0] <= time:
            self.now, _, step, payload = heappop(heap)
            step(self, payload)
