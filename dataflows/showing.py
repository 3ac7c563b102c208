"""What people see on a terminal: tables and sentences; colour only where there is one."""

from __future__ import annotations

import io
from collections.abc import Collection
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dataflows.explaining import Explanation, Fact, Place
from dataflows.tracing import Trace

SHOWN = 40
"""Facts listed per term before the rest is only counted; `--json` lists all."""


class Page:
    """Collects what is to be shown."""

    def __init__(self, *, colour: bool, width: int = 118) -> None:
        self._out = io.StringIO()
        self._console = Console(
            file=self._out, force_terminal=colour, no_color=not colour, width=width, highlight=False
        )

    def text(self) -> str:
        return self._out.getvalue().rstrip()

    def say(self, text: str) -> None:
        self._console.print(text)

    def table(self, *columns: str, rows: Collection[tuple[str, ...]], numbers: Collection[int] = ()) -> None:
        table = Table(box=box.SIMPLE_HEAD)
        for place, column in enumerate(columns):
            table.add_column(column, justify="right" if place in numbers else "left", overflow="fold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self._console.print(table)

    def explanation(
        self, explained: Explanation, pool: str | None, places: Collection[str] | None, *, agrees: bool
    ) -> None:
        record = explained.record
        self.say(f"[bold]{escape(record.sku)}[/bold]  as of {when(record.as_of)}, version {record.version}")
        pools = [entry for entry in record.pools if pool in (None, entry.pool)]
        rows = [(entry.pool, str(entry.ats), str(entry.unallocated)) for entry in pools]
        self.table("pool", "ats", "unallocated", rows=rows, numbers=(1, 2))
        if record.shortage:
            self.say(f"[red]shortage {record.shortage}[/red]: promised units that no stock can keep")
        for component in explained.components:
            makes = ", ".join(
                f"{name}: {ats} → {ats // component.per}" for name, ats in component.ats.items()
            )
            self.say(
                f"component {escape(component.sku)}, {component.per} each: {makes or 'nothing known, 0'}"
            )
        for place in explained.places:
            if places is None or place.location in places:
                self._place(place)
        self._facts("unallocated", explained.unallocated)
        if agrees:
            self.say("every term adds up to what the run told last")
        else:
            self.say(
                "[red]this differs from what the run told last[/red]: the input or the configuration has changed"
            )

    def _place(self, place: Place) -> None:
        terms = {term.name: term.units for term in place.terms}
        self.say(
            f"\n[bold]{escape(place.location)}[/bold]  free {place.free} = {terms['on_hand']} on hand"
            f" − {terms['unavailable']} unavailable − {terms['committed']} committed"
            f" − {terms['pending_issue']} pending issue;"
            f" supply {max(0, place.free - place.safety_stock)} after {place.safety_stock} safety stock"
        )
        for term in place.terms:
            self._facts(term.name, term.facts)

    def _facts(self, name: str, facts: list[Fact]) -> None:
        if not facts:
            return
        total = sum(fact.units for fact in facts)
        rows = [
            (
                f"{fact.units:+d}",
                fact.what,
                f"{fact.order_id} line {fact.line_id}" if fact.order_id else "",
                when(fact.at) if fact.at else "",
                ", ".join(fact.events),
            )
            for fact in facts[:SHOWN]
        ]
        if len(facts) > SHOWN:
            rest = sum(fact.units for fact in facts[SHOWN:])
            rows.append((f"{rest:+d}", f"{len(facts) - SHOWN} more (--json lists them)", "", "", ""))
        self.say(f"  {name} = {total}")
        self.table("units", "what", "order", "when", "events", rows=rows, numbers=(0,))

    def exceptions(self, found: Collection[dict[str, Any]]) -> None:
        """Exceptions of the order or SKU in place: what, since when, whose job, at what worth."""
        if not found:
            return
        rows = [
            (
                record["status"],
                record["code"],
                record["severity"],
                record["owner"],
                f"{record['value']} {record['currency'] or ''}".strip(),
                record["opened_at"],
                record["message"],
            )
            for record in found
        ]
        self.say("\n[bold]exceptions[/bold]")
        self.table(
            "status", "code", "severity", "owner", "worth", "since", "what to do", rows=rows, numbers=(4,)
        )

    def trace(self, found: Trace) -> None:
        record = found.record
        self.say(
            f"[bold]{escape(record.order_id)}[/bold]  {record.state}, channel {escape(str(record.channel))},"
            f" version {record.version}"
        )
        rows = [
            (m.name + (" (implied)" if m.implied else ""), when(m.at), _gap(m.after_seconds))
            for m in found.milestones
        ]
        self.table("milestone", "when", "after", rows=rows, numbers=(2,))
        if found.missing:
            self.say(f"not yet: {', '.join(found.missing)}")
        lines = [
            tuple(str(v) for v in (x.line_id, x.sku, x.ordered, x.cancelled, x.shipped, x.issued, x.open))
            for x in record.lines
        ]
        self.table(
            "line",
            "sku",
            "ordered",
            "cancelled",
            "shipped",
            "issued",
            "open",
            rows=lines,
            numbers=(2, 3, 4, 5, 6),
        )
        events = [(when(e.at), e.source, e.type, e.what, e.id) for e in found.events]
        self.table("when", "system", "event", "what", "id", rows=events)


def when(time: datetime) -> str:
    """UTC to the second."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ")


def _gap(seconds: float | None) -> str:
    if seconds is None:
        return ""
    whole = round(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d {hours}h"
    return f"{hours}h {minutes:02d}m" if hours else f"{minutes}m {whole % 60:02d}s"
