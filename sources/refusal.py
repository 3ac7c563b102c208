"""Why a line is not an event: the decoder's message turned into a stable code, a field and a sentence.

Only refused lines come here, so this may take its time (some 10 µs): it looks at the line again, untyped,
so that what is worst is named first and not what happens to stand first.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Union

import msgspec
from msgspec import inspect

from canonical.envelope import MAX_LINE_BYTES, Event
from canonical.errors import Refusal
from canonical.topics import EVENT_TYPES, TYPE_NAME
from sources.duplicate_keys import named_twice

TYPED: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Union[EVENT_TYPES])  # noqa: UP007  a tuple has no |
UNTYPED = msgspec.json.Decoder()
FAILURES = (msgspec.MsgspecError, ValueError, RecursionError)
"""Everything decoding a line can raise; UnicodeDecodeError is a ValueError."""

KIND_OF: dict[str, type[Event]] = {name: kind for kind, name in TYPE_NAME.items()}
NOUNS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
    "datetime": "a time as text, such as 2026-01-31T09:30:00Z",
}
FORMS = {
    r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$": 'an amount of money as text, such as "12.50"',
    r"^[A-Z]{3}$": 'a currency of three capital letters, such as "USD"',
    r"^[0-9]{1,18}$": "a text of 1 to 18 digits",
}
SHOWN = 80
"""Characters of theirs inside a sentence of ours."""
LIMITS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def too_large(size: int) -> Refusal:
    """A line of `size` bytes that is over the limit."""
    return Refusal("too_large", f"the line has {size} bytes; at most {MAX_LINE_BYTES} are accepted")


def explain(line: bytes) -> Refusal | None:
    """The refusal of a line that did not decode; None for a blank one.

    In this order: too large, not JSON, not a CloudEvent, a key named twice, type, version, then the fields.
    """
    if len(line) > MAX_LINE_BYTES:
        return too_large(len(line))
    if not line.strip(b" \t\r"):
        return None
    return _not_json(line) or named_twice(line) or _not_ours(line) or _fault(line)


def _not_json(line: bytes) -> Refusal | None:
    try:
        line.decode()
        UNTYPED.decode(line)
    except UnicodeDecodeError as error:
        return Refusal("not_json", f"the line is not UTF-8 text (byte {error.start})")
    except RecursionError:
        return Refusal("not_json", "the line is nested too deeply to be read")
    except msgspec.ValidationError:
        return None  # a number too big for any type: JSON all the same
    except msgspec.DecodeError as error:
        words = str(error).removeprefix("JSON is malformed: ")
        if words == "Input data was truncated":
            words = "it ends too early"
        return Refusal("not_json", f"the line is not JSON: {words}")
    return None


ABSENT = msgspec.Raw(b"null")


class _Head(msgspec.Struct):
    """As much of the envelope as says whether the rest is worth reading."""

    specversion: msgspec.Raw = ABSENT
    type: msgspec.Raw = ABSENT
    dataschema: msgspec.Raw = ABSENT


_HEAD = msgspec.json.Decoder(_Head)


def _not_ours(line: bytes) -> Refusal | None:
    """No CloudEvent of a type and version we know."""
    try:
        head = _HEAD.decode(line)
    except msgspec.ValidationError:
        return Refusal("not_cloudevent", "the line is not a JSON object")
    version, name, schema = (UNTYPED.decode(raw) for raw in (head.specversion, head.type, head.dataschema))
    if version != "1.0":
        found = "it is absent" if head.specversion is ABSENT else f"not {_shown(version)}"
        return Refusal("not_cloudevent", f'specversion must be "1.0"; {found}', "specversion")
    if head.type is ABSENT:
        return Refusal("missing_field", "the event does not say its type", "type")
    if not isinstance(name, str):
        return Refusal("wrong_type", f"type must be a text, not {_shown(name)}", "type")
    if name not in KIND_OF:
        return Refusal("unknown_type", f"{_shown(name)} is not a type of the contract", "type")
    return unknown_version(KIND_OF[name], schema) if isinstance(schema, str) else None


def unknown_version(kind: type[Event], schema: str) -> Refusal | None:
    """The refusal of a `dataschema` that is not version 1 of the event's own type."""
    known = f"{TYPE_NAME[kind]}/1"
    if schema == known:
        return None
    return Refusal("unknown_version", f"dataschema {_shown(schema)} is not known; {known!r} is", "dataschema")


def _fault(line: bytes) -> Refusal | None:
    try:
        TYPED.decode(line)
    except RecursionError:
        return Refusal("not_json", "the line is nested too deeply to be read")
    except msgspec.ValidationError as error:
        what, _, path = str(error).rpartition(" - at `$")
        return _named(what or path, path.rstrip("`").removeprefix(".") if what else "", line)
    except FAILURES as error:
        return Refusal("not_json", f"the line is not JSON: {error}")
    return None


def _named(what: str, path: str, line: bytes) -> Refusal:
    """A message of msgspec and the place it names → the refusal."""
    if found := re.match(r"Object missing required field `(.+)`", what):
        field = f"{path}.{found[1]}" if path else found[1]
        return Refusal("missing_field", f"{field} is missing", field)
    if "timezone component" in what:
        return Refusal("naive_time", f"{path} has no zone; end it with Z or an offset such as +02:00", path)
    if what.startswith("Invalid RFC3339"):
        return Refusal("wrong_type", f"{path} is not {NOUNS['datetime']}", path)
    if found := re.match(r"Expected `(.+?)`, got `(.+?)`", what):
        wanted = " or ".join(NOUNS.get(noun, noun) for noun in found[1].split(" | ") if noun != "null")
        return Refusal("wrong_type", f"{path} must be {wanted}, not {NOUNS.get(found[2], found[2])}", path)
    if found := re.match(r"Expected `str` matching regex (.+)", what):
        form = FORMS.get(found[1].strip("'").replace(r"\\", "\\"), f"a text matching {found[1]}")
        return Refusal("wrong_type", f"{path} must be {form}", path)
    if found := re.match(r"Expected `(str|array)` of length (\S+) (\d+)", what):
        unit = "characters" if found[1] == "str" else "entries"
        return Refusal("out_of_range", f"{path} must have {LIMITS[found[2]]} {found[3]} {unit}", path)
    if found := re.match(r"Expected `\w+` (>=|<=|>|<) (\S+)", what):
        return Refusal("out_of_range", f"{path} must be {LIMITS[found[1]]} {found[2]}", path)
    if found := re.match(r"Invalid enum value (.*)", what, re.DOTALL):
        allowed = ", ".join(choices(str(UNTYPED.decode(_HEAD.decode(line).type)), path))
        return Refusal("out_of_range", f"{path} is {_cut(found[1])}; it must be one of {allowed}", path)
    if "out of range" in what:
        return Refusal("out_of_range", f"{path} is a number beyond all limits", path)
    return Refusal("wrong_type", f"{path}: {_cut(what)}", path)


@lru_cache(maxsize=256)
def choices(type_name: str, path: str) -> tuple[str, ...]:
    """The values the contract allows at a path of an event type; () where any will do."""
    node: inspect.Type = inspect.type_info(KIND_OF[type_name])
    for name in re.sub(r"\[.*?\]", "", path).split("."):
        fields = next((part.fields for part in _parts(node) if isinstance(part, inspect.StructType)), ())
        node = next((field.type for field in fields if field.encode_name == name), inspect.AnyType())
    return tuple(
        str(value) for part in _parts(node) if isinstance(part, inspect.LiteralType) for value in part.values
    )


def _parts(node: inspect.Type) -> tuple[inspect.Type, ...]:
    """The alternatives a value may take, seen through unions and lists."""
    if isinstance(node, inspect.UnionType):
        return tuple(inner for part in node.types for inner in _parts(part))
    return _parts(node.item_type) if isinstance(node, inspect.ListType) else (node,)


def _shown(value: object) -> str:
    return _cut(repr(value))


def _cut(text: str) -> str:
    """Their text inside our sentence: enough to recognise it, on one line."""
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
