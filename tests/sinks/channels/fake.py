"""A channel on this machine: real sockets, a vendor's own limits, and its bad days."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from canonical.api import Api
from canonical.policy import Channel

TIMEOUT = 0.4
"""Seconds the drivers under test wait for an answer."""
RETRY_AFTER = 0.25
CANARY = "canary-5ecret-"


class Call(Struct):
    """One request as it came; header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Said(Struct):
    """One answer. `body` that is not bytes is sent as JSON."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = {}


class Bucket:
    """The channel's own count of one operation."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.at = float(burst), time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        self.tokens -= 1
        return self.tokens >= -1e-6


class Fake:
    """What all fakes share. `faults` happen to the next calls that set stock, one each, then all is well again.

    `shown` is what the channel offers by its own id of the listing; `applied` every change of it. `violations` is
    what must stay empty: calls over a limit, or before a retry-after was over.
    """

    LIMITS: ClassVar[dict[str, tuple[float, int]]] = {}
    driver = ""
    batch = 1

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.shown: dict[str, int] = {}
        self.applied: list[tuple[str, int]] = []
        self.violations: list[str] = []
        self.faults: deque[str] = deque()
        self.calls: list[tuple[str, float]] = []
        self.unknown: set[str] = set()
        self.elsewhere = ""
        self.fence = 0.0
        self.lock = threading.Lock()
        self.buckets = {name: Bucket(*limit) for name, limit in self.LIMITS.items()}
        self.over = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=lambda: self.server.serve_forever(0.02), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.over.set()
        self.server.shutdown()
        self.server.server_close()

    def secret(self, name: str, value: str) -> str:
        """A credential's file."""
        path = self.directory / name
        path.write_text(value + "\n")
        return str(path)

    def policy(self, **changes: Any) -> Channel:
        """The channel as a retailer would configure it."""
        settings: dict[str, Any] = {"driver": self.driver, "rate": 200, "burst": 20, "batch": self.batch}
        return Channel(**{**settings, "answer_within": "20s", "api": self.api(), **changes})

    def api(self) -> Api:
        raise NotImplementedError

    def operation(self, call: Call) -> str:
        """The limit the call counts against; "" for none."""
        raise NotImplementedError

    def sets_stock(self, call: Call) -> bool:
        raise NotImplementedError

    def answer(self, call: Call) -> Said:
        """What the channel says on a good day, having done what was asked."""
        raise NotImplementedError

    def busy(self, wait: float | None) -> Said:
        return Said(429, {"errors": [{"code": "QuotaExceeded"}]}, {"Retry-After": str(wait)} if wait else {})

    def revoke(self) -> Said:
        """The passes given out end now."""
        raise NotImplementedError

    def rotate(self) -> None:
        """The account's secret is another from now on, and its file says so."""
        raise NotImplementedError

    def apply(self, listing: str, quantity: int) -> None:
        self.shown[listing] = quantity
        self.applied.append((listing, quantity))

    def serve(self, call: Call, send: Callable[[Said], None], drip: Callable[[Said], None]) -> None:
        with self.lock:
            try:
                said, fault = self._decide(call)
            except Exception as wrong:
                self.violations.append(f"{call.method} {call.path}: {wrong!r}")
                raise
        if fault == "lost_after":
            self.over.wait(TIMEOUT * 2)
        elif fault == "slow":
            drip(said)
        elif fault != "lost_before":
            send(said)

    def _decide(self, call: Call) -> tuple[Said, str]:
        operation, now = self.operation(call), time.monotonic()
        self.calls.append((operation, now))
        if now < self.fence:
            self.violations.append(f"{operation}: {self.fence - now:.3f} s before the retry-after was over")
        if operation in self.buckets and not self.buckets[operation].take():
            self.violations.append(f"{operation}: above the limit")
            return self.busy(None), ""
        fault = self.faults.popleft() if self.faults and self.sets_stock(call) else ""
        if fault == "busy":
            self.fence = now + RETRY_AFTER
            return self.busy(RETRY_AFTER), fault
        if fault == "busy_mute":
            return self.busy(None), fault
        if fault == "broken":
            return Said(503, {"error": f"we saw {dict(call.headers)} {call.body!r}"}), fault
        if fault == "redirect":
            return Said(307, headers={"Location": self.elsewhere}), fault
        if fault == "expired":
            return self.revoke(), fault
        if fault == "lost_before":
            return Said(), fault
        return self.answer(call), fault


def handler_for(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _take(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            self.sent = False
            fake.serve(Call(self.command, parts.path, query, headers, body), self._send, self._drip)
            if not self.sent:
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = _take  # noqa: N815  http.server names methods so

        def _head(self, said: Said) -> bytes:
            body = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.sent = True
            self.send_response(said.status)
            for name, value in {"Content-Type": "application/json", **said.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return body

        def _send(self, said: Said) -> None:
            self.wfile.write(self._head(said))

        def _drip(self, said: Said) -> None:
            """The whole answer, a byte at a time, each within the timeout and all of them far beyond it."""
            body = self._head(Said(said.status, b" " * 100, said.headers))
            try:
                for place in range(len(body)):
                    self.wfile.write(body[place : place + 1])
                    self.wfile.flush()
                    if fake.over.wait(TIMEOUT / 5):
                        break
            except OSError:
                pass  # the driver has had enough: that is the point
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
