"""What became of every input of a run: applied + duplicate + dead letter = read, per stem."""

from __future__ import annotations

import io
import json

from msgspec import Struct

from canonical.topics import STEMS

Counts = dict[str, dict[str, int]]
ROWS = ("read", "applied", "duplicate", "dead_letter")


class Summary(Struct, frozen=True):
    """`counts`: stem → outcome → inputs; `seconds` of wall-clock; `workers` processes; `whole`: not stopped early."""

    counts: Counts
    seconds: float
    workers: int
    whole: bool = True

    def total(self, outcome: str) -> int:
        return sum(counts.get(outcome, 0) for counts in self.counts.values())

    @property
    def dead_letters(self) -> int:
        return self.total("dead_letter")

    @property
    def adds_up(self) -> bool:
        """Whether every input read is exactly one of applied, duplicate and dead letter."""
        return all(
            counts["read"] == counts["applied"] + counts["duplicate"] + counts["dead_letter"]
            for counts in self.counts.values()
        )

    def as_json(self) -> str:
        rate = round(self.total("read") / self.seconds) if self.seconds else 0
        document = {
            "stems": self.counts,
            "total": {outcome: self.total(outcome) for outcome in ROWS},
            "whole": self.whole,
            "adds_up": self.adds_up,
            "seconds": round(self.seconds, 3),
            "events_per_second": rate,
            "workers": self.workers,
        }
        return json.dumps(document, indent=2)

    def as_table(self, *, colour: bool) -> str:
        from rich import box
        from rich.console import Console
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("stem")
        for outcome in ROWS:
            table.add_column(outcome.replace("_", " "), justify="right")
        for stem in STEMS:
            if stem in self.counts:
                table.add_row(stem, *(f"{self.counts[stem][outcome]:,}" for outcome in ROWS))
        table.add_section()
        table.add_row("all", *(f"{self.total(outcome):,}" for outcome in ROWS), style="bold")
        out = io.StringIO()
        console = Console(file=out, force_terminal=colour, no_color=not colour, width=100)
        console.print(table)
        processes = "one process" if self.workers == 1 else f"{self.workers} processes"
        rate = self.total("read") / self.seconds if self.seconds else 0
        console.print(f"{self.seconds:.1f} s in {processes}, {rate:,.0f} events/s", highlight=False)
        if not self.whole:
            console.print(
                "stopped before the end; with the same --state it goes on from here", style="yellow"
            )
        return out.getvalue().rstrip()
