"""Where requests may go: names of the configuration, addresses of the open internet."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from sinks.channels.addresses import Barred, check, is_allowed, is_open, resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",  # noqa: S104  an address, bound to nothing
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_open_internet(address: str) -> None:
    assert not is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8"])
def test_addresses_that_are(address: str) -> None:
    assert is_open(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("api.amazon.com", True),
        ("x.amazonaws.com", True),
        ("y.x.amazonaws.com", True),
        ("amazonaws.com", False),
        ("evilamazonaws.com", False),
        ("api.amazon.com.evil.example", False),
        ("", False),
    ],
)
def test_hosts_are_those_named(name: str, *, allowed: bool) -> None:
    assert is_allowed(name, ("api.amazon.com", "*.amazonaws.com")) is allowed


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/x",
        "https://other.example/",
        "ftp://shop.example/",
        "https://shop.example@other.example/",
        "/relative",
        "http://127.0.0.1/",
    ],
)
def test_addresses_that_may_not_be_called(url: str) -> None:
    with pytest.raises(Barred):
        check(url, ("shop.example",))


def test_a_host_is_known_whatever_its_case_and_port() -> None:
    assert check("https://user@SHOP.example:8443/x", ("shop.example",)) == "shop.example"


def test_loopback_by_name_must_be_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("93.184.216.34", 80))])
    with pytest.raises(Barred):
        resolve("localhost", 80)
