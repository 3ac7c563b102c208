"""One SKU on one channel: what is true, what the channel was told, and what it has sold there."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Reason = Literal["zero", "decrease", "increase", "refresh", "correction"]


class Listing(Struct, array_like=True, gc=False):
    """Units and microseconds since 1970.

    `quantity`: what the channel should show (None before the first offer), from `ats` by the channel's policy.
    `told`: what it was last told. `shown`: what it is believed to show: told, or its own later word, less its own sales
    where it lowers itself. `previous`, `before`: told and shown before the last update. `doubt`: that got no answer or
    was refused, so either may show. `answered`: the last version that got one. `correcting`: the next update puts
    right what went wrong. `queued_at`, `place`: since when the update waits (−1: nothing waits) and its place in time.
    `score`: how soon it is to be told; `risk`: units shown too many while it waits, −1 if nothing that matters does.
    `held_until`: nothing is sent before (0: free), being `in_flight`, or refused, `failures` times in a row.
    `orders`, `units`: its sales on the channel, faded to `sold_at`.
    """

    quantity: int | None = None
    ats: int = 0
    listing_id: str = ""
    cause: str = ""
    told: int | None = None
    shown: int | None = None
    previous: int | None = None
    before: int | None = None
    doubt: bool = False
    correcting: bool = False
    version: int = 0
    answered: int = 0
    call: int = 0
    released_at: int = 0
    observed_at: int = 0
    in_flight: bool = False
    held_until: int = 0
    failures: int = 0
    queued_at: int = -1
    place: int = 0
    score: float = 0.0
    risk: int = -1
    orders: float = 0.0
    units: float = 0.0
    sold_at: int = 0

    @property
    def wanted(self) -> bool:
        """Whether there is anything to tell."""
        a = self.quantity
        return a is not None and (a != self.told or a != self.shown or self.doubt)

    @property
    def excess(self) -> int:
        """Units shown beyond what is true."""
        shown = self.told if self.shown is None else self.shown
        return 0 if shown is None else max(0, shown - (self.quantity or 0))

    @property
    def is_refresh(self) -> bool:
        """The channel is believed to show the truth already, though it was never told so in words."""
        return self.shown == self.quantity and not self.doubt

    @property
    def reason(self) -> Reason:
        """Why the update that waits is sent."""
        if self.doubt or self.correcting:
            return "correction"
        if self.told is None or self.quantity is None or self.quantity == self.told:
            return "refresh"
        if self.quantity == 0:
            return "zero"
        return "decrease" if self.quantity < self.told else "increase"
