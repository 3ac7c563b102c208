"""Walmart Marketplace, as far as stock goes: short passes, calls left in the headers, feeds that finish later."""

from __future__ import annotations

import base64
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from canonical.api import Api
from tests.sinks.channels.fake import CANARY, TIMEOUT, Call, Fake, Said

NODE = "10001"


class Channel(Fake):
    LIMITS: ClassVar = {"single": (60, 5), "feed": (5, 2), "feed_status": (40, 10), "token": (20, 5)}
    driver = "walmart"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.secrets = {name: CANARY + name for name in ("client_id", "client_secret")}
        for name, value in self.secrets.items():
            self.secret(name, value)
        self.passes: set[str] = set()
        self.given = 0
        self.feeds: dict[str, dict[str, Any]] = {}
        self.spelling = "X-Next-Replenishment-Time"

    def api(self) -> Api:
        limits: Any = {name: {"rate": rate, "burst": burst} for name, (rate, burst) in self.LIMITS.items()}
        return Api(
            endpoint=self.url,
            location=NODE,
            credentials={name: str(self.directory / name) for name in self.secrets},
            timeout=timedelta(seconds=TIMEOUT),
            poll_every=timedelta(seconds=0.03),
            limits=limits,
        )

    def operation(self, call: Call) -> str:
        if call.path == "/v3/token":
            return "token"
        if call.path == "/v3/inventory":
            return "single"
        return "feed" if call.method == "POST" else "feed_status"

    def sets_stock(self, call: Call) -> bool:
        return call.method == "PUT" or (call.method == "POST" and call.path == "/v3/feeds")

    def busy(self, wait: float | None) -> Said:
        if wait is None:
            return Said(429, {"error": [{"code": "REQUEST_THRESHOLD_VIOLATED.GMP_GATEWAY_API"}]})
        soon = str(int((time.time() + wait) * 1000) + 1)
        return Said(429, {"error": []}, {"x-current-token-count": "0", self.spelling: soon})

    def revoke(self) -> Said:
        self.passes.clear()
        return Said(
            401, {"error": [{"code": "UNAUTHORIZED.GMP_GATEWAY_API", "description": "token expired"}]}
        )

    def rotate(self) -> None:
        self.passes.clear()
        self.secrets["client_secret"] = CANARY + "rotated"
        self.secret("client_secret", self.secrets["client_secret"])

    def answer(self, call: Call) -> Said:
        assert call.headers["wm_svc.name"] == "Walmart Marketplace"
        assert len(call.headers["wm_qos.correlation_id"]) == 36
        if call.path == "/v3/token":
            return self._pass(call)
        if call.headers.get("wm_sec.access_token") not in self.passes:
            return self.revoke()
        if call.path == "/v3/inventory":
            return self._single(call)
        if call.method == "POST":
            ref = f"F{len(self.feeds)}@AX8"
            self.feeds[ref] = {
                "feedId": ref,
                "looks": 0,
                "items": call.json(),
                "feedDate": time.time() * 1000,
            }
            return Said(200, {"feedId": ref})
        if call.path == "/v3/feeds":
            feeds = [{"feedId": ref, "feedDate": int(feed["feedDate"])} for ref, feed in self.feeds.items()]
            return Said(200, {"results": {"feed": feeds}})
        return self._status(call, self.feeds[call.path.rpartition("/")[2]])

    def _pass(self, call: Call) -> Said:
        pair = f"{self.secrets['client_id']}:{self.secrets['client_secret']}".encode()
        if call.headers["authorization"] != "Basic " + base64.b64encode(pair).decode():
            return Said(
                401, {"error": [{"code": "UNAUTHORIZED", "description": call.headers["authorization"]}]}
            )
        self.given += 1
        token = f"{CANARY}eyJ-{self.given}"
        self.passes.add(token)
        return Said(200, {"access_token": token, "token_type": "Bearer", "expires_in": 900})

    def _single(self, call: Call) -> Said:
        body = call.json()
        assert call.query in ({"sku": body["sku"], "shipNode": NODE}, {"sku": body["sku"]})
        assert body["quantity"]["unit"] == "EACH"
        if body["sku"] in self.unknown:
            errors = {
                "error": [{"code": "CONTENT_NOT_FOUND.GMP_INVENTORY_API", "description": "no such item"}]
            }
            return Said(404, {"errors": errors})
        self.apply(body["sku"], body["quantity"]["amount"])
        return Said(200, body, {"x-current-token-count": "7"})

    def _status(self, call: Call, feed: dict[str, Any]) -> Said:
        feed["looks"] += 1
        if feed["looks"] < 3:
            return Said(
                200, {"feedId": feed["feedId"], "feedStatus": ("RECEIVED", "INPROGRESS")[feed["looks"] - 1]}
            )
        if "results" not in feed:
            feed["results"] = [self._item(item) for item in feed["items"]["inventory"]]
        start = int(call.query["offset"])
        failures = sum(item["ingestionStatus"] != "SUCCESS" for item in feed["results"])
        page = feed["results"][start : start + int(call.query["limit"])]
        said = {"feedStatus": "PROCESSED", "itemsFailed": failures, "itemsReceived": len(feed["results"])}
        return Said(200, {**said, "itemDetails": {"itemIngestionStatus": page}})

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        (node,) = item["shipNodes"]
        assert (node["shipNode"], node["quantity"]["unit"]) == (NODE, "EACH")
        if item["sku"] in self.unknown:
            error = {"code": "ERR_EXT_DATA_0101", "description": "no such item", "type": "DATA_ERROR"}
            return {
                "sku": item["sku"],
                "ingestionStatus": "DATA_ERROR",
                "ingestionErrors": {"ingestionError": [error]},
            }
        self.apply(item["sku"], node["quantity"]["amount"])
        return {"sku": item["sku"], "ingestionStatus": "SUCCESS"}
