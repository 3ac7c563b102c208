"""Whose fault a failure is, said by its type. A refusal is a value; only bugs and the world raise."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Code = Literal[
    "not_json",
    "not_cloudevent",
    "unknown_type",
    "unknown_version",
    "missing_field",
    "wrong_type",
    "out_of_range",
    "naive_time",
    "duplicate_key",
    "too_large",
    "future_event",
    "late_event",
    "key_mismatch",
    "wrong_topic",
    "corrupt_file",
]
"""Every reason an input can be refused for. The codes are stable: people build filters on them."""

REFUSALS: dict[str, str] = {
    "not_json": "the line is not one JSON value in UTF-8",
    "not_cloudevent": "not a JSON object with specversion 1.0",
    "unknown_type": "the event type is not in the contract",
    "unknown_version": "the dataschema names a type or version this release does not know",
    "missing_field": "a required field is absent",
    "wrong_type": "a field holds a value of another type or form",
    "out_of_range": "a value is outside what the contract allows",
    "naive_time": "a time has no zone",
    "duplicate_key": "a JSON object names the same key twice",
    "too_large": "the line is longer than 1 MiB",
    "future_event": "the event lies further ahead of now than max_future",
    "late_event": "the event is older than the watermark less the retention",
    "key_mismatch": "the subject is not the key of the data",
    "wrong_topic": "the event type belongs to another topic or file",
    "corrupt_file": "the file ends or breaks inside its compression",
}


class Refusal(Struct, frozen=True):
    """Their data cannot be accepted: the input becomes a dead letter and everything beside it goes on.

    `field` is the path inside the event (`data.lines[0].quantity`), empty where the whole is at fault.
    """

    code: Code
    reason: str
    field: str = ""


class Transient(Exception):  # noqa: N818  the name says what it is, as the house's words do
    """The world failed and may recover: retry, or stop the job cleanly and start again."""


class Terminal(Exception):  # noqa: N818  the name says what it is, as the house's words do
    """Our bug, or a configuration or state that cannot work: stop with words, a person must act."""
