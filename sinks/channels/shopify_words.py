"""What is said to Shopify and what it answers: GraphQL Admin, inventorySetQuantities from version 2026-04 on."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

import msgspec
from msgspec import Struct

from canonical.outputs import ChannelUpdate
from sinks.channels.driver import FAILED, THROTTLED, Answer, failed, refused
from sinks.channels.reading import rows, table, text
from sinks.channels.transport import Response

SET = """mutation Tell($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    userErrors { code field message }
  }
}"""
READ = """query Shown($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id
      inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } }
    }
  }
}"""
STALE = "CHANGE_FROM_QUANTITY_STALE"
NEW_KEY = frozenset({"IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"})
CONCURRENT = "IDEMPOTENCY_CONCURRENT_REQUEST"
LONGEST_POINTS = 60.0
PASSING = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT"})


class Change(Struct, frozen=True):
    """One SKU's part of a call: set `quantity` if `shown` is what is there now (None: whatever is)."""

    update: ChannelUpdate
    quantity: int
    shown: int | None


class Outcome(Struct, frozen=True):
    """What a call came to. `failed`: nothing was done, an answer for each. Else errors by place (None: of all)."""

    failed: list[Answer] = []
    errors: dict[int | None, tuple[str, str]] = {}


def gid(kind: str, name: str) -> str:
    """A global id; ids are text here, since some are beyond what a double holds."""
    return name if name.startswith("gid://") else f"gid://shopify/{kind}/{name}"


def key_of(changes: list[Change], turn: int) -> str:
    """The same for the same changes: after a lost answer Shopify repeats what it did. Another `turn`, another key."""
    said = [f"{c.update.channel}|{c.update.sku}|{c.update.version}|{c.quantity}|{c.shown}" for c in changes]
    return str(uuid.UUID(bytes=hashlib.sha256("\n".join([str(turn), *said]).encode()).digest()[:16]))


def set_body(changes: list[Change], location: str, turn: int) -> bytes:
    """Sets what can be sold at a location; all of it, or, where anything in it is wrong, nothing."""
    quantities = [
        {
            "inventoryItemId": gid("InventoryItem", change.update.listing_id),
            "locationId": gid("Location", location),
            "quantity": change.quantity,
            "changeFromQuantity": change.shown,
        }
        for change in changes
    ]
    setting = {"name": "available", "reason": "correction", "quantities": quantities}
    variables = {"input": setting, "key": key_of(changes, turn)}
    return msgspec.json.encode({"query": SET, "variables": variables})


def read_body(changes: list[Change], location: str) -> bytes:
    """Asks what can be sold at a location."""
    ids = [gid("InventoryItem", change.update.listing_id) for change in changes]
    return msgspec.json.encode(
        {"query": READ, "variables": {"ids": ids, "location": gid("Location", location)}}
    )


def points_wait(said: dict[str, Any], needed: float | None = None) -> float:
    """Seconds until a call of so many points (by default: as many as this one) can be paid for."""
    cost = table(table(said.get("extensions")).get("cost"))
    status = table(cost.get("throttleStatus"))
    left, rate = _points(status.get("currentlyAvailable")), _points(status.get("restoreRate"))
    wanted = needed or _points(cost.get("requestedQueryCost"))
    return min(LONGEST_POINTS, max(0.0, (wanted - left) / rate)) if rate else 0.0


def cost_of(said: dict[str, Any]) -> float:
    """Points the call was priced at."""
    return _points(table(table(said.get("extensions")).get("cost")).get("requestedQueryCost"))


def failure(response: Response, changes: list[Change]) -> list[Answer]:
    """The answers of a call that did nothing; [] when it was carried out. THROTTLED comes with status 200."""
    updates = [change.update for change in changes]
    if not response.good:
        return failed(response, updates)
    said = table(response.json())
    errors = rows(said.get("errors"))
    if not errors and "data" in said:
        return []
    code = text(table(errors[0].get("extensions")).get("code")) if errors else ""
    message = "; ".join(text(error.get("message")) for error in errors)
    if code == "THROTTLED":
        wait = points_wait(said) or None
        return [Answer(update, THROTTLED, message, wait, again=True) for update in updates]
    if code in PASSING or not errors:
        return [Answer(update, FAILED, message or "an answer without data", again=True) for update in updates]
    return [refused(update, code, message) for update in updates]


def read_set(response: Response, changes: list[Change]) -> Outcome:
    """What became of a change."""
    broken = failure(response, changes)
    if broken:
        return Outcome(failed=broken)
    said = table(table(table(response.json()).get("data")).get("inventorySetQuantities"))
    errors: dict[int | None, tuple[str, str]] = {}
    for error in rows(said.get("userErrors")):
        place = _place(error.get("field"))
        known = place if place is not None and place < len(changes) else None
        errors.setdefault(known, (text(error.get("code")) or "user_error", text(error.get("message"))))
    return Outcome(errors=errors)


def read_shown(response: Response) -> dict[str, int]:
    """Item → what can be sold of it by Shopify's word (below 0: oversold). Those not stocked there are left out."""
    shown = {}
    for node in rows(table(table(response.json()).get("data")).get("nodes")):
        for entry in rows(table(node.get("inventoryLevel")).get("quantities")):
            if entry.get("name") == "available" and isinstance(entry.get("quantity"), int):
                shown[text(node.get("id"))] = entry["quantity"]
    return shown


def _place(field: object) -> int | None:
    """The number in a path like ["input", "quantities", "3", "changeFromQuantity"]."""
    parts = field if isinstance(field, list) else []
    return next((int(part) for part in parts if str(part).isdecimal()), None)


def _points(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
