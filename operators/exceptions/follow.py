"""Episodes of conditions that are looked at instant by instant: they begin, grow, shrink and end."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from operators.exceptions.episode import Episode, Worth


def follow(known: list[Episode], codes: Iterable[str], wrong: Iterable[Episode], at: datetime) -> None:
    """Bring `known` up to what is wrong at this instant, for these codes; what is wrong no more is cleared."""
    now = {(episode.code, episode.subject): episode for episode in wrong}
    for place, episode in enumerate(known):
        if episode.cleared_at is None and episode.code in codes:
            fresh = now.pop((episode.code, episode.subject), None)
            known[place] = replace(episode, cleared_at=at) if fresh is None else grown(episode, fresh)
    known.extend(now.values())


def grown(episode: Episode, fresh: Episode) -> Episode:
    """The open episode with what it has come to now, if its units changed. Of what it came to before, the peaks."""
    worths = episode.worths()
    last = worths[-1]
    if last.units == fresh.units:
        return episode
    worth = Worth(fresh.opened_at, fresh.units, fresh.value, fresh.evidence, fresh.message)
    later = list(episode.later)
    peak = max((each.units, each.value) for each in worths[:-1]) if later else None
    if peak is not None and (last.units <= peak[0] and last.value <= peak[1]):
        later.pop()
    return replace(episode, later=(*later, worth))


def open_of(known: list[Episode], code: str, subject: str) -> int | None:
    """Where among `known` the open episode of this code and subject stands."""
    for place in range(len(known) - 1, -1, -1):
        episode = known[place]
        if episode.cleared_at is None and episode.code == code and episode.subject == subject:
            return place
    return None
