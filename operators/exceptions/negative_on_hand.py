"""`negative_on_hand`: a location's book is below zero, which no shelf can be."""

from __future__ import annotations

from collections.abc import Iterator

from operators.exceptions.episode import Episode
from operators.exceptions.seen import Moment, clock, counted


def negative_on_hand(moment: Moment) -> Iterator[Episode]:
    """What is wrong at this instant, per location. Worth: the units below zero, at cost."""
    for place in moment.places:
        if place.on_hand < 0:
            below = counted(-place.on_hand)
            yield Episode(
                code="negative_on_hand",
                subject=f"{moment.key}|{place.location}",
                opened_at=moment.at,
                owner="warehouse",
                units=-place.on_hand,
                value=-place.on_hand * moment.cost,
                evidence=moment.evidence,
                correlationid=moment.key,
                message=f"The book of {moment.key} at {place.location} is {below} below zero since"
                f" {clock(moment.at)}: count it there and find the movement that is wrong or missing.",
                sku=moment.key,
                location=place.location,
            )
