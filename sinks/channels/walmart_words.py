"""What is said to Walmart Marketplace and what it answers: inventory, feeds, the headers of its limits."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from canonical.api import Api
from canonical.outputs import ChannelUpdate
from sinks.channels.driver import Answer, failed, refused, taken
from sinks.channels.reading import number, rows, table, text
from sinks.channels.transport import Response

REPLENISHED = ("x-next-replenish-time", "x-next-replenishment-time")
LONGEST_REPLENISH = 3_600.0
MILLISECONDS_FROM = 1e11
"""A time in seconds since 1970 is below this until the year 5138; one in milliseconds has been above it since 1973."""


def quantity_of(update: ChannelUpdate) -> dict[str, Any]:
    """A quantity as Walmart writes it."""
    return {"unit": "EACH", "amount": update.quantity}


def single_path(api: Api, update: ChannelUpdate) -> str:
    """Where one item's stock is set."""
    node = {"shipNode": api.location} if api.location else {}
    return f"/v3/inventory?{urlencode({'sku': update.listing_id, **node})}"


def feed_of(api: Api, updates: list[ChannelUpdate]) -> dict[str, Any]:
    """The body of a feed MP_INVENTORY, version 1.5: every item names its ship node."""
    items = [
        {"sku": update.listing_id, "shipNodes": [{"shipNode": api.location, "quantity": quantity_of(update)}]}
        for update in updates
    ]
    return {"inventoryHeader": {"version": "1.5"}, "inventory": items}


def headers_of(token: str) -> dict[str, str]:
    """What every request carries; the correlation id is new each time."""
    return {
        "WM_SEC.ACCESS_TOKEN": token,
        "WM_SVC.NAME": "Walmart Marketplace",
        "WM_QOS.CORRELATION_ID": str(uuid.uuid4()),
        "Accept": "application/json",
        "Content-Type": "application/json",
    }


def replenished_in(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until there are calls again where none are left; None where some are, or nobody says.

    `now` in seconds since 1970; the header may hold that, milliseconds, or plain seconds to wait.
    """
    left = number(headers.get("x-current-token-count"))
    told = next((headers[name] for name in REPLENISHED if name in headers), None)
    if left != 0 or told is None:
        return None
    at = number(told)
    if at is None:
        return None
    at_seconds = at / 1000 if at > MILLISECONDS_FROM else float(at)
    wait = at_seconds - now if at_seconds > LONGEST_REPLENISH else at_seconds
    return min(max(0.0, wait), LONGEST_REPLENISH)


def read_single(response: Response, update: ChannelUpdate) -> Answer:
    """What became of one item; the answer repeats the quantity it now has."""
    if not response.good:
        errors = errors_of(response)
        answer = failed(response, [update], words_of(errors))[0]
        code = errors[0].get("code") if errors and answer.code == f"http_{response.status}" else None
        return answer if code is None else msgspec.structs.replace(answer, code=str(code)[:200])
    return taken(update, number(table(table(response.json()).get("quantity")).get("amount")))


def read_feed(said: dict[str, Any], updates: list[ChannelUpdate]) -> list[Answer] | None:
    """What became of each item of a feed; None while it is not processed."""
    status = text(said.get("feedStatus"))
    if status == "ERROR":
        message = words_of(rows(table(said.get("ingestionErrors")).get("ingestionError")))
        return [refused(update, "feed_error", message) for update in updates]
    if status != "PROCESSED":
        return None
    items = rows(table(said.get("itemDetails")).get("itemIngestionStatus"))
    by_sku = {text(item.get("sku")): item for item in items}
    return [_item(update, by_sku.get(update.listing_id), said) for update in updates]


def _item(update: ChannelUpdate, item: dict[str, Any] | None, said: dict[str, Any]) -> Answer:
    if item is None:
        whole = not number(said.get("itemsFailed")) and not number(said.get("itemsProcessing"))
        return (
            taken(update) if whole else refused(update, "not_answered", "the feed's result does not name it")
        )
    if item.get("ingestionStatus") == "SUCCESS":
        return taken(update)
    errors = rows(table(item.get("ingestionErrors")).get("ingestionError"))
    return refused(update, errors[0].get("code") if errors else item.get("ingestionStatus"), words_of(errors))


def errors_of(response: Response) -> list[dict[str, Any]]:
    """Walmart's errors in any of the shapes it uses."""
    said = table(response.json())
    found = said.get("errors", said.get("error"))
    return rows(table(found).get("error")) or rows(found)


def words_of(errors: list[dict[str, Any]]) -> str:
    """Errors in one line."""
    return "; ".join(
        f"{entry.get('code')}: {entry.get('description') or entry.get('info')}" for entry in errors
    )
