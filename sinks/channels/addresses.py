"""Where a request may go: hosts the configuration allows, at addresses of the open internet (reliability, section 4).

A name is resolved here, every address it has is checked, and the connection is made to the address that was checked,
so that no second look-up can lead elsewhere. TLS still proves the name.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx

from canonical.errors import Terminal, Transient

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Barred(Terminal):
    """A request that the configuration does not allow: nothing was sent."""


def host_of(url: str) -> str:
    """The host of an address, in lower case; "" if there is none."""
    return (urlsplit(url).hostname or "").rstrip(".").lower()


def is_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Whether the host is one of those named, or below one named "*.like.this"."""
    return any(
        host == name.lower() or (name.startswith("*.") and host.endswith(name[1:].lower()))
        for name in allowed
    )


def is_open(address: Address) -> bool:
    """Whether it is of the open internet: not private, local, shared or reserved, nor one of these in disguise."""
    inner = _inside(address)
    if inner is not None:
        return is_open(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _inside(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def resolve(host: str, port: int) -> str:
    """One address of the host, all of which are fit to be called. Raises Barred, or Transient when it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Transient(f"{host}: the name cannot be resolved") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    local = host in LOOPBACK_NAMES
    for address in addresses:
        if not (address.is_loopback if local else is_open(address)):
            raise Barred(f"{host}: stands for {address}, which is not an address of the open internet")
    if not addresses:
        raise Transient(f"{host}: has no address")
    return str(addresses[0])


def check(url: str, allowed: Iterable[str]) -> str:
    """The host of an address that may be called. Raises Barred saying what would be right."""
    host = host_of(url)
    if not host or not is_allowed(host, allowed):
        raise Barred(
            f"{host or 'an address without a host'}: not allowed; name it in `hosts` of the channel's api"
        )
    if urlsplit(url).scheme != "https" and not (urlsplit(url).scheme == "http" and host in LOOPBACK_NAMES):
        raise Barred(f"{host}: only https is spoken with other machines")
    return host


class Pinned(httpx.BaseTransport):
    """Connects to the checked address of a host. One for each host, so that no connection serves two names."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host.rstrip(".").lower()
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        address = resolve(host, port)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,  # these already name the host that was asked for
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return self._inner.handle_request(pinned)

    def close(self) -> None:
        self._inner.close()
