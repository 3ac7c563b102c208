"""Driver `http`: a signed JSON POST, for every channel that has no driver of its own.

    [channels.shop]
    driver = "http"
    batch = 100                                   # updates a request
    rate = 2                                      # requests a second
    [channels.shop.api]
    endpoint = "https://stock.shop.example/sellable"
    credentials = { secret = "secrets/shop" }     # the shared secret, 32 random characters or more

**Request.** POST to the endpoint, `Content-Type: application/json`:

    {"channel": "shop", "updates": [{"key": "shop|TEE-S|7", "sku": "TEE-S", "listing_id": "991", "quantity": 4,
        "version": 7, "reason": "decrease", "released_at": "2026-03-01T10:00:00Z", "correlationid": "o-17"}]}

`Sellable-Timestamp`: seconds since 1970. `Sellable-Signature`: `v1=` and the lower-case hexadecimal HMAC-SHA256, under
the shared secret, of the timestamp, a full stop, and the body as sent. `Idempotency-Key`: the update's `key`
(channel|sku|version), or for several the hexadecimal SHA-256 of their keys joined by newlines. The receiver compares
the signature in constant time, on the bytes as they came and before parsing them, and turns away timestamps more than
five minutes off. A request may come twice, and `quantity` is absolute: an update whose version is not above the one
applied last for its SKU changes nothing and is answered with the quantity now shown.

**Answer.** 204, or 200 without `results`: all taken. 200 or 207 with one result per update:

    {"results": [{"sku": "TEE-S", "status": "taken", "quantity": 4},
                 {"sku": "TEE-M", "status": "refused", "code": "unknown_sku", "message": "…",
                  "retry_after_seconds": 60}]}

`quantity` may be left out when it is as told. An update without a result is asked again. 202 with
`{"submission": "8f2…"}`: accepted, not applied; GET endpoint/8f2… (signed as above, over an empty body) answers 202
until it is decided, then as above, and 404 if it is lost. 429 and 503, with Retry-After if it is known: later.
Any other status: refused, all of them. Redirects are not followed.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import UTC
from typing import Any
from urllib.parse import quote

import msgspec

from canonical.outputs import ChannelUpdate
from sinks.channels.driver import Answer, Needs, Reply, Route, Setup, Submission, failed, refused, taken
from sinks.channels.pacing import Gate
from sinks.channels.reading import number, rows, table, text
from sinks.channels.transport import Request, Response

NEEDS = Needs(settings=("endpoint",), credentials=("secret",))
NOT_ANSWERED = "not_answered"


def key_of(update: ChannelUpdate) -> str:
    """The name of one update."""
    return f"{update.channel}|{update.sku}|{update.version}"


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What `Sellable-Signature` says."""
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def body_of(channel: str, updates: list[ChannelUpdate]) -> bytes:
    """The JSON of one request."""
    entries = [
        {
            "key": key_of(update),
            "sku": update.sku,
            "listing_id": update.listing_id,
            "quantity": update.quantity,
            "version": update.version,
            "reason": update.reason,
            "released_at": update.released_at.astimezone(UTC),
            "correlationid": update.correlationid,
        }
        for update in updates
    ]
    return msgspec.json.encode({"channel": channel, "updates": entries})


def idempotency_key(updates: list[ChannelUpdate]) -> str:
    """The name of one request: the same updates again have the same."""
    keys = [key_of(update) for update in updates]
    return keys[0] if len(keys) == 1 else hashlib.sha256("\n".join(keys).encode()).hexdigest()


def read(response: Response, updates: list[ChannelUpdate]) -> list[Answer]:
    """The answers of a decided request."""
    if not response.good:
        return failed(response, updates)
    said = table(response.json())
    if "results" not in said:
        return [taken(update) for update in updates]
    by_sku = {entry.get("sku"): entry for entry in rows(said["results"])}
    return [_result(update, by_sku.get(update.sku)) for update in updates]


def _result(update: ChannelUpdate, said: dict[str, Any] | None) -> Answer:
    if said is None:
        return Answer(update, NOT_ANSWERED, "the answer does not name this SKU", again=True)
    if said.get("status") == "taken":
        return taken(update, number(said.get("quantity")))
    answer = refused(update, said.get("code"), said.get("message"))
    wait = said.get("retry_after_seconds")
    return msgspec.structs.replace(answer, wait=float(wait)) if isinstance(wait, int | float) else answer


class Http:
    """Signed requests, `batch` updates each, at the channel's own `rate` and `burst`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._gate = setup.gate("update", setup.policy.rate, setup.policy.burst)
        self._asking = setup.gate("ask", setup.policy.rate, setup.policy.burst)

    def route(self, waiting: int) -> Route:
        return Route("post", self._setup.policy.batch, self._gate.seconds)

    def send(self, route: str, updates: list[ChannelUpdate]) -> Reply:
        body = body_of(self._setup.channel, updates)
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key(updates)}
        response = self._call(self._gate, "POST", "", headers, body)
        if response.status == 202:  # noqa: PLR2004  accepted, as the docstring above says
            ref = text(table(response.json()).get("submission"))
            if not ref:
                return Reply(
                    [refused(update, "bad_answer", "202 without a submission") for update in updates]
                )
            return Reply(submissions=[Submission(ref, "post", updates, time.time())])
        return Reply(read(response, updates))

    def poll(self, submission: Submission) -> Reply | None:
        response = self._call(self._asking, "GET", "/" + quote(submission.ref, safe=""), {}, b"")
        if response.status == 202 or response.status == 429 or response.status >= 500:  # noqa: PLR2004, PLR1714  the codes of an answer still to come
            return None
        return Reply(read(response, submission.updates))

    def _call(self, gate: Gate, method: str, path: str, headers: dict[str, str], body: bytes) -> Response:
        def build(secret: str) -> Request:
            stamp = str(int(time.time()))
            signed = {"Sellable-Timestamp": stamp, "Sellable-Signature": signature(secret, stamp, body)}
            return Request(method, self._setup.endpoint(path), {**headers, **signed}, body)

        return self._setup.call_with("secret", build, gate)

    def close(self) -> None:
        """Nothing of its own is open."""


start = Http
