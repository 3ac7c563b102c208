"""The one way out: every request of every driver (reliability, section 4).

Timeouts everywhere, no redirects, no proxies from the environment, only hosts that `addresses` lets through, an end to
how long and how large an answer may be. What failed on the way is tried again with growing pauses, or after as long as
the channel asks. Nothing here ever shows a header, a body or the query of an address: there are secrets in them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx
import stamina
from msgspec import Struct

from canonical.api import Api
from canonical.errors import Transient
from sinks.channels.addresses import Pinned, check, host_of
from sinks.channels.pacing import Gate, Pause, Stopped
from sinks.channels.reading import parsed

MIB = 1 << 20
LARGEST_ANSWER = 32 * MIB
LONGEST_ASKED = 20.0
"""Seconds: asked to wait longer, a request is given back instead of tried again."""
ATTEMPTS = 4
PASSING = frozenset({500, 502, 503, 504})
"""Statuses that a moment later may be gone."""

# These would write whole addresses, with the signatures in them, into our log.
for name in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
    logging.getLogger(name).addFilter(lambda record: record.levelno >= logging.WARNING)


class Unanswered(Transient):
    """No whole answer came: what was asked for may or may not have been done."""

    repeatable = True


class Request(Struct, frozen=True):
    """`repeatable`: doing it twice is as good as once, so it may be tried again when no answer came."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    repeatable: bool = True

    def __repr__(self) -> str:
        return f"Request({self.method} {host_of(self.url)})"


class Response(Struct, frozen=True):
    """`headers` have names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  because that is what success is called in HTTP

    @property
    def retry_after(self) -> float | None:
        """Seconds the channel asks to wait, if it says so."""
        return seconds_of(self.headers.get("retry-after"), time.time())

    def json(self) -> object:
        """The body as JSON, None when it is not."""
        return parsed(self.body)

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes)"


class _Passing(Exception):  # noqa: N818  because it is a state, soon over, and never leaves this file
    def __init__(self, response: Response) -> None:
        super().__init__(f"answered {response.status}")
        self.response = response


def seconds_of(header: str | None, now: float) -> float | None:
    """A Retry-After (seconds, or an HTTP date) as seconds from `now` (seconds since 1970), None if it is neither."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now)


class Transport:
    """The requests of one channel. `first_wait`: the shortest pause (seconds) before a second attempt."""

    def __init__(self, api: Api, pause: Pause, *, agent: str = "sellable", first_wait: float = 0.5) -> None:
        self._timeout = api.timeout.total_seconds()
        self._pause, self._first_wait = pause, first_wait
        endpoints = (api.endpoint, api.token_endpoint)
        self._allowed = frozenset((*api.hosts, *(host_of(url) for url in endpoints if url)))
        self._agent = agent
        self._clients: dict[str, httpx.Client] = {}

    def call(self, request: Request, gate: Gate) -> Response:
        """The channel's answer, whatever its status. Raises Barred, Stopped, or Unanswered when none came in the end.

        Every attempt waits at the gate. A refusal for calling too often is not tried again here: it is news.
        """
        host = check(request.url, self._allowed)
        try:
            for attempt in stamina.retry_context(
                on=lambda fault: self._tried_again(fault, request),
                attempts=ATTEMPTS,
                timeout=ATTEMPTS * self._timeout + LONGEST_ASKED,
                wait_initial=self._first_wait,
                wait_max=16 * self._first_wait,
                wait_jitter=self._first_wait,
            ):
                with attempt:
                    response = self._attempt(host, request, gate)
        except _Passing as passing:
            return passing.response
        return response

    def _tried_again(self, fault: Exception, request: Request) -> bool | float:
        if not request.repeatable or self._pause.stop.is_set():
            return False
        if isinstance(fault, _Passing):
            asked = fault.response.retry_after
            return True if asked is None else asked <= LONGEST_ASKED and asked
        return isinstance(fault, Unanswered)

    def _attempt(self, host: str, request: Request, gate: Gate) -> Response:
        response = self._once(host, request, gate)
        if response.status in PASSING:
            raise _Passing(response)
        return response

    def _once(self, host: str, request: Request, gate: Gate) -> Response:
        gate.enter()
        try:
            response = self._exchange(host, request)
        except httpx.HTTPError as error:
            # The library's own exception holds the request with all its headers: it goes no further.
            raise Unanswered(f"{host}: no answer ({type(error).__name__})") from None
        finally:
            gate.leave()
        if (asked := response.retry_after) is not None and not response.good:
            self._pause.block(asked)
        if (rate := response.headers.get("x-amzn-ratelimit-limit")) is not None:
            gate.learn(seconds_of(rate, 0) or 0)
        return response

    def _exchange(self, host: str, request: Request) -> Response:
        client = self._clients.get(host)
        if client is None:
            client = self._clients[host] = httpx.Client(
                transport=Pinned(), timeout=self._timeout, follow_redirects=False, trust_env=False
            )
        headers = {"User-Agent": self._agent, "Accept-Encoding": "identity", **request.headers}
        over = time.monotonic() + self._timeout
        with client.stream(request.method, request.url, headers=headers, content=request.body) as answer:
            body = bytearray()
            for chunk in answer.iter_raw():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise Unanswered(f"{host}: the answer is longer than {LARGEST_ANSWER // MIB} MiB")
                if time.monotonic() > over:
                    raise Unanswered(f"{host}: the answer took longer than {self._timeout:g} s")
            return Response(
                answer.status_code,
                {name.lower(): value for name, value in answer.headers.items()},
                bytes(body),
            )

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


class Token:
    """A pass that `fetch` gets (the text and the seconds it lives); fetched again when it ends or was refused."""

    def __init__(
        self, fetch: Callable[[], tuple[str, float]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._value, self._ends = "", 0.0

    def value(self) -> str:
        if not self._value or self._clock() >= self._ends:
            self._value, seconds = self._fetch()
            self._ends = self._clock() + seconds * 0.9  # so that it does not end on the way
        return self._value

    def call(self, transport: Transport, build: Callable[[str], Request], gate: Gate) -> Response:
        """What `build` makes of the pass, answered; with a new pass where the old one was refused."""
        response = transport.call(build(self.value()), gate)
        if response.status in {401, 403}:
            self._value = ""
            response = transport.call(build(self.value()), gate)
        return response

    def __repr__(self) -> str:
        return "Token(•••)"


__all__ = ["Request", "Response", "Stopped", "Token", "Transport", "Unanswered", "seconds_of"]
