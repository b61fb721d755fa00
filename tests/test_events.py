from pathlib import Path
from string import Formatter
from typing import Any

import msgspec
import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.event_lines import EVENT_TYPES, WIRE_VERSION, WireError, decode_event, encode_event
from spotui.domain.events import BlockItem, BlockShown, CallEvent, Event, MethodEvent, Noticed, RunOpened
from spotui.lang import Message
from tests.any_struct import structs

EVENTS = st.one_of([structs(kind) for kind in EVENT_TYPES.values()])
OPENED = RunOpened(
    version=WIRE_VERSION,
    project="poem",
    folder="/poem",
    run="5f3a",
    method="spo",
    models={},
    rounds=3,
    questions=(),
    held_out=0,
    judge="balanced",
    prompt="",
)


@given(EVENTS.filter(lambda event: not isinstance(event, RunOpened)))
def test_an_event_is_one_line_that_reads_back_as_it_was(event: Any) -> None:
    line = encode_event(event)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_event(line) == event


@given(structs(RunOpened))
def test_the_first_event_reads_back_unless_its_wire_is_newer(event: RunOpened) -> None:
    line = encode_event(event)

    if event.version <= WIRE_VERSION:
        assert decode_event(line) == event
    else:
        with pytest.raises(WireError, match="version"):
            decode_event(line)


def test_a_newer_wire_is_refused_even_where_its_first_event_has_another_shape() -> None:
    with pytest.raises(WireError, match=r"version 3.*Update spotui"):
        decode_event(b'{"event":"run_opened","version":3,"project":{"name":"poem"}}')


def test_events_and_fields_of_a_later_spotui_are_passed_over() -> None:
    known = decode_event(b'{"event":"noticed","at":1.0,"text":"hello","colour":"red"}')

    assert known == Noticed(at=1.0, text="hello")
    assert decode_event(b'{"event":"sang_a_song","at":1.0,"text":3}') is None


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_a_line_that_is_no_event_is_a_wire_error_and_nothing_else(line: bytes) -> None:
    with pytest.raises(WireError):
        decode_event(line)


def test_a_folder_whose_name_is_no_text_can_be_told() -> None:
    line = encode_event(msgspec.structs.replace(OPENED, folder="/home/\udcff"))

    told = decode_event(line)
    assert isinstance(told, RunOpened)
    assert told.folder == "/home/?"


def test_a_beam_of_the_first_wire_is_a_block() -> None:
    member = b'{"prompt":"Count.","score":0.8,"low":0.6,"high":0.9,"rows":20}'
    told = decode_event(b'{"event":"beam_chosen","at":1.0,"round":2,"members":[' + member + b"]}")
    item = BlockItem("Count.", 0.8, 0.6, 0.9, 20)
    title = "prompts for the next round"
    assert told == BlockShown(at=1.0, round=2, name="beam", title=title, items=(item,))


def test_a_type_is_known_to_the_wire_by_its_definition() -> None:
    assert EVENT_TYPES["block_shown"] is BlockShown
    assert not {MethodEvent, CallEvent, Event} & set(EVENT_TYPES.values())


@pytest.mark.parametrize(
    "message",
    [
        ["{n:>999999999}", {"n": 1}],
        ["{n.__class__}", {"n": 1}],
        ["{n[0]}", {"n": "a"}],
        ["{n:{width}}", {"n": 1, "width": 10**9}],
        ["{n:,}", {"n": "many"}],
        ["{missing}", {"n": 1}],
        ["{", {"n": 1}],
        ["one", {"n": 1}, "{n:>999999999} ones", 2],
    ],
    ids=str,
)
def test_a_sentence_that_does_more_than_show_values_is_the_text_beside_it(message: list[Any]) -> None:
    line = {"event": "noticed", "at": 1.0, "text": "As it was said.", "messages": {"text": [message]}}

    assert decode_event(msgspec.json.encode(line)) == Noticed(at=1.0, text="As it was said.")


@pytest.mark.parametrize("messages", [{"": []}, {"at": []}, {"unknown": [["A sentence."]]}], ids=str)
def test_sentences_for_no_text_of_the_event_change_nothing(messages: dict[str, Any]) -> None:
    line = msgspec.json.encode(
        {"event": "noticed", "at": 1.0, "text": "As it was said.", "messages": messages}
    )

    event = decode_event(line)

    assert isinstance(event, Noticed)
    assert (event.at, event.text) == (1.0, "As it was said.")


def test_every_sentence_of_the_catalogue_may_be_sent() -> None:
    catalogue = Path(__file__).parents[1] / "spotui" / "lang" / "spotui.pot"
    with catalogue.open("rb") as file:
        ids = [entry.id for entry in read_po(file) if entry.id]

    texts = [text for one in ids for text in ([one] if isinstance(one, str) else one)]
    with_slots = [text for text in texts if _fills(text)]

    assert len(with_slots) > 100
    assert [text for text in with_slots if not Message(text, {}).is_plain] == []


def _fills(text: str) -> bool:
    """Whether it is a sentence with slots, and not one that shows the braces of YAML or JSON."""
    try:
        specs = [spec for _, slot, spec, _ in Formatter().parse(text) if slot is not None and slot[:1] != "."]
    except ValueError:
        return False
    return bool(specs) and not any(set(' ":') & set(spec or "") for spec in specs)
