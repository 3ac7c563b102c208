"""Shopify's GraphQL Admin, as far as stock goes: points, compare-and-set, idempotency keys."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from canonical.api import Api
from tests.sinks.channels.fake import CANARY, RETRY_AFTER, TIMEOUT, Call, Fake, Said

LOCATION = "gid://shopify/Location/106318430514"
ITEM = "gid://shopify/InventoryItem/"
COSTS = {"Tell": 12, "Shown": 7}


class Channel(Fake):
    LIMITS: ClassVar = {"graphql": (200, 20)}
    driver = "shopify"
    batch = 3
    points_a_second = 600.0
    most_points = 40.0

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.token = CANARY + "shpat"
        self.secret("access_token", self.token)
        self.keys: dict[str, tuple[str, dict[str, Any]]] = {}
        self.points, self.paid_at = self.most_points, time.monotonic()
        self.next_errors: list[str] = []
        self.sizes: list[int] = []

    def api(self) -> Api:
        return Api(
            endpoint=f"{self.url}/admin/api/2026-07/graphql.json",
            location="106318430514",
            credentials={"access_token": str(self.directory / "access_token")},
            timeout=timedelta(seconds=TIMEOUT),
        )

    def operation(self, call: Call) -> str:
        return "graphql"

    def sets_stock(self, call: Call) -> bool:
        return b"inventorySetQuantities" in call.body

    def busy(self, wait: float | None) -> Said:
        if wait is None:
            return Said(429, {"errors": "Exceeded 2 calls per second for api client."})
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        cost = self._cost(10, 0.0, 10 / RETRY_AFTER)
        return Said(200, {"errors": [error], "extensions": {"cost": cost}})

    def revoke(self) -> Said:
        self.rotate()
        return Said(401, {"errors": "[API] Invalid API key or access token"})

    def rotate(self) -> None:
        self.token = f"{self.token}-new"
        self.secret("access_token", self.token)

    def answer(self, call: Call) -> Said:
        token = call.headers["x-shopify-access-token"]
        if token != self.token:
            return Said(401, {"errors": f"[API] Invalid API key or access token {token}"})
        asked = call.json()
        cost = COSTS["Tell" if "mutation" in asked["query"] else "Shown"]
        if not self._pay(cost):
            self.violations.append("points: above what is left")
            error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            body: dict[str, Any] = {"errors": [error]}
        elif "mutation" in asked["query"]:
            body = {"data": {"inventorySetQuantities": self._once(asked["query"], asked["variables"])}}
        else:
            body = {"data": {"nodes": [self._node(item) for item in asked["variables"]["ids"]]}}
        body["extensions"] = {"cost": self._cost(cost, self.points, self.points_a_second)}
        return Said(200, body)

    def _pay(self, cost: int) -> bool:
        now = time.monotonic()
        self.points = min(self.most_points, self.points + (now - self.paid_at) * self.points_a_second)
        self.paid_at = now
        if self.points < cost:
            return False
        self.points -= cost
        return True

    def _cost(self, asked: int, left: float, rate: float) -> dict[str, Any]:
        status = {"maximumAvailable": self.most_points, "currentlyAvailable": int(left), "restoreRate": rate}
        return {"requestedQueryCost": asked, "throttleStatus": status}

    def _once(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        assert "@idempotent(key: $key)" in query
        key, said = variables["key"], json.dumps(variables["input"], sort_keys=True)
        if key in self.keys:
            before, answer = self.keys[key]
            return answer if before == said else self._error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)
        if self.next_errors:
            return self._error(self.next_errors.pop(0), None)
        self.keys[key] = (said, self._set(variables["input"]))
        return self.keys[key][1]

    def _set(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert (asked["name"], asked["reason"]) == ("available", "correction")
        self.sizes.append(len(asked["quantities"]))
        errors = []
        for place, entry in enumerate(asked["quantities"]):
            assert entry["locationId"] == LOCATION
            item = entry["inventoryItemId"].removeprefix(ITEM)
            expected = entry["changeFromQuantity"]
            if item in self.unknown:
                errors += self._error("ITEM_NOT_STOCKED_AT_LOCATION", place)["userErrors"]
            elif expected is not None and expected != self.shown.get(item, 0):
                errors += self._error("CHANGE_FROM_QUANTITY_STALE", place)["userErrors"]
        if not errors:
            for entry in asked["quantities"]:
                self.apply(entry["inventoryItemId"].removeprefix(ITEM), entry["quantity"])
        return {"userErrors": errors}

    def _error(self, code: str, place: int | None) -> dict[str, Any]:
        field = ["input"] if place is None else ["input", "quantities", str(place), "changeFromQuantity"]
        return {"userErrors": [{"code": code, "field": field, "message": f"it is {code}"}]}

    def _node(self, item: str) -> dict[str, Any]:
        quantity = self.shown.get(item.removeprefix(ITEM), 0)
        return {"id": item, "inventoryLevel": {"quantities": [{"name": "available", "quantity": quantity}]}}
