"""Server-sent events are read as the standard has it, whatever pieces they come in."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spotui.llm.providers.chat.event_stream import EventStream, ServerEvent

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)
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
    places=st.lists(st.integers(0, 500)),
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


def test_what_is_cut_off_is_no_event() -> None:
    assert read(b"data: one\n\ndata: two\n") == [ServerEvent("", "one")]
