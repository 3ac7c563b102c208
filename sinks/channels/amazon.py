"""Driver `amazon`: the Selling Partner API, one listing by a patch or many by a feed.

    [channels.amazon-us]
    driver = "amazon"
    rate = 5
    burst = 5
    answer_within = "30m"                         # feeds take their time
    [channels.amazon-us.api]
    endpoint = "https://sellingpartnerapi-na.amazon.com"
    token_endpoint = "https://api.amazon.com/auth/o2/token"
    hosts = ["*.amazonaws.com"]                   # where feed documents are put and reports lie
    seller = "A1…"
    marketplace = "ATVPDKIKX0DER"
    credentials = { client_id = "…", client_secret = "…", refresh_token = "…" }

Accepted is not applied. After a patch the listing is read until it shows the quantity (`confirm = false` trusts
acceptance); a feed is asked about until it is done, and its report says which messages failed. Feeds and patches queue
apart and no order between them is promised, so a SKU whose patch or feed is open is not told again before that ends.
The feed is taken when more waits than patching can clear within `stock_sync`, at the pace patching has had lately.
"""

from __future__ import annotations

import time

from canonical.outputs import ChannelUpdate
from sinks.channels import amazon_words as words
from sinks.channels.driver import (
    NOT_APPLIED,
    Denied,
    Needs,
    Reply,
    Route,
    Setup,
    Submission,
    failed,
    refused,
    taken,
)
from sinks.channels.pacing import Gate
from sinks.channels.reading import number, rows, table, text
from sinks.channels.transport import Request, Response, Token, Unanswered

NEEDS = Needs(
    ("endpoint", "token_endpoint", "seller", "marketplace"), ("client_id", "client_secret", "refresh_token")
)
PATCH, FEED = "patch", "feed"
FEED_SIZE = 20_000
"""Of 25,000 messages allowed: with 40 letters of SKU these stay well below the 10 MiB allowed, too."""
LAST_LOOK = 0.8
"""Of `answer_within`: then what the listing shows is taken as its last word."""
CLOCKS_APART = 5.0
UNDECIDED = frozenset({"IN_QUEUE", "IN_PROGRESS"})


class Amazon:
    """Limits are the documented ones; `x-amzn-RateLimit-Limit` lowers them where it is less."""

    def __init__(self, setup: Setup) -> None:
        self._setup, self._api = setup, setup.api
        self._patches = setup.gate(PATCH, 5, 5)
        self._reads = setup.gate("read", 5, 10)
        self._feeds = setup.gate(FEED, 5 / 300, 5)
        self._documents = setup.gate("document", 0.5, 15)
        self._questions = setup.gate("feed_status", 2, 15)
        self._reports = setup.gate("report", 0.0222, 10)
        self._listed = setup.gate("feed_list", 0.0222, 10)
        self._token = Token(self._pass)
        self._passes = setup.gate("token", 1, 5)
        self._open: set[str] = set()
        self._known: set[str] = set()
        self._each = 0.0  # seconds a patch takes, lately

    def route(self, waiting: int) -> Route:
        each = max(self._each, 1 / self._patches.rate)
        if (
            waiting * each > self._setup.stock_sync.total_seconds()
            and not self._open
            and not self._feeds.seconds
        ):
            return Route(FEED, FEED_SIZE, self._setup.pause.seconds)
        return Route(PATCH, 1, self._patches.seconds)

    def send(self, route: str, updates: list[ChannelUpdate]) -> Reply:
        return self._feed(updates) if route == FEED else self._patch(updates[0])

    def poll(self, submission: Submission) -> Reply | None:
        return self._poll_feed(submission) if submission.kind == FEED else self._confirm(submission)

    def close(self) -> None:
        """Nothing of its own is open."""

    def _patch(self, update: ChannelUpdate) -> Reply:
        began = time.monotonic()
        path = words.item_path(self._api, update)
        response = self._call(self._patches, "PATCH", path, words.patch(self._api, update))
        spent = (time.monotonic() - began) * (2 if self._api.confirm else 1)
        self._each += (spent - self._each) / 8
        answer = words.read_patch(response, update)
        if answer is not None:
            return Reply([answer])
        if not self._api.confirm:
            return Reply([taken(update)])
        ref = f"{update.listing_id} {update.version}"
        return Reply(submissions=[Submission(ref, PATCH, [update], time.time())])

    def _confirm(self, submission: Submission) -> Reply | None:
        """Read the listing until it shows what it was told, or has had time enough."""
        update = submission.updates[0]
        path = words.item_path(self._api, update, includedData="fulfillmentAvailability")
        response = self._call(self._reads, "GET", path)
        if not response.good:
            answer = failed(response, [update], words.error(response))[0]
            return None if answer.again else Reply([answer])
        shown = words.read_shown(response)
        if shown == update.quantity:
            return Reply([taken(update)])
        if time.time() - submission.sent_at < LAST_LOOK * self._setup.policy.answer_within.total_seconds():
            return None
        if shown is None or shown == update.previous_quantity:
            return Reply([refused(update, NOT_APPLIED, f"accepted, and the listing shows {shown}")])
        return Reply([taken(update, shown)])  # it has sold meanwhile: its own word of what it shows

    def _feed(self, updates: list[ChannelUpdate]) -> Reply:
        made = self._call(self._documents, "POST", words.DOCUMENTS, {"contentType": words.CONTENT})
        document = table(made.json())
        url, name = text(document.get("url")), text(document.get("feedDocumentId"))
        if not made.good or not url or not name:
            return Reply(failed(made, updates, words.error(made)))
        # The signature is in the address; the account's pass has no business there.
        content = Request("PUT", url, {"Content-Type": words.CONTENT}, words.feed(self._api, updates))
        put = self._setup.transport.call(content, self._documents)
        if not put.good:
            return Reply(failed(put, updates, f"the feed's document was answered {put.status}"))
        return self._submit(name, updates)

    def _submit(self, document: str, updates: list[ChannelUpdate]) -> Reply:
        body = {
            "feedType": words.FEED,
            "marketplaceIds": [self._api.marketplace],
            "inputFeedDocumentId": document,
        }
        sent_at = time.time()
        try:
            response = self._call(self._feeds, "POST", words.FEEDS, body, repeatable=False)
            ref = text(table(response.json()).get("feedId")) if response.good else ""
        except Unanswered:
            response, ref = None, ""
        if not ref and (response is None or response.status >= 500):  # noqa: PLR2004  their side failed
            # It may have been made all the same, and a second one could then be overtaken by the first.
            ref = self._lost(sent_at)
        if not ref:
            if response is None:
                raise Unanswered("the feed's submission was not answered, and no such feed is there")
            return Reply(failed(response, updates, words.error(response)))
        self._open.add(ref)
        self._known.add(ref)
        return Reply(submissions=[Submission(ref, FEED, updates, sent_at)])

    def _lost(self, sent_at: float) -> str:
        """A feed made since then that nobody here knows; "" if there is none."""
        response = self._call(self._listed, "GET", words.since(words.FEEDS, sent_at - CLOCKS_APART))
        found = [text(entry.get("feedId")) for entry in rows(table(response.json()).get("feeds"))]
        return next((ref for ref in found if ref and ref not in self._known), "")

    def _poll_feed(self, submission: Submission) -> Reply | None:
        self._open.add(submission.ref)
        self._known.add(submission.ref)
        response = self._call(self._questions, "GET", f"{words.FEEDS}/{submission.ref}")
        said = table(response.json())
        status, report = text(said.get("processingStatus")), text(said.get("resultFeedDocumentId"))
        if not response.good or status in UNDECIDED or not status:
            return None
        if status == "DONE" and report:
            fetched = self._report(report)
            if fetched is None:
                return None
            answers = words.read_report(fetched, submission.updates)
        else:  # CANCELLED, or FATAL, which may have applied some: all are to be told again
            answers = [refused(update, f"feed_{status.lower()}") for update in submission.updates]
        self._open.discard(submission.ref)
        return Reply(answers)

    def _report(self, document: str) -> bytes | None:
        """The report of a feed, None while it cannot be had."""
        described = self._call(self._reports, "GET", f"{words.DOCUMENTS}/{document}")
        said = table(described.json())
        if not described.good or not text(said.get("url")):
            return None
        fetched = self._setup.transport.call(Request("GET", said["url"]), self._reports)
        return words.unpack(fetched, said.get("compressionAlgorithm")) if fetched.good else None

    def _call(
        self, gate: Gate, method: str, path: str, body: object = None, *, repeatable: bool = True
    ) -> Response:
        def build(token: str) -> Request:
            return words.request(self._api, token, method, path, body, repeatable=repeatable)

        return self._token.call(self._setup.transport, build, gate)

    def _pass(self) -> tuple[str, float]:
        secret = self._setup.credentials.get
        names = ("refresh_token", "client_id", "client_secret")
        request = words.pass_request(self._api, *(secret(name) for name in names))
        response = self._setup.transport.call(request, self._passes)
        said = table(response.json())
        token = text(said.get("access_token"))
        if not token and (response.status == 429 or response.status >= 500):  # noqa: PLR2004  their side failed
            raise Unanswered(f"Login with Amazon answered {response.status}")
        if not token:
            raise Denied(f"Login with Amazon answered {response.status} {text(said.get('error'))}")
        self._setup.credentials.hide(token)
        return token, number(said.get("expires_in")) or 3600


start = Amazon
