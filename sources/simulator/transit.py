"""The way from a system to its file: repeated, overtaken, held up for hours, or all at once."""

from __future__ import annotations

from random import Random
from typing import Any

from sources.simulator.clock import HOUR, MINUTE, SECOND, stamp
from sources.simulator.simulation import Event, Simulation, Source
from sources.simulator.truth import tell_fault
from sources.simulator.writer import encode

_TURNS = (
    "duplicates",
    "reordering",
    "altered_duplicates",
    "late",
    "duplicates",
    "reordering",
    "reordering",
    "reordering",
)
_MEAN_GAP = 60  # events between two disturbances
_FIRST = 20

_MAY: dict[str, list[str]] = {
    "order.accepted": ["order_stalled"],
    "order.allocated": ["order_stalled"],
    "order.picked": ["order_stalled"],
    "order.packed": ["order_stalled"],
    "shipment.in_transit": [],
    "shipment.out_for_delivery": [],
    "shipment.delivered": ["order_stalled", "shipment_exception"],
    "shipment.acknowledged": ["order_stalled"],
    "inventory.counted": ["sequence_gap"],
    "return.requested": [],
    "posting.recorded": ["posting_missing"],
}
"""The types that may come hours late, and what a reader may believe until they come."""

_DELAYED_MAY = ["order_stalled", "order_rejected", "posting_missing", "refund_overdue", "erp_out_of_sync"]


class Transit:
    """Stands between the systems and the files. It changes when and how often a line arrives, never its truth."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._rng = Random(f"{sim.scenario.seed}:transit")
        self._turns = [turn for turn in _TURNS if turn in sim.scenario.enabled]
        self._turn = 0
        self._gap = _FIRST
        self._held: list[tuple[str, bytes]] = []
        self._delayed: Source | None = None
        length = sim.end - sim.start
        self._opens = sim.start + length * 2 // 5
        self._closes = self._opens + 2 * HOUR
        if "delayed_system" in sim.scenario.enabled:
            self._delayed = sim.erp
            sim.at(self._closes, self._flood, None)

    def send(self, stem: str, source: Source, event: Event) -> None:
        """Bring an event to its file, in most cases at once."""
        if source is self._delayed and self._opens <= self._sim.now < self._closes:
            self._held.append((stem, encode(event)))
            return
        self._gap -= 1
        if self._gap > 0 or not self._turns or not self._disturb(stem, source, event):
            self._sim.writer.write(stem, encode(event))

    def _disturb(self, stem: str, source: Source, event: Event) -> bool:
        """Whether the event was taken over; a repeat is planned and leaves the original alone."""
        turn = self._turns[self._turn % len(self._turns)]
        sim, kind = self._sim, event["type"]
        if turn == "late" and (kind not in _MAY or sim.now > sim.end - 2 * HOUR):
            self._turn += sim.now > sim.end - 2 * HOUR  # too late in the day for it: the next turn
            return False
        self._turn += 1
        self._gap = 1 + int(2 * _MEAN_GAP * self._rng.random())
        ids = {"fault": turn, "stem": stem, "source": source.name, "event_id": event["id"], "type": kind}
        if turn in {"duplicates", "altered_duplicates"}:
            line = encode(event if turn == "duplicates" else _altered(event))
            self._plan(self._repeat, (stem, line, ids), 10 * SECOND, 2 * HOUR)
            return False
        low, high = (2 * SECOND, 5 * MINUTE) if turn == "reordering" else (HOUR, 5 * HOUR)
        ids["until"] = stamp(self._plan(self._arrive, (stem, encode(event)), low, high))
        if turn == "late":
            ids["sku" if stem == "inventory" else "order_id"] = event["subject"]
            ids["may"] = _MAY[kind]
        tell_fault(sim, code=None, at=sim.now, **ids)
        return True

    def _plan(self, step: Any, what: tuple[Any, ...], low: int, high: int) -> int:
        """Let a line arrive in [low, high) ms, at the end at the latest → when."""
        when = min(self._sim.now + low + int((high - low) * self._rng.random()) & ~1, self._sim.end)
        self._sim.at(when, step, what)
        return when

    def _arrive(self, sim: Simulation, what: tuple[str, bytes]) -> None:
        sim.writer.write(*what)

    def _repeat(self, sim: Simulation, what: tuple[str, bytes, Event]) -> None:
        stem, line, ids = what
        number = sim.writer.write(stem, line)
        sim.writer.duplicates[stem] += 1
        tell_fault(sim, code=None, at=sim.now, **ids, line=number)

    def _flood(self, sim: Simulation, _: None) -> None:
        """The silent system is back and sends everything in the order it happened."""
        for stem, line in self._held:
            sim.writer.write(stem, line)
        ids: Event = {"source": sim.erp.name, "events": len(self._held), "until": stamp(self._closes)}
        ids["milestones"] = ["accepted", "posted", "refunded"]
        tell_fault(sim, "delayed_system", None, self._opens, **ids, may=_DELAYED_MAY)
        self._held.clear()


def _altered(event: Event) -> Event:
    """The same source, id and key with other content: whoever takes it for news is wrong."""
    data = dict(event["data"])
    if "quantity" in data:
        data["quantity"] *= 2
    elif "lines" in data:
        data["lines"] = [{**line, "quantity": line["quantity"] * 2} for line in data["lines"]]
    else:
        return {**event, "traceparent": "00-" + "d" * 32 + "-" + "d" * 16 + "-01", "data": data}
    return {**event, "data": data}
