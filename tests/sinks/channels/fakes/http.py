"""Everyone else's channel: checks signatures, remembers versions."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

from canonical.api import Api
from tests.sinks.channels.fake import CANARY, TIMEOUT, Call, Fake, Said


class Channel(Fake):
    LIMITS: ClassVar = {"update": (200, 20), "ask": (100, 20)}
    driver = "http"
    batch = 3

    def __init__(self, directory: Any) -> None:
        super().__init__(directory)
        self.key = CANARY + "shared"
        self.secret("secret", self.key)
        self.versions: dict[str, int] = {}
        self.deferred: dict[str, tuple[int, list[dict[str, Any]]]] = {}
        self.defers = False

    def api(self) -> Api:
        limits: Any = {name: {"rate": rate, "burst": burst} for name, (rate, burst) in self.LIMITS.items()}
        return Api(
            endpoint=f"{self.url}/sellable",
            credentials={"secret": str(self.directory / "secret")},
            timeout=timedelta(seconds=TIMEOUT),
            poll_every=timedelta(seconds=0.05),
            limits=limits,
        )

    def operation(self, call: Call) -> str:
        return "update" if call.method == "POST" else "ask"

    def sets_stock(self, call: Call) -> bool:
        return call.method == "POST"

    def revoke(self) -> Said:
        self.rotate()
        return Said(401)

    def rotate(self) -> None:
        self.key += "-new"
        self.secret("secret", self.key)

    def answer(self, call: Call) -> Said:
        stamp = call.headers["sellable-timestamp"]
        wanted = hmac.new(self.key.encode(), f"{stamp}.".encode() + call.body, hashlib.sha256).hexdigest()
        if call.headers["sellable-signature"] != f"v1={wanted}" or abs(time.time() - int(stamp)) > 300:
            return Said(401, {"error": call.headers["sellable-signature"]})
        if call.method == "GET":
            ref = unquote(call.path.rpartition("/")[2])
            looks, updates = self.deferred[ref]
            self.deferred[ref] = (looks - 1, updates)
            return Said(202, {}) if looks else Said(207, {"results": [self._take(u) for u in updates]})
        updates = call.json()["updates"]
        if self.defers:
            ref = f"job {len(self.deferred)}"
            self.deferred[ref] = (2, updates)
            return Said(202, {"submission": ref})
        return Said(207, {"results": [self._take(update) for update in updates]})

    def _take(self, update: dict[str, Any]) -> dict[str, Any]:
        sku, listing = update["sku"], update["listing_id"]
        if listing in self.unknown:
            return {"sku": sku, "status": "refused", "code": "unknown_sku", "message": "no such listing"}
        if update["version"] > self.versions.get(sku, 0):
            self.versions[sku] = update["version"]
            self.apply(listing, update["quantity"])
        return {"sku": sku, "status": "taken", "quantity": self.shown[listing]}
