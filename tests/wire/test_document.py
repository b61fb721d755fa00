"""docs/wire.md and the types say the same."""

import re
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec
import pytest

from spotui.domain.commands import AnyCommand, decode_command
from spotui.domain.event_lines import EVENT_TYPES as EVENTS
from spotui.domain.event_lines import WIRE_VERSION, decode_event
from spotui.domain.events import CallEvent
from spotui.domain.records import CallKey

DOCUMENT = (Path(__file__).parents[2] / "docs" / "wire.md").read_text()
COMMANDS = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyCommand)}
WORDS = {str: "str", int: "int", float: "float", bool: "bool", NoneType: "null"}


class Entry(NamedTuple):
    """What the document says about one event or command."""

    example: bytes
    fields: dict[str, tuple[str, str, str]]


def entries(chapter: str) -> dict[str, Entry]:
    text = DOCUMENT.split(f"\n## {chapter}\n")[1].split("\n## ")[0]
    found = {}
    for part in text.split("\n### ")[1:]:
        (example,) = re.findall(r"```json\n(.*)\n```\n", part)
        fields = re.findall(r"^- `(\w+)` ([a-z ]+)(?:, ([^:]+))?: (.+)$", part, re.MULTILINE)
        assert len(fields) == part.count("\n- "), f"a field of {part.split()[0]} cannot be read"
        found[part.split("\n")[0]] = Entry(
            example.encode(), {name: (kind, default, meaning) for name, kind, default, meaning in fields}
        )
    return found


EVENT_ENTRIES, COMMAND_ENTRIES = entries("Events"), entries("Commands")
PAIRS = [
    *(
        (kind, EVENT_ENTRIES[name], {"at", "key", "messages"})
        for name, kind in EVENTS.items()
        if name in EVENT_ENTRIES
    ),
    *(
        (kind, COMMAND_ENTRIES[name], set[str]())
        for name, kind in COMMANDS.items()
        if name in COMMAND_ENTRIES
    ),
]
NAMES = [kind.__name__ for kind, _, _ in PAIRS]


def type_in_words(kind: Any) -> str:
    if kind in WORDS:
        return WORDS[kind]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "object"
    inner = get_args(kind)
    match get_origin(kind):
        case origin if origin is Literal:
            return "str"
        case origin if origin is Annotated:
            return type_in_words(inner[0])
        case origin if origin is dict:
            return f"object of {type_in_words(inner[1])}"
        case origin if origin is tuple:
            return f"list of {type_in_words(inner[0])}"
    return " or ".join(type_in_words(one) for one in inner if one is not msgspec.UnsetType)


def default_in_words(field: msgspec.structs.FieldInfo) -> str:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.json.encode(field.default_factory()).decode()
    if field.default in {msgspec.NODEFAULT, msgspec.UNSET}:
        return ""
    return re.sub(r"^0\.0$", "0", msgspec.json.encode(field.default).decode())


def test_every_event_and_every_command_is_described_and_nothing_else_is() -> None:
    assert list(EVENT_ENTRIES) == list(EVENTS)
    assert list(COMMAND_ENTRIES) == list(COMMANDS)


def test_the_document_is_about_this_version() -> None:
    assert f"this is version {WIRE_VERSION}." in DOCUMENT


@pytest.mark.parametrize(("kind", "entry", "common"), PAIRS, ids=NAMES)
def test_every_field_is_described_with_its_type_and_default(
    kind: Any, entry: Entry, common: set[str]
) -> None:
    fields = [
        one for one in msgspec.structs.fields(kind) if one.name not in common or kind in COMMANDS.values()
    ]
    expected = {one.name: (type_in_words(one.type), default_in_words(one)) for one in fields}

    assert {name: (said, default) for name, (said, default, _) in entry.fields.items()} == expected


@pytest.mark.parametrize(("kind", "entry", "common"), PAIRS, ids=NAMES)
def test_every_word_that_a_field_can_be_is_named(kind: Any, entry: Entry, common: set[str]) -> None:
    for field in msgspec.structs.fields(kind):
        words = get_args(field.type) if get_origin(field.type) is Literal else ()
        meaning = "" if not words else entry.fields[field.name][2]
        if meaning.endswith("as in `round_finished`"):
            meaning = EVENT_ENTRIES["round_finished"].fields["outcome"][2]
        assert set(words) <= set(re.findall(r"`(\w+)`", meaning))


@pytest.mark.parametrize(("name", "entry"), EVENT_ENTRIES.items(), ids=EVENT_ENTRIES)
def test_every_example_of_an_event_decodes(name: str, entry: Entry) -> None:
    assert type(decode_event(entry.example)) is EVENTS[name]


@pytest.mark.parametrize(("name", "entry"), COMMAND_ENTRIES.items(), ids=COMMAND_ENTRIES)
def test_every_example_of_a_command_decodes(name: str, entry: Entry) -> None:
    assert type(decode_command(entry.example)) is COMMANDS[name]


def test_no_example_has_a_field_that_there_is_not() -> None:
    for name, entry in EVENT_ENTRIES.items():
        known = {field.name for field in msgspec.structs.fields(EVENTS[name])}
        assert msgspec.json.decode(entry.example).keys() <= known | {"event"}


def test_the_key_of_a_call_is_described() -> None:
    (text,) = re.findall(
        r"^Events about one call have a `key`:.*?(?=\n\n)", DOCUMENT, re.MULTILINE | re.DOTALL
    )

    for field in msgspec.structs.fields(CallKey):
        assert f"`{field.name}`" in text
    assert {kind for kind in EVENTS.values() if issubclass(kind, CallEvent)} == {
        kind for name, kind in EVENTS.items() if b'"key"' in EVENT_ENTRIES[name].example
    }
