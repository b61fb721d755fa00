"""Server-sent events, as the standard has them and as servers send them, in any pieces."""

import json
import re
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spotui.llm.providers.chat.event_stream import EventStream, ServerEvent

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n{"), max_size=12)
END = st.sampled_from(["\n", "\r", "\r\n"])
ODD = st.sampled_from(["", "data", "data:", "data: a", "data:  b", "event: c", "event", "id: 1", ": d"])
STREAM = st.lists(LINE | ODD, max_size=12)
NAME = LINE.filter(lambda name: not name.startswith(" "))


def read(*pieces: bytes) -> list[ServerEvent]:
    stream = EventStream()
    return [event for piece in pieces for event in stream.feed(piece)]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The bytes in pieces, cut at these places."""
    marks = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(marks)]


def interpreted(text: str) -> list[ServerEvent]:
    """The algorithm of the standard, word for word, on a whole stream."""
    events: list[ServerEvent] = []
    data, name = "", ""
    *lines, _unended = re.split("\r\n|\n|\r", text.removeprefix("\ufeff"))
    for line in lines:
        if line == "":
            if data != "":
                events.append(ServerEvent(name, data.removesuffix("\n")))
            data, name = "", ""
        elif ":" in line:
            field, value = line.split(":", 1)
            value = value.removeprefix(" ")
            if field == "data":
                data += value + "\n"
            elif field == "event":
                name = value
        elif line == "data":
            data += "\n"
        elif line == "event":
            name = ""
    return events


PLACES = st.lists(st.integers(0, 500), max_size=12)


@given(lines=STREAM, ends=st.lists(END, min_size=12, max_size=12), places=st.lists(st.integers(0, 200)))
@example(lines=["data: a", "", "data: b", ""], ends=["\r\n"] * 12, places=list(range(40)))
@example(lines=["\ufeffdata: a", ""], ends=["\n"] * 12, places=[1, 2])
def test_a_stream_in_any_pieces_is_what_the_standard_reads_in_it(
    lines: list[str], ends: list[str], places: list[int]
) -> None:
    text = "".join(line + end for line, end in zip(lines, ends, strict=False))
    assert read(*cut(text.encode(), places)) == interpreted(text)


@given(
    events=st.lists(
        st.tuples(LINE.filter(lambda name: not name.startswith(" ")), st.lists(LINE, min_size=1))
    ),
    end=END,
    places=PLACES,
)
def test_what_was_written_is_read_back(
    events: list[tuple[str, list[str]]], end: str, places: list[int]
) -> None:
    fields = [[f"event: {name}", *(f"data: {line}" for line in lines), ""] for name, lines in events]
    written = "".join(line + end for event in fields for line in event)
    expected = [ServerEvent(name, "\n".join(lines)) for name, lines in events]
    assert read(*cut(written.encode(), places)) == expected


@given(st.lists(st.binary(max_size=30)))
def test_no_bytes_are_too_odd_to_read(pieces: list[bytes]) -> None:
    read(*pieces)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_event_is_told_as_soon_as_it_has_ended(end: bytes) -> None:
    stream = EventStream()
    assert stream.feed(b"data: one" + end) == []
    assert stream.feed(end) == [ServerEvent("", "one")]


def closed(*pieces: bytes) -> list[str]:
    """The data of all events up to the end of the body."""
    stream = EventStream()
    events = [event for piece in pieces for event in stream.feed(piece)] + stream.close()
    return [event.data for event in events]


def test_what_is_cut_off_is_no_event() -> None:
    assert closed(b'data: {"a": 1}\n\ndata: {"b": \n') == ['{"a": 1}']
    assert closed(b'data: {"a": 1}\n\ndata: {"b"') == ['{"a": 1}']


OBJECTS = st.lists(
    st.fixed_dictionaries({"a": st.text(max_size=8) | st.sampled_from(["}", "{", [{}], {"b": None}])}),
    min_size=1,
    max_size=5,
)


@given(
    objects=OBJECTS,
    end=END,
    blank=st.integers(0, 2),
    at_end=st.sampled_from(["", "one line end", "a blank line"]),
    field=st.sampled_from(["data: ", "data:", ""]),
    done=st.booleans(),
    places=PLACES,
)
def test_whole_objects_are_events_however_they_are_framed(
    objects: list[dict[str, object]],
    end: str,
    blank: int,
    at_end: str,
    field: str,
    done: bool,
    places: list[int],
) -> None:
    data = [json.dumps(one, ensure_ascii=False) for one in objects]
    lines = [field + one for one in data] + ["data: [DONE]"] * done
    written = (end * (1 + blank)).join(lines) + end * {"": 0, "one line end": 1, "a blank line": 2}[at_end]
    assert closed(*cut(written.encode(), places)) == data + ["[DONE]"] * done


def test_an_object_may_be_written_over_many_lines() -> None:
    written = json.dumps({"choices": [{"delta": {"content": "a"}}, {"delta": {}}]}, indent=1)
    lines = "".join(f"data: {line}\n" for line in written.split("\n"))
    assert closed(f"{lines}\n{lines}".encode()) == [written, written]


def test_a_name_belongs_to_the_event_it_stands_in() -> None:
    framed = b'data: {"a": 1}\nevent: error\n\ndata: {"b": 2}\n\n'
    assert read(framed) == [ServerEvent("error", '{"a": 1}'), ServerEvent("", '{"b": 2}')]
    unframed = b'event: chunk\ndata: {"a": 1}\nevent: error\ndata: {"b": 2}\n\n'
    assert read(unframed) == [ServerEvent("chunk", '{"a": 1}'), ServerEvent("error", '{"b": 2}')]


@pytest.mark.parametrize("written", [b'error: {"message": "boom"}\n\n', b'data: {"a": 1}\nerror: boom\n'])
def test_an_error_field_is_an_error_event(written: bytes) -> None:
    stream = EventStream()
    events = stream.feed(written) + stream.close()
    assert events[-1].name == "error"
    assert "boom" in events[-1].data


def test_what_is_held_back_is_counted() -> None:
    stream = EventStream()
    for _ in range(10):
        stream.feed(b"data: " + b"x" * 94)
    assert stream.pending == 1000
    stream.feed(b"\n\n")
    assert stream.pending == 0
    for _ in range(10):
        stream.feed(b"data: x\n")
    assert stream.pending > 10  # many short lines take more than their characters


def test_many_lines_that_never_make_an_object_cost_little() -> None:
    began = time.process_time()
    read(b"data: {}}\n" * 50_000)
    assert time.process_time() - began < 2
