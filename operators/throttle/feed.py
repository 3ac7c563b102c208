"""One channel: what waits to be told, what was told, when the next call may be (DESIGN section 7)."""

from __future__ import annotations

from heapq import heappop, heappush

from canonical.outputs import ChannelUpdate
from canonical.policy import Channel
from operators.shelf import Shelf
from operators.throttle.breaker import Breaker
from operators.throttle.instants import micros, moment
from operators.throttle.listing import Listing
from operators.throttle.pace import Pace
from operators.throttle.queue import Queue
from operators.throttle.risk import REFRESH, Ranking, Risk


class Feed:
    """The listings of one channel and its budget. Times in microseconds since 1970; `at` never goes back.

    `answered`: every update gets an answer (a driver's); else a release counts as acknowledged until told otherwise.
    """

    def __init__(
        self, channel: str, policy: Channel, *, answered: bool = False, ranking: Ranking | None = None
    ) -> None:
        self.channel, self.policy, self.answered = channel, policy, answered
        self.demand = Risk(policy)
        self._ranking: Ranking = ranking or self.demand
        self.listings = Shelf(Listing)
        self.queue = Queue(policy.fair_share)
        self.pace, self.breaker = Pace(policy), Breaker()
        self.patience = micros(policy.answer_within)
        self.at = 0
        self.waiting = self.units_at_risk = 0
        self.rejections: dict[str, int] = {}
        self.places = self.failed_call = self.good_call = 0
        self.holds: list[tuple[int, str]] = []

    def start(self, at: int) -> None:
        """Time begins here, if it has not yet: nothing was allowed before."""
        if self.at == 0:
            self.at = at
            self.pace.start(at)

    @property
    def oldest(self) -> int | None:
        """Since when the oldest update that may be sent waits."""
        sku = self.queue.oldest()
        return None if sku is None else self.listing(sku).queued_at

    def listing(self, sku: str) -> Listing:
        """The listing of a SKU, made if there is none."""
        listing = self.listings.get(sku)
        if listing is None:
            listing = Listing(listing_id=sku)
            self.listings.put(sku, listing)
        return listing

    def offer(self, sku: str, quantity: int, now: int) -> None:
        """`quantity` is what the channel should show from now on. Latest wins."""
        listing = self.listing(sku)
        if listing.quantity != quantity:
            listing.quantity = quantity
            self.settle(sku, listing, now)

    def rename(self, sku: str, listing_id: str, now: int) -> None:
        """The channel knows the SKU by this id from now on; what it shows under it nobody knows."""
        listing = self.listing(sku)
        if listing.listing_id != listing_id:
            listing.listing_id = listing_id
            if listing.told is not None:
                listing.told = listing.shown = None
                self.settle(sku, listing, now)

    def sold(self, sku: str, units: int, at: int, now: int) -> None:
        """The channel sold `units` in an order at `at`: demand is learnt; a channel that lowers itself shows less."""
        listing = self.listing(sku)
        self.demand.learn(listing, units, at)
        if self.policy.lowers_on_sale and listing.shown is not None:
            listing.shown = max(0, listing.shown - units)
        self.settle(sku, listing, now)

    def settle(self, sku: str, listing: Listing, now: int) -> None:
        """Queue the listing, give it a new score, or withdraw it: whatever its state now asks for."""
        waited, was_refresh = listing.queued_at >= 0, listing.score == REFRESH
        if listing.wanted:
            refresh = listing.is_refresh
            if not waited or (was_refresh and not refresh):
                listing.queued_at, listing.place = now, self.places
                self.places += 1
            listing.score = REFRESH if refresh else self._ranking.score(sku, listing, now)
            if not listing.held_until:
                self.queue.put(sku, listing.score, listing.place)
        elif waited:
            listing.queued_at = -1
            self.queue.drop(sku)
        self._count(listing)

    def _count(self, listing: Listing) -> None:
        """Bring the totals up to date; `risk` is what the listing stands in them with, −1 when it does not."""
        if listing.risk >= 0:
            self.waiting -= 1
            self.units_at_risk -= listing.risk
        listing.risk = -1 if listing.queued_at < 0 or listing.score == REFRESH else listing.excess
        if listing.risk >= 0:
            self.waiting += 1
            self.units_at_risk += listing.risk

    def advance(self, until: int | None, *, inclusive: bool) -> list[ChannelUpdate]:
        """Make every call that is due before `until` (with `inclusive`, also at it; None: until nothing waits)."""
        updates: list[ChannelUpdate] = []
        while True:
            at = self.due
            if at is None or (until is not None and (at > until or (at == until and not inclusive))):
                break
            self.at = max(self.at, at)
            if self.holds and self.holds[0][0] == at:
                self._unhold()
            else:
                self._call(updates)
        self.at = max(self.at, until or 0)
        return updates

    @property
    def due(self) -> int | None:
        """The next time at which `advance` would do something if nothing new were told."""
        hold, call = self.holds[0][0] if self.holds else None, self._next_call()
        return call if hold is None or (call is not None and call < hold) else hold

    def _next_call(self) -> int | None:
        """When the next call would be made. In need, calls are saved for what matters: until the bucket is full."""
        top, ready = self.queue.top(), self.breaker.ready
        if top is None or ready is None:
            return None
        worthy = top > self._ranking.floor
        return max(self.at, ready, self.pace.ready if worthy else self.pace.full)

    def _call(self, updates: list[ChannelUpdate]) -> None:
        number = self.pace.call(self.at)
        room = 1 if self.breaker.is_open else self.policy.batch
        self.breaker.called()
        while room and (sku := self.queue.take()) is not None:
            updates.append(self._tell(sku, number))
            room -= 1
        if not self.answered:
            self.pace.accepted()
            if self.breaker.is_open:
                self.breaker.succeeded()

    def _tell(self, sku: str, number: int) -> ChannelUpdate:
        listing = self.listing(sku)
        quantity, reason, previous = listing.quantity or 0, listing.reason, listing.told
        at = self.at
        queued_at = min(listing.queued_at, at)
        listing.version += 1
        listing.previous, listing.before = previous, listing.shown
        listing.told = listing.shown = quantity
        listing.doubt = listing.correcting = False
        listing.call, listing.released_at, listing.queued_at = number, at, -1
        self._count(listing)
        if self.answered:
            listing.in_flight = True
            self.hold(sku, listing, at + self.patience)
        return ChannelUpdate(
            self.channel,
            sku,
            listing.listing_id,
            quantity,
            previous,
            listing.version,
            listing.ats,
            reason,
            number,
            moment(queued_at),
            moment(at),
            listing.cause,
        )

    def hold(self, sku: str, listing: Listing, until: int) -> None:
        """Send nothing of this listing before `until`."""
        listing.held_until = until
        self.queue.drop(sku)
        heappush(self.holds, (until, sku))

    def _unhold(self) -> None:
        until, sku = heappop(self.holds)
        listing = self.listing(sku)
        if listing.held_until != until:
            return
        listing.held_until = 0
        if listing.in_flight:
            listing.in_flight = False
            listing.doubt = True
            listing.failures += 1
            self.failed(listing.call, until)
        self.settle(sku, listing, until)

    def failed(self, call: int, at: int) -> None:
        """A call was refused or got no answer: told once per call, however many updates rode in it."""
        if call > self.failed_call:
            self.failed_call = call
            self.pace.refused()
            self.breaker.failed(at, None if self.answered else self.patience)

    def succeeded(self, call: int) -> None:
        """An update was acknowledged: speeds up once per call, too."""
        self.breaker.succeeded()
        if call > self.good_call:
            self.good_call = call
            self.pace.accepted()
