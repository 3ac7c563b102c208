"""What reading from brokers and writing to them share: how to speak to them, and whose fault a failure is."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from canonical.errors import Terminal, Transient
from canonical.policy import Kafka

NEEDS_A_PERSON = frozenset(
    {
        "CLUSTER_AUTHORIZATION_FAILED",
        "GROUP_AUTHORIZATION_FAILED",
        "INVALID_CONFIG",
        "INVALID_PARTITIONS",
        "INVALID_REPLICATION_FACTOR",
        "INVALID_REQUIRED_ACKS",
        "MSG_SIZE_TOO_LARGE",
        "POLICY_VIOLATION",
        "SASL_AUTHENTICATION_FAILED",
        "TOPIC_AUTHORIZATION_FAILED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        "UNKNOWN_TOPIC_OR_PART",
        "UNSUPPORTED_SASL_MECHANISM",
        "_AUTHENTICATION",
        "_INVALID_ARG",
        "_SSL",
        "_UNKNOWN_PARTITION",
        "_UNKNOWN_TOPIC",
    }
)
"""Failures, by their names in the protocol, that no second try mends."""


class Connection(Struct, frozen=True):
    """Brokers (`host:port,host:port`) and the settings to speak to them; its secrets are never shown."""

    brokers: str
    settings: Mapping[str, str]
    kafka: Kafka = Kafka()

    def __repr__(self) -> str:
        return f"Connection({self.brokers!r}, {self.kafka.security})"


def fault(name: str, words: str) -> Transient | Terminal:
    """The exception to raise for a failure of that name."""
    return Terminal(words) if name in NEEDS_A_PERSON else Transient(words)
