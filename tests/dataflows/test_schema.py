from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from canonical.errors import REFUSALS
from canonical.topics import EVENT_TYPES, INPUTS, OUTPUTS, TYPE_NAME
from dataflows.__main__ import main
from dataflows.contract import RECORDS, asyncapi, json_schema
from sources.decode import parse
from tests.sources.refused import ROWS
from tests.sources.samples import SAMPLES, minimal, put

SCHEMA = json_schema()
API = asyncapi()
VALIDATOR = Draft202012Validator(SCHEMA)


def places(value: Any) -> Iterator[dict[str, Any]]:
    """Every object anywhere in the document."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from places(part)


def target(document: Any, reference: str) -> Any:
    """What a reference points to; KeyError if nothing."""
    for name in reference.removeprefix("#/").split("/"):
        document = document[name.replace("~1", "/").replace("~0", "~")]
    return document


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {kind.__name__ for kind in (*EVENT_TYPES, *RECORDS)} <= SCHEMA["$defs"].keys()


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event["type"])
def test_the_schema_accepts_what_decoding_accepts(event: dict[str, Any]) -> None:
    assert list(VALIDATOR.iter_errors(event)) == []
    [kind] = [kind for kind in EVENT_TYPES if TYPE_NAME[kind] == event["type"]]
    of_its_type = VALIDATOR.evolve(schema={"$ref": f"#/$defs/{kind.__name__}", "$defs": SCHEMA["$defs"]})
    assert list(of_its_type.iter_errors(event)) == []


# What a schema can see: faults of shape, of types and of ranges. Times are a format, which validators may skip.
SEEN = ("not_cloudevent", "unknown_type", "missing_field", "wrong_type", "out_of_range")
SHAPES = [
    line
    for code in SEEN
    for _, line, field in ROWS[code]
    if field not in {"time", "data.as_of", "data.to_status"}
    if b"1e999" not in line
    if b'"quantity":2.0' not in line  # to JSON Schema that is an integer
]


@pytest.mark.parametrize("line", SHAPES, ids=lambda line: str(line)[-60:])
def test_the_schema_refuses_what_decoding_refuses(line: bytes) -> None:
    assert parse(line)[2] == [0] or b'"quantity":0' in line
    assert list(VALIDATOR.iter_errors(json.loads(line)))


def test_unknown_fields_are_allowed() -> None:
    event = put(minimal("order.placed") | {"more": 1}, "data.lines.0.colour", "red")
    assert list(VALIDATOR.iter_errors(event)) == []


def test_every_code_of_a_dead_letter_is_explained() -> None:
    code = SCHEMA["$defs"]["DeadLetter"]["properties"]["code"]
    assert set(code["enum"]) == set(REFUSALS)
    assert all(f"{name}: {words}" in code["description"] for name, words in REFUSALS.items())


@pytest.mark.parametrize("document", [SCHEMA, API], ids=["json-schema", "asyncapi"])
def test_every_reference_points_to_something(document: dict[str, Any]) -> None:
    references = [place["$ref"] for place in places(document) if isinstance(place.get("$ref"), str)]
    assert len(references) > 50
    assert all(isinstance(target(document, reference), dict) for reference in references)


def test_every_topic_is_a_channel_with_its_key_and_cleanup() -> None:
    assert API["asyncapi"] == "3.0.0"
    assert API["info"]["version"]
    assert API["channels"].keys() == {topic.name for topic in (*INPUTS, *OUTPUTS)}
    for topic in (*INPUTS, *OUTPUTS):
        channel = API["channels"][topic.name]
        assert channel["address"] == topic.name
        wanted = ["compact"] if topic.compacted else ["delete"]
        kept = channel["bindings"]["kafka"]["topicConfiguration"]
        assert kept["cleanup.policy"] == wanted
        settings = topic.settings()
        assert {
            name: str(kept[name]) for name in ("retention.ms", "max.message.bytes")
        }.items() <= settings.items()
        assert len(channel["messages"]) == len(topic.holds)
        for kind, reference in zip(topic.holds, channel["messages"].values(), strict=True):
            message = target(API, reference["$ref"])
            assert message["bindings"]["kafka"]["key"] == {"type": "string", "description": topic.key}
            assert message["payload"] == {"$ref": f"#/components/schemas/{kind.__name__}"}
            assert message["name"] == TYPE_NAME.get(kind, kind.__name__)


def test_inputs_are_received_and_outputs_are_sent() -> None:
    operations = API["operations"]
    assert len(operations) == len(INPUTS) + len(OUTPUTS)
    for action, topics in (("receive", INPUTS), ("send", OUTPUTS)):
        for topic in topics:
            operation = operations[f"{action}-{topic.name}"]
            assert operation["action"] == action
            assert target(API, operation["channel"]["$ref"])["address"] == topic.name
            messages = API["channels"][topic.name]["messages"]
            of_channel = f"#/channels/{topic.name}/messages/"
            assert [entry["$ref"] for entry in operation["messages"]] == [
                of_channel + name for name in messages
            ]


def test_payload_schemas_of_the_api_are_those_of_the_schema() -> None:
    moved = json.dumps(SCHEMA["$defs"]).replace("#/$defs/", "#/components/schemas/")
    assert API["components"]["schemas"] == json.loads(moved)


@pytest.mark.parametrize(("format_", "document"), [("json-schema", SCHEMA), ("asyncapi", API)])
def test_the_command_prints_the_document(
    format_: str, document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", "--format", format_]) == 0
    assert msgspec.json.decode(capsys.readouterr().out) == document


def test_json_schema_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
