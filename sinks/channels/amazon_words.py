"""What is said to Amazon and what it answers: Listings Items 2021-08-01, Feeds 2021-06-30, Login with Amazon."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from canonical.api import Api
from canonical.outputs import ChannelUpdate
from sinks.channels.driver import Answer, failed, refused, taken
from sinks.channels.reading import number, parsed, rows, table
from sinks.channels.transport import Request, Response

FEED = "JSON_LISTINGS_FEED"
CONTENT = "application/json; charset=UTF-8"
LARGEST_REPORT = 64 << 20
FEEDS, DOCUMENTS = "/feeds/2021-06-30/feeds", "/feeds/2021-06-30/documents"


def pass_request(api: Api, refresh_token: str, client_id: str, client_secret: str) -> Request:
    """Asks Login with Amazon for an access token."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Request("POST", api.token_endpoint or "", headers, urlencode(form).encode())


def request(
    api: Api, token: str, method: str, path: str, body: object = None, *, repeatable: bool = True
) -> Request:
    """A request of the Selling Partner API; `body` is sent as JSON."""
    headers = {"x-amz-access-token": token, "Content-Type": "application/json"}
    content = b"" if body is None else msgspec.json.encode(body)
    return Request(method, (api.endpoint or "").rstrip("/") + path, headers, content, repeatable)


def item_path(api: Api, update: ChannelUpdate, **query: str) -> str:
    """Where a listing lives; the listing's id is the seller's SKU at Amazon."""
    asked = urlencode({"marketplaceIds": api.marketplace or "", **query})
    return f"/listings/2021-08-01/items/{quote(api.seller or '', safe='')}/{quote(update.listing_id, safe='')}?{asked}"


def patch(api: Api, update: ChannelUpdate) -> dict[str, Any]:
    """The change of one listing's quantity, in a patch and in a feed alike."""
    # AMAZON_… would be Amazon's own stock; DEFAULT is the seller's.
    value = [{"fulfillment_channel_code": "DEFAULT", "quantity": update.quantity}]
    change = {"op": "replace", "path": "/attributes/fulfillment_availability", "value": value}
    return {"productType": api.product_type, "patches": [change]}


def feed(api: Api, updates: list[ChannelUpdate]) -> bytes:
    """The document of a feed; `messageId` is the place of the update in the list, from 1."""
    messages = [
        {"messageId": place, "sku": update.listing_id, "operationType": "PATCH", **patch(api, update)}
        for place, update in enumerate(updates, 1)
    ]
    header = {"sellerId": api.seller, "version": "2.0", "issueLocale": "en_US"}
    return msgspec.json.encode({"header": header, "messages": messages})


def since(path: str, sent_at: float) -> str:
    """Asks for the feeds made from an instant (seconds since 1970) on."""
    moment = datetime.fromtimestamp(int(sent_at), UTC).isoformat().replace("+00:00", "Z")
    return f"{path}?{urlencode({'feedTypes': FEED, 'createdSince': moment, 'pageSize': '100'})}"


def read_patch(response: Response, update: ChannelUpdate) -> Answer | None:
    """What a patch was answered; None: accepted, which is not applied."""
    if not response.good:
        return failed(response, [update], error(response))[0]
    said = table(response.json())
    issues = [issue for issue in rows(said.get("issues")) if issue.get("severity") == "ERROR"]
    if said.get("status") in {"ACCEPTED", "VALID"} and not issues:
        return None
    return _issue(update, issues, said.get("status"))


def read_shown(response: Response) -> int | None:
    """The seller's quantity a listing shows, None if it shows none."""
    said = table(response.json())
    for entry in rows(said.get("fulfillmentAvailability")):
        if entry.get("fulfillmentChannelCode") == "DEFAULT":
            return number(entry.get("quantity"))
    return None


def read_report(report: bytes, updates: list[ChannelUpdate]) -> list[Answer]:
    """What became of each message of a feed that is done. An error that names no message is about all of them."""
    said = table(parsed(report))
    by_message: dict[int | None, list[dict[str, Any]]] = {}
    for issue in rows(said.get("issues")):
        if issue.get("severity") == "ERROR":
            by_message.setdefault(issue.get("messageId"), []).append(issue)
    if "summary" not in said:
        return [refused(update, "bad_report", "the feed's report cannot be read") for update in updates]
    answers = []
    for place, update in enumerate(updates, 1):
        issues = by_message.get(place, []) + by_message.get(None, [])
        answers.append(_issue(update, issues, None) if issues else taken(update))
    return answers


def unpack(response: Response, packing: object) -> bytes:
    """A document as it was before Amazon compressed it."""
    if packing != "GZIP":
        return response.body
    return zlib.decompressobj(wbits=31).decompress(response.body, LARGEST_REPORT)


def error(response: Response) -> str:
    """Amazon's words for a failed request."""
    errors = rows(table(response.json()).get("errors"))
    return "; ".join(f"{entry.get('code')}: {entry.get('message')}" for entry in errors)


def _issue(update: ChannelUpdate, issues: list[dict[str, Any]], status: object) -> Answer:
    words = "; ".join(str(issue.get("message", "")) for issue in issues)
    return refused(update, issues[0].get("code") if issues else status, words)
