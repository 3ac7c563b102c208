"""Amazon's Selling Partner API, as far as stock goes: accepts now, applies later, forgets passes."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote

from canonical.api import Api
from tests.sinks.channels.fake import CANARY, TIMEOUT, Call, Fake, Said

DENIED = {"code": "Unauthorized", "message": "Access to requested resource is denied."}


class Channel(Fake):
    LIMITS: ClassVar = {
        "patch": (60, 5),
        "read": (80, 10),
        "feed": (5, 2),
        "document": (20, 5),
        "feed_status": (20, 5),
        "report": (20, 5),
        "feed_list": (20, 5),
        "token": (20, 5),
    }
    driver = "amazon"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.secrets = {name: CANARY + name for name in ("client_id", "client_secret", "refresh_token")}
        for name, value in self.secrets.items():
            self.secret(name, value)
        self.passes: set[str] = set()
        self.given = 0
        self.coming: dict[str, int] = {}
        self.looks: dict[str, int] = {}
        self.documents: dict[str, bytes] = {}
        self.feeds: dict[str, dict[str, Any]] = {}
        self.never: set[str] = set()
        self.last_status = "DONE"

    def api(self) -> Api:
        limits: Any = {name: {"rate": rate, "burst": burst} for name, (rate, burst) in self.LIMITS.items()}
        return Api(
            endpoint=self.url,
            token_endpoint=f"{self.url}/auth/o2/token",
            seller="A1",
            marketplace="ATVPDKIKX0DER",
            credentials={name: str(self.directory / name) for name in self.secrets},
            timeout=timedelta(seconds=TIMEOUT),
            poll_every=timedelta(seconds=0.02),
            limits=limits,
        )

    def operation(self, call: Call) -> str:
        start = call.path.split("/")[1]
        if start in {"auth", "listings"}:
            return "token" if start == "auth" else {"PATCH": "patch", "GET": "read"}[call.method]
        if call.path.startswith("/feeds/2021-06-30/feeds"):
            if call.method == "POST":
                return "feed"
            return "feed_list" if call.path.endswith("/feeds") else "feed_status"
        return "document" if call.method in {"POST", "PUT"} else "report"

    def sets_stock(self, call: Call) -> bool:
        return call.method == "PATCH" or (call.method == "POST" and call.path.endswith("/feeds"))

    def revoke(self) -> Said:
        self.passes.clear()
        return Said(403, {"errors": [DENIED | {"details": "The access token you provided has expired."}]})

    def rotate(self) -> None:
        self.passes.clear()
        self.secrets["client_secret"] = CANARY + "rotated"
        self.secret("client_secret", self.secrets["client_secret"])

    def answer(self, call: Call) -> Said:
        if call.path == "/auth/o2/token":
            return self._pass(call)
        if call.path.startswith("/s3/"):
            return self._document(call)
        if call.headers.get("x-amz-access-token") not in self.passes:
            return Said(403, {"errors": [DENIED]})
        if call.path.startswith("/listings/2021-08-01/items/A1/"):
            return self._listing(call, unquote(call.path.rpartition("/")[2]))
        return self._feed(call)

    def _pass(self, call: Call) -> Said:
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        if form.pop("grant_type") != "refresh_token" or form != self.secrets:
            return Said(400, {"error": "invalid_client", "error_description": f"not {form}"})
        self.given += 1
        token = f"{CANARY}Atza-{self.given}"
        self.passes.add(token)
        return Said(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def _listing(self, call: Call, sku: str) -> Said:
        assert call.query["marketplaceIds"] == "ATVPDKIKX0DER"
        if call.method == "PATCH":
            self._accept(sku, call.json()["patches"])
            return Said(200, {"sku": sku, "status": "ACCEPTED", "submissionId": "f1", "issues": []})
        if sku in self.unknown:
            return Said(404, {"errors": [{"code": "NOT_FOUND", "message": f"SKU {sku} not found"}]})
        self.looks[sku] = self.looks.get(sku, 0) + 1
        if sku in self.coming and self.looks[sku] >= 2 and sku not in self.never:
            self.apply(sku, self.coming.pop(sku))
        shown = (
            [{"fulfillmentChannelCode": "DEFAULT", "quantity": self.shown[sku]}] if sku in self.shown else []
        )
        return Said(200, {"sku": sku, "fulfillmentAvailability": shown})

    def _accept(self, sku: str, patches: list[dict[str, Any]]) -> None:
        (patch,) = patches
        assert (patch["op"], patch["path"]) == ("replace", "/attributes/fulfillment_availability")
        (value,) = patch["value"]
        assert value["fulfillment_channel_code"] == "DEFAULT"
        self.coming[sku], self.looks[sku] = value["quantity"], 0

    def _document(self, call: Call) -> Said:
        assert "x-amz-access-token" not in call.headers, "the pass was sent to the document's host"
        name = call.path.rpartition("/")[2]
        if call.method == "PUT":
            self.documents[name] = call.body
            return Said(200)
        return Said(200, gzip.compress(self.documents[name]))

    def _feed(self, call: Call) -> Said:
        _, kind, *rest = call.path.removeprefix("/feeds/2021-06-30").split("/")
        if kind == "documents":
            name = rest[0] if rest else f"doc{len(self.documents)}"
            self.documents.setdefault(name, b"")
            url = f"{self.url}/s3/{name}?X-Amz-Signature={CANARY}signature"
            return Said(201, {"feedDocumentId": name, "url": url, "compressionAlgorithm": "GZIP"})
        if call.method == "POST":
            ref = f"feed{len(self.feeds)}"
            self.feeds[ref] = {"feedId": ref, "looks": 0, "document": call.json()["inputFeedDocumentId"]}
            return Said(202, {"feedId": ref})
        if not rest:
            return Said(200, {"feeds": list(self.feeds.values())})
        return Said(200, self._status(self.feeds[rest[0]]))

    def _status(self, feed: dict[str, Any]) -> dict[str, Any]:
        feed["looks"] += 1
        if feed["looks"] < 3:
            return {
                "feedId": feed["feedId"],
                "processingStatus": ("IN_QUEUE", "IN_PROGRESS")[feed["looks"] - 1],
            }
        if self.last_status != "DONE":
            return {"feedId": feed["feedId"], "processingStatus": self.last_status}
        if "report" not in feed:
            feed["report"] = f"report-{feed['feedId']}"
            self.documents[feed["report"]] = json.dumps(self._process(feed)).encode()
        return {"feedId": feed["feedId"], "processingStatus": "DONE", "resultFeedDocumentId": feed["report"]}

    def _process(self, feed: dict[str, Any]) -> dict[str, Any]:
        content = json.loads(self.documents[feed["document"]])
        issues = [{"messageId": 1, "code": "18027", "severity": "WARNING", "message": "a poor picture"}]
        for message in content["messages"]:
            if message["sku"] in self.unknown:
                for text in ("'[brand]' is required", "'[colour]' is required"):
                    number = message["messageId"]
                    issues.append(
                        {"messageId": number, "code": "90220", "severity": "ERROR", "message": text}
                    )
            else:
                self.apply(message["sku"], message["patches"][0]["value"][0]["quantity"])
        return {"header": content["header"], "issues": issues, "summary": {"errors": len(issues) - 1}}
