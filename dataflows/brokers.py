"""Where brokers are and how they are spoken to: `kafka://…` and the `[kafka]` table into client settings."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from msgspec import Struct

from canonical.broker import Connection
from canonical.errors import Terminal
from canonical.policy import Kafka

SCHEME = "kafka://"
SELDOM_SECONDS = 60.0
PROTOCOLS = {
    "plaintext": "plaintext",
    "tls": "ssl",
    "sasl_plaintext": "sasl_plaintext",
    "sasl_tls": "sasl_ssl",
}


class Brokers(Struct, frozen=True):
    """A place that is brokers: `hosts` is `host:port,host:port`."""

    hosts: str

    def __str__(self) -> str:
        return SCHEME + self.hosts


def place(text: str) -> Path | Brokers:
    """What `--input` and `--output` name: a directory, or brokers. Raises Terminal saying what would be right."""
    found = brokers_of(text)
    return Path(text) if found is None else Brokers(found)


def brokers_of(place: str) -> str | None:
    """`kafka://host:port,host:port` → `host:port,host:port`; None for anything that does not begin so."""
    return hosts(place.removeprefix(SCHEME).rstrip("/")) if place.startswith(SCHEME) else None


def hosts(text: str) -> str:
    """The brokers of a list, checked. Raises Terminal saying what would be right."""
    for one in text.split(","):
        if re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):[1-9]\d{0,4}", one) is None:
            raise Terminal(f"{one!r} is no broker: write HOST:PORT, several with commas between them")
    return text


def connection(brokers: str, kafka: Kafka) -> Connection:
    """How to speak to these brokers. Reads credentials; raises Terminal naming the key whose file will not do."""
    settings = {
        "bootstrap.servers": brokers,
        "security.protocol": PROTOCOLS[kafka.security],
        "sasl.mechanism": kafka.mechanism,
        "sasl.username": _secret("username_file", kafka.username_file),
        "sasl.password": _secret("password_file", kafka.password_file),
        "ssl.ca.location": _present("ca_file", kafka.ca_file),
        "ssl.certificate.location": _present("certificate_file", kafka.certificate_file),
        "ssl.key.location": _present("key_file", kafka.key_file),
        "ssl.key.password": _secret("key_password_file", kafka.key_password_file),
    }
    if kafka.oauth is not None:
        oauth = kafka.oauth
        settings |= {
            "sasl.oauthbearer.method": "oidc",
            "sasl.oauthbearer.client.id": oauth.client_id,
            "sasl.oauthbearer.client.secret": _secret("oauth.client_secret_file", oauth.client_secret_file),
            "sasl.oauthbearer.token.endpoint.url": oauth.token_endpoint_url,
            "sasl.oauthbearer.scope": oauth.scope,
            "sasl.oauthbearer.extensions": oauth.extensions,
        }
    given = {name: value for name, value in settings.items() if value is not None}
    return Connection(brokers, given, kafka)


class Seldom(logging.Filter):
    """Lets a complaint of the client pass once in a while, whichever of its connections repeats it.

    While brokers are away every connection complains of every attempt.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        words = re.sub(r"^.*?\]: |\(after .*|\d+", "", record.getMessage())
        if record.created - self._told.get(words, 0.0) < SELDOM_SECONDS:
            return False
        self._told[words] = record.created
        return True


logging.getLogger("sellable.kafka").addFilter(Seldom())


def _present(key: str, name: str | None) -> str | None:
    """The name of a file that can be read."""
    if name is not None:
        try:
            Path(name).open("rb").close()
        except OSError as error:
            raise Terminal(f"kafka.{key}: {name} cannot be read ({error.strerror})") from error
    return name


def _secret(key: str, name: str | None) -> str | None:
    """What a file holds, less the line end an editor leaves."""
    if name is None:
        return None
    try:
        secret = Path(name).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise Terminal(f"kafka.{key}: {name} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise Terminal(f"kafka.{key}: {name} is not UTF-8 text") from error
    if not secret:
        raise Terminal(f"kafka.{key}: {name} is empty")
    return secret
