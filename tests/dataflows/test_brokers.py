"""Where brokers are and how they are spoken to: what is refused, and that no secret is ever shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from canonical.errors import Terminal
from canonical.policy import Kafka, sentence
from dataflows.brokers import brokers_of, connection, hosts
from dataflows.settings import load


def test_places_at_brokers_are_told_from_directories() -> None:
    assert brokers_of("out") is None
    assert brokers_of("kafka://one:9092,[::1]:9093/") == "one:9092,[::1]:9093"


@pytest.mark.parametrize(
    "text", ["", "one", "one:", "one:0", "one:9092,", "one:9092/x", "a b:1", "one:999999"]
)
def test_what_is_no_broker_is_refused(text: str) -> None:
    with pytest.raises(Terminal, match="write HOST:PORT"):
        hosts(text)


def test_credentials_come_from_files_and_are_never_shown(tmp_path: Path) -> None:
    for name in ("user", "password", "key-password", "secret"):
        (tmp_path / name).write_text(f"CANARY-{name}\n")
    (tmp_path / "pem").write_text("certificate")
    (tmp_path / "shop.toml").write_text(
        f"""
        [kafka]
        security = "sasl_tls"
        mechanism = "SCRAM-SHA-512"
        username_file = "{tmp_path}/user"
        password_file = "{tmp_path}/password"
        ca_file = "{tmp_path}/pem"
        certificate_file = "{tmp_path}/pem"
        key_file = "{tmp_path}/pem"
        key_password_file = "{tmp_path}/key-password"
        """
    )
    to = connection("one:9092", load(tmp_path / "shop.toml").kafka)
    assert to.settings["security.protocol"] == "sasl_ssl"
    assert to.settings["sasl.password"] == "CANARY-password"
    assert to.settings["ssl.key.password"] == "CANARY-key-password"
    assert "CANARY" not in f"{to} {to!r} {to.kafka}"


def test_tokens_are_asked_for_as_the_table_says(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("CANARY")
    oauth = {"token_endpoint_url": "https://id.example/token", "client_id": "shop", "scope": "kafka"}
    table = {"oauth": {**oauth, "client_secret_file": str(tmp_path / "secret")}}
    kafka = Kafka.model_validate({"security": "sasl_tls", "mechanism": "OAUTHBEARER", **table})
    settings = connection("one:9092", kafka).settings
    assert settings["sasl.oauthbearer.method"] == "oidc"
    assert settings["sasl.oauthbearer.client.secret"] == "CANARY"
    assert "sasl.oauthbearer.extensions" not in settings


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"security": "ssl"}, "'plaintext', 'tls'"),
        ({"security": "sasl_tls"}, "mechanism: goes with security sasl"),
        ({"mechanism": "PLAIN"}, "mechanism: goes with security sasl"),
        ({"security": "sasl_tls", "mechanism": "PLAIN"}, "username_file, password_file"),
        ({"username_file": "u", "password_file": "p"}, "username_file, password_file"),
        ({"security": "sasl_tls", "mechanism": "OAUTHBEARER"}, "oauth: goes with"),
        ({"security": "tls", "certificate_file": "c"}, "neither is of use"),
        ({"ca_file": "c"}, "are for security tls"),
        ({"password": "hunter2"}, "unknown key"),
    ],
)
def test_tables_that_cannot_work_are_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Kafka.model_validate(table)
    assert words in sentence(dict(refused.value.errors()[0]))


def test_files_that_will_not_do_are_refused_naming_the_key(tmp_path: Path) -> None:
    empty, binary, absent = tmp_path / "empty", tmp_path / "binary", tmp_path / "absent"
    empty.write_text("\n")
    binary.write_bytes(b"\xff")
    for name, words in {empty: "is empty", binary: "is not UTF-8", absent: "cannot be read"}.items():
        files = {"username_file": str(name), "password_file": str(name)}
        kafka = Kafka.model_validate({"security": "sasl_tls", "mechanism": "PLAIN", **files})
        with pytest.raises(Terminal, match=f"kafka.username_file: .* {words}"):
            connection("one:9092", kafka)
    with pytest.raises(Terminal, match=r"kafka.ca_file: .*absent cannot be read"):
        connection("one:9092", Kafka(security="tls", ca_file=str(absent)))
