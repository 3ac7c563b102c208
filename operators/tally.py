"""Every input is accounted for: what each party has seen end as applied, duplicate or dead letter, added up."""

from __future__ import annotations

import msgspec

from canonical.messages import Tally
from operators.seal import seal, unseal

OUTCOMES = ("read", "applied", "duplicate", "dead_letter")


class TallyShard:
    """Lanes tell what was read and refused, shards what was applied or a duplicate; all of it absolute."""

    def __init__(self) -> None:
        self._parties: dict[str, dict[str, dict[str, int]]] = {}

    def apply(self, tallies: list[Tally]) -> dict[str, dict[str, int]]:
        """Stem → outcome → inputs, over all parties."""
        for tally in tallies:
            self._parties[tally.party] = tally.counts
        totals: dict[str, dict[str, int]] = {}
        for counts in self._parties.values():
            for stem, outcomes in counts.items():
                total = totals.setdefault(stem, dict.fromkeys(OUTCOMES, 0))
                for outcome, inputs in outcomes.items():
                    total[outcome] = total.get(outcome, 0) + inputs
        return totals

    def check(self) -> None:
        """Raise AssertionError if a count is negative."""
        for counts in self._parties.values():
            assert all(n >= 0 for outcomes in counts.values() for n in outcomes.values()), "negative count"

    def snapshot(self) -> bytes:
        return seal("tally", 0, 1, self._parties)

    def restore(self, sealed: bytes) -> None:
        self._parties = unseal("tally", 0, 1, sealed, dict[str, dict[str, dict[str, int]]])


def encode(totals: dict[str, dict[str, int]]) -> bytes:
    """The totals as one JSON object, stems in order."""
    return msgspec.json.encode(totals, order="sorted")
