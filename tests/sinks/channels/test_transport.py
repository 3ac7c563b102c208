"""The way out: where requests may go, how long they may take, what is tried again, what is never shown."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from canonical.api import Api, Limit
from canonical.errors import Transient
from sinks.channels import transport as transport_module
from sinks.channels.addresses import Barred, resolve
from sinks.channels.pacing import Gate, Pause, Stopped
from sinks.channels.transport import Request, Transport, Unanswered, seconds_of
from tests.sinks.channels.fake import TIMEOUT, Call, Fake, Said


class Plain(Fake):
    """Answers what it is told to."""

    LIMITS: ClassVar = {}

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.says: list[Said] = []

    def operation(self, call: Call) -> str:
        return "any"

    def sets_stock(self, call: Call) -> bool:
        return True

    def answer(self, call: Call) -> Said:
        return self.says.pop(0) if self.says else Said(200, {"path": call.path})


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Plain]:
    fake = Plain(tmp_path)
    yield fake
    fake.close()


Way = Callable[..., tuple[Transport, Gate]]


@pytest.fixture
def way() -> Iterator[Way]:
    opened: list[Transport] = []

    def open_way(host: Plain | None = None, **settings: Any) -> tuple[Transport, Gate]:
        api = Api(endpoint=host.url if host else None, timeout=timedelta(seconds=TIMEOUT), **settings)
        pause = Pause(threading.Event())
        opened.append(Transport(api, pause, first_wait=0.01))
        return opened[-1], Gate(Limit(rate=1000, burst=100), pause)

    yield open_way
    for transport in opened:
        transport.close()


@pytest.mark.parametrize("inner", ["169.254.169.254", "10.1.2.3", "127.0.0.1"])
def test_a_name_that_stands_for_an_inner_address_is_refused(
    way: Way, inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", (inner, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Barred, match=inner):
        resolve("shop.example", 443)
    transport, gate = way(hosts=("shop.example",))
    with pytest.raises(Barred):
        transport.call(Request("GET", "https://shop.example/"), gate)


def test_a_name_that_cannot_be_resolved_may_be_so_later(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "no")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    transport, gate = way(hosts=("shop.example",))
    with pytest.raises(Transient, match="cannot be resolved"):
        transport.call(Request("GET", "https://shop.example/"), gate)


def test_tls_is_spoken_where_it_is_asked_for(host: Plain, way: Way) -> None:
    transport, gate = way(host)
    with pytest.raises(Unanswered, match="ConnectError"):
        transport.call(Request("GET", host.url.replace("http:", "https:"), repeatable=False), gate)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_what_fails_for_a_moment_is_tried_again(host: Plain, way: Way, status: int) -> None:
    host.says = [Said(status), Said(status)]
    transport, gate = way(host)
    assert transport.call(Request("GET", host.url), gate).status == 200
    assert len(host.calls) == 3


def test_what_fails_for_long_is_given_back(host: Plain, way: Way) -> None:
    host.says = [Said(503)] * 9
    transport, gate = way(host)
    assert transport.call(Request("GET", host.url), gate).status == 503
    assert len(host.calls) == transport_module.ATTEMPTS


@pytest.mark.parametrize("status", [200, 301, 400, 401, 404, 409, 429])
def test_other_answers_are_given_back_at_once(host: Plain, way: Way, status: int) -> None:
    host.says = [Said(status, headers={"Location": "http://127.0.0.1:1/"})]
    transport, gate = way(host)
    assert transport.call(Request("GET", host.url), gate).status == status
    assert len(host.calls) == 1


def test_a_wait_that_is_asked_for_is_kept(host: Plain, way: Way) -> None:
    host.says = [Said(503, headers={"Retry-After": "0.2"})]
    transport, gate = way(host)
    began = time.monotonic()
    assert transport.call(Request("GET", host.url), gate).status == 200
    assert 0.2 <= time.monotonic() - began < 2


def test_a_long_wait_is_given_back_and_no_call_is_made_before_it_is_over(host: Plain, way: Way) -> None:
    host.says = [Said(503, headers={"Retry-After": "3600"})]
    transport, gate = way(host)
    assert transport.call(Request("GET", host.url), gate).retry_after == 3600
    assert gate.seconds > 3590
    threading.Timer(0.05, gate.pause.stop.set).start()
    with pytest.raises(Stopped):
        transport.call(Request("GET", host.url), gate)
    assert len(host.calls) == 1


@pytest.mark.parametrize("fault", ["lost_after", "lost_before", "slow"])
def test_what_may_not_be_done_twice_is_asked_once(host: Plain, way: Way, fault: str) -> None:
    host.faults.append(fault)
    transport, gate = way(host)
    with pytest.raises(Unanswered) as caught:
        transport.call(Request("POST", host.url + "/?secret=canary", {"X": "canary"}, b"canary", False), gate)
    assert len(host.calls) == 1
    assert "canary" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_huge_answer_is_cut_off(host: Plain, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "LARGEST_ANSWER", 1000)
    host.says = [Said(200, b"x" * 2000)]
    transport, gate = way(host)
    with pytest.raises(Unanswered, match="longer than"):
        transport.call(Request("GET", host.url, repeatable=False), gate)


def test_a_lower_rate_the_channel_tells_is_obeyed(host: Plain, way: Way) -> None:
    host.says = [
        Said(200, headers={"x-amzn-RateLimit-Limit": "0.5"}),
        Said(200, headers={"x-amzn-RateLimit-Limit": "9"}),
    ]
    transport, gate = way(host)
    transport.call(Request("GET", host.url), gate)
    assert gate.rate == 0.5
    transport.call(Request("GET", host.url), gate)
    assert gate.rate == 0.5


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("-1", 0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_how_long_a_header_asks_to_wait(header: str | None, seconds: float | None) -> None:
    assert seconds_of(header, 0) == seconds
