"""The contract in the words of other tools, generated from the canonical types: JSON Schema and AsyncAPI."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import msgspec

from canonical.errors import REFUSALS
from canonical.topics import EVENT_TYPES, INPUTS, OUTPUTS, PARTITIONS, TYPE_NAME, Topic

DIALECT = "https://json-schema.org/draft/2020-12/schema"
KAFKA_BINDING = "0.5.0"
RECORDS = tuple(kind for topic in OUTPUTS for kind in topic.holds)

Document = dict[str, Any]


def json_schema() -> Document:
    """A JSON Schema (2020-12) that accepts one event; `$defs` has every event and output record by name.

    Three rules are beyond it and are checked by `sellable check`: the subject is the key of the data, a key
    is named once, and times are neither late nor in the future.
    """
    return {
        "$schema": DIALECT,
        "title": "Sellable: one event",
        "description": "One CloudEvents 1.0 JSON object. Unknown attributes and fields are ignored.",
        "oneOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in EVENT_TYPES],
        "$defs": schemas("#/$defs/{name}"),
    }


def schemas(ref_template: str) -> dict[str, Any]:
    """Every event, output record and part of them by name, referring to each other by `ref_template`."""
    _, found = msgspec.json.schema_components((*EVENT_TYPES, *RECORDS), ref_template=ref_template)
    found["Movement"]["properties"]["quantity"]["not"] = {"const": 0}
    code = found["DeadLetter"]["properties"]["code"]
    code["description"] = "; ".join(f"{name}: {words}" for name, words in REFUSALS.items())
    return found


def asyncapi() -> Document:
    """An AsyncAPI 3.0.0 document: a channel per topic, with its messages, its key and how it is kept."""
    topics = (*INPUTS, *OUTPUTS)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sellable",
            "version": version("sellable"),
            "description": "Events of channels, ERP, warehouses and carriers in, what can be sold out.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {
            **{f"receive-{topic.name}": _operation("receive", topic) for topic in INPUTS},
            **{f"send-{topic.name}": _operation("send", topic) for topic in OUTPUTS},
        },
        "components": {
            "messages": {_name(kind): _message(kind, topic) for topic in topics for kind in topic.holds},
            "schemas": schemas("#/components/schemas/{name}"),
        },
    }


def _name(kind: type) -> str:
    """An event's type; of an output record, its class name."""
    return TYPE_NAME.get(kind, kind.__name__)


def _channel(topic: Topic) -> Document:
    kept = topic.settings()
    return {
        "address": topic.name,
        "description": f"{topic.summary}; keyed by {topic.key}",
        "messages": {_name(kind): {"$ref": f"#/components/messages/{_name(kind)}"} for kind in topic.holds},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    "cleanup.policy": [kept["cleanup.policy"]],
                    "retention.ms": int(kept["retention.ms"]),
                    "max.message.bytes": int(kept["max.message.bytes"]),
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _operation(action: str, topic: Topic) -> Document:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": topic.summary,
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{_name(kind)}"} for kind in topic.holds],
    }


def _message(kind: type, topic: Topic) -> Document:
    content = "application/cloudevents+json" if kind in TYPE_NAME else "application/json"
    return {
        "name": _name(kind),
        "contentType": content,
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": KAFKA_BINDING}
        },
    }
