"""Driver `walmart`: Walmart Marketplace, one item by PUT /v3/inventory or many by the feed MP_INVENTORY.

    [channels.walmart]
    driver = "walmart"
    rate = 3
    answer_within = "1h"                          # feeds take up to half an hour
    [channels.walmart.api]
    endpoint = "https://marketplace.walmartapis.com"
    location = "10001234567"                      # the ship node; feeds need one
    credentials = { client_id = "…", client_secret = "…" }

A single change is applied when it is answered. A feed is asked about until it is processed, and then says what became
of each item. The feed is taken when more waits than single calls can clear within `stock_sync`. Walmart tells in the
headers of any answer how many calls are left and when there will be more; both spellings of the latter are read.
"""

from __future__ import annotations

import base64
import time
from typing import Any
from urllib.parse import urlencode

import msgspec

from canonical.outputs import ChannelUpdate
from sinks.channels import walmart_words as words
from sinks.channels.driver import (
    Denied,
    Needs,
    Reply,
    Route,
    Setup,
    Submission,
    failed,
)
from sinks.channels.pacing import Gate
from sinks.channels.reading import number, rows, table, text
from sinks.channels.transport import Request, Response, Token, Unanswered

NEEDS = Needs(("endpoint",), ("client_id", "client_secret"))
SINGLE, FEED = "single", "feed"
FEED_SIZE = 5_000
"""Of 10,000 items allowed: with ids of 50 letters these stay below the 1 MB allowed, too."""
CLOCKS_APART = 5.0


class Walmart:
    """Limits: feeds by Walmart's word, 50 an hour; single calls as users have found them, about 200 a minute."""

    def __init__(self, setup: Setup) -> None:
        self._setup, self._api = setup, setup.api
        self._singles = setup.gate(SINGLE, 200 / 60, 10)
        self._feeds = setup.gate(FEED, 50 / 3600, 10)
        self._questions = setup.gate("feed_status", 10, 10)
        self._passes = setup.gate("token", 1, 5)
        self._token = Token(self._pass)
        self._known: set[str] = set()

    def route(self, waiting: int) -> Route:
        too_many = waiting / self._singles.rate > self._setup.stock_sync.total_seconds()
        if too_many and self._api.location and not self._feeds.seconds:
            return Route(FEED, FEED_SIZE, self._setup.pause.seconds)
        return Route(SINGLE, 1, self._singles.seconds)

    def send(self, route: str, updates: list[ChannelUpdate]) -> Reply:
        if route == FEED:
            return self._feed(updates)
        (update,) = updates
        body = {"sku": update.listing_id, "quantity": words.quantity_of(update)}
        response = self._call(self._singles, "PUT", words.single_path(self._api, update), body)
        return Reply([words.read_single(response, update)])

    def poll(self, submission: Submission) -> Reply | None:
        self._known.add(submission.ref)
        # Details come in pages of at most fifty, by their place in the feed.
        items: list[dict[str, Any]] = []
        while True:
            query = urlencode({"includeDetails": "true", "offset": len(items), "limit": 50})
            response = self._call(self._questions, "GET", f"/v3/feeds/{submission.ref}?{query}")
            said = table(response.json())
            page = rows(table(said.get("itemDetails")).get("itemIngestionStatus"))
            items += page
            if not response.good:
                return None
            if said.get("feedStatus") != "PROCESSED" or not page or len(items) >= len(submission.updates):
                break
        answers = words.read_feed({**said, "itemDetails": {"itemIngestionStatus": items}}, submission.updates)
        return None if answers is None else Reply(answers)

    def close(self) -> None:
        """Nothing of its own is open."""

    def _feed(self, updates: list[ChannelUpdate]) -> Reply:
        sent_at = time.time()
        response: Response | None = None
        try:
            path = "/v3/feeds?feedType=MP_INVENTORY"
            response = self._call(
                self._feeds, "POST", path, words.feed_of(self._api, updates), repeatable=False
            )
        except Unanswered:
            ref = self._lost(sent_at, len(updates))
        else:
            ref = text(table(response.json()).get("feedId")) if response.good else ""
            if not ref and response.status >= 500:  # noqa: PLR2004  their side failed, maybe after making it
                ref = self._lost(sent_at, len(updates))
        if ref:
            self._known.add(ref)
            return Reply(submissions=[Submission(ref, FEED, updates, sent_at)])
        if response is None:
            raise Unanswered("the feed's submission was not answered, and no such feed is there")
        return Reply(failed(response, updates, words.words_of(words.errors_of(response))))

    def _lost(self, sent_at: float, items: int) -> str:
        """A feed of so many items made since then that nobody here knows; "" if there is none."""
        response = self._call(self._questions, "GET", "/v3/feeds?limit=20&offset=0")
        for feed in rows(table(table(response.json()).get("results")).get("feed")):
            ref, made = text(feed.get("feedId")), number(feed.get("feedDate")) or 0
            recent = made / 1000 >= sent_at - CLOCKS_APART
            if (
                ref
                and ref not in self._known
                and recent
                and number(feed.get("itemsReceived")) in {None, 0, items}
            ):
                return ref
        return ""

    def _call(
        self, gate: Gate, method: str, path: str, body: object = None, *, repeatable: bool = True
    ) -> Response:
        content = b"" if body is None else msgspec.json.encode(body)

        def build(token: str) -> Request:
            return Request(method, self._setup.endpoint(path), words.headers_of(token), content, repeatable)

        response = self._token.call(self._setup.transport, build, gate)
        wait = words.replenished_in(response.headers, time.time())
        if wait:
            self._setup.pause.block(wait)
        return response

    def _pass(self) -> tuple[str, float]:
        secret = self._setup.credentials.get
        pair = base64.b64encode(f"{secret('client_id')}:{secret('client_secret')}".encode()).decode()
        self._setup.credentials.hide(pair)
        headers = {**words.headers_of(""), "Authorization": f"Basic {pair}"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        del headers["WM_SEC.ACCESS_TOKEN"]
        url = self._api.token_endpoint or self._setup.endpoint("/v3/token")
        request = Request("POST", url, headers, b"grant_type=client_credentials")
        response = self._setup.transport.call(request, self._passes)
        said = table(response.json())
        token = text(said.get("access_token"))
        if not token and (response.status == 429 or response.status >= 500):  # noqa: PLR2004  their side failed
            raise Unanswered(f"Walmart's token service answered {response.status}")
        if not token:
            raise Denied(f"Walmart's token service answered {response.status}")
        self._setup.credentials.hide(token)
        return token, number(said.get("expires_in")) or 900


start = Walmart
