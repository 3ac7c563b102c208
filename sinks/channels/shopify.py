"""Driver `shopify`: GraphQL Admin, inventorySetQuantities with compare-and-set, up to 250 SKUs a call.

    [channels.shop]
    driver = "shopify"
    batch = 100
    rate = 2
    lowers_on_sale = true
    [channels.shop.api]
    endpoint = "https://NAME.myshopify.com/admin/api/2026-07/graphql.json"
    location = "106318430514"                     # whose stock the shop shows
    credentials = { access_token = "secrets/shopify" }

A listing's id is the id of its inventory item. A quantity is set only where the shop still shows what we believe it
shows, so that a sale we have not heard of is not undone. Where it shows something else, that is read, and then: the
same as wanted: done. More than wanted: lowered. Less than wanted, at a shop that lowers itself (`lowers_on_sale`): the
shop has sold, and perhaps we do not know it yet; its figure is reported as its word and raised at the next telling.

A call that no answer came to is made again under the same key, and Shopify repeats what it did. When points run out,
nothing is asked until there are enough.
"""

from __future__ import annotations

from canonical.outputs import ChannelUpdate
from sinks.channels import shopify_words as words
from sinks.channels.driver import Answer, Needs, Reply, Route, Setup, Submission, refused, taken
from sinks.channels.reading import table
from sinks.channels.shopify_words import Change
from sinks.channels.transport import Request, Response

NEEDS = Needs(("endpoint", "location"), ("access_token",))
LARGEST_BATCH = 250
TURNS = 5
"""Calls for one batch, each without those that the one before found wrong."""


class Shopify:
    """Calls at the channel's own `rate` and `burst`, and within the points Shopify says are left."""

    def __init__(self, setup: Setup) -> None:
        self._setup, self._location = setup, setup.api.location or ""
        self._gate = setup.gate("graphql", setup.policy.rate, setup.policy.burst)
        self._dearest = 0.0
        self._shown: dict[str, int] = {}
        self._behind: set[str] = set()

    def route(self, waiting: int) -> Route:
        return Route("set", min(self._setup.policy.batch, LARGEST_BATCH), self._gate.seconds)

    def send(self, route: str, updates: list[ChannelUpdate]) -> Reply:
        changes = [
            Change(update, update.quantity, self._shown.get(update.sku, update.previous_quantity))
            for update in updates
        ]
        answers: list[Answer] = []
        for turn in range(TURNS):
            response = self._call(words.set_body(changes, self._location, turn))
            outcome = words.read_set(response, changes)
            if outcome.failed:
                return Reply(answers + outcome.failed)
            if not outcome.errors:
                return Reply(answers + [self._done(change) for change in changes])
            if None in outcome.errors:
                code, message = outcome.errors[None]
                if code in words.NEW_KEY:
                    continue
                return Reply(answers + self._all(changes, code, message))
            changes, settled = self._without(changes, outcome.errors)
            answers += settled
            if not changes:
                return Reply(answers)
        return Reply(answers + self._all(changes, words.CONCURRENT, "the shop's stock does not stand still"))

    def poll(self, submission: Submission) -> Reply | None:
        """Nothing is ever pending: what is answered is applied."""
        return Reply()

    def close(self) -> None:
        """Nothing of its own is open."""

    def _all(self, changes: list[Change], code: str, message: str) -> list[Answer]:
        if code == words.CONCURRENT:
            return [Answer(change.update, code, message, again=True) for change in changes]
        return [refused(change.update, code, message) for change in changes]

    def _done(self, change: Change) -> Answer:
        sku = change.update.sku
        self._shown[sku] = change.quantity
        self._behind.discard(sku)
        return taken(change.update)

    def _without(
        self, changes: list[Change], errors: dict[int | None, tuple[str, str]]
    ) -> tuple[list[Change], list[Answer]]:
        """The changes to try again, and the answers of those that are through."""
        stale = [
            changes[place] for place, (code, _) in errors.items() if place is not None and code == words.STALE
        ]
        shown = words.read_shown(self._call(words.read_body(stale, self._location))) if stale else {}
        rest: list[Change] = []
        answers: list[Answer] = []
        for place, change in enumerate(changes):
            code, message = errors.get(place, ("", ""))
            settled: Change | Answer = change
            if code == words.STALE:
                settled = self._settle(change, shown)
            elif code:
                settled = refused(change.update, code, message)
            if isinstance(settled, Change):
                rest.append(settled)
            else:
                answers.append(settled)
        return rest, answers

    def _settle(self, change: Change, shown: dict[str, int]) -> Change | Answer:
        """What to do about one that shows something else than was believed."""
        update = change.update
        now = shown.get(words.gid("InventoryItem", update.listing_id))
        if now is None:
            return refused(
                update, "ITEM_NOT_STOCKED_AT_LOCATION", "the shop shows no stock of it at the location"
            )
        self._shown[update.sku] = now
        has_sold = change.shown is not None and now < change.shown
        careful = self._setup.policy.lowers_on_sale and has_sold and update.sku not in self._behind
        if max(0, now) == update.quantity or (now < update.quantity and careful):
            if now < update.quantity:
                self._behind.add(update.sku)
            return taken(update, max(0, now))
        return Change(update, update.quantity, now)

    def _call(self, body: bytes) -> Response:
        def build(token: str) -> Request:
            headers = {"X-Shopify-Access-Token": token, "Content-Type": "application/json"}
            return Request("POST", self._setup.endpoint(), headers, body)

        response = self._setup.call_with("access_token", build, self._gate)
        said = table(response.json())
        self._dearest = max(self._dearest, words.cost_of(said))
        wait = words.points_wait(said, self._dearest)
        if wait:
            self._setup.pause.block(wait)
        return response


start = Shopify
