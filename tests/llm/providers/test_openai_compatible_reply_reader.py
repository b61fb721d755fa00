"""One reply, whatever shape, framing and pieces a server sends it in."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.calls import Usage
from spotui.llm.protocol import Delta
from spotui.llm.providers.faults.http_errors import Target
from spotui.llm.providers.http_bodies import HttpResponse
from spotui.llm.providers.openai_compatible import ReplyReader

PLACE = Target("test-model", "http://localhost/v1", (), has_key=False)
ANSWER = "In style 0: amber {brook} cedar,\ndelta and “ember” 😀."
THOUGHT = "Maybe <choose>A</choose>? "
USAGE = {"prompt_tokens": 9, "completion_tokens": 5}
DONE = "[DONE]"


class Response:
    """A response whose body comes in these pieces."""

    def __init__(self, pieces: Sequence[bytes], content_type: str) -> None:
        self.headers = {"Content-Type": content_type}
        self._pieces = pieces

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


def read(pieces: Sequence[bytes], content_type: str = "text/event-stream") -> tuple[str, str, Usage | None]:
    """Text, reasoning and usage of a reply."""
    heard: list[Delta] = []
    reader = ReplyReader(PLACE, heard.append)
    asyncio.run(reader.read(cast("HttpResponse", Response(pieces, content_type))))
    text, reasoning = reader.assembler.result()
    assert text in "".join(delta.text for delta in heard)
    return text, reasoning, reader.assembler.usage


def cut(body: bytes | str, places: Sequence[int]) -> list[Any]:
    bounds = sorted({0, len(body), *(place for place in places if place < len(body))})
    return [body[start:end] for start, end in pairwise(bounds)]


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def in_field(name: str, places: Sequence[int]) -> list[dict[str, Any]]:
    thought = [delta(**{name: THOUGHT})] if name else []
    return thought + [delta(content=piece) for piece in cut(ANSWER, places)]


def in_marks(start: str, end: str, places: Sequence[int]) -> list[dict[str, Any]]:
    return [delta(content=piece) for piece in cut(start + THOUGHT + end + ANSWER, places)]


PLACES = st.lists(st.integers(0, 400), max_size=8)
CHUNKS = st.one_of(
    st.builds(in_field, st.sampled_from(["reasoning_content", "reasoning"]), PLACES),
    st.builds(in_marks, st.just("<think>"), st.just("</think>\n\n"), PLACES),
    st.builds(in_marks, st.just("◁think▷"), st.just("◁/think▷"), PLACES),
    st.builds(in_marks, st.just("<|channel>thought\n"), st.just("<channel|>"), PLACES),
    st.builds(in_marks, st.just(""), st.just("</think>\n\n"), PLACES),
    st.builds(
        in_marks,
        st.just("<|channel|>analysis<|message|>"),
        st.just("<|end|><|start|>assistant<|channel|>final<|message|>"),
        PLACES,
    ),
)
ENDS = st.sampled_from(
    [
        [delta("stop"), {"choices": [], "usage": USAGE}, DONE],
        [delta("stop") | {"usage": USAGE}],
        [{"choices": [], "usage": USAGE}],
        [{"choices": [], "usage": USAGE}, DONE],
        [{"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}], "usage": USAGE}, DONE],
    ]
)
ASIDE = st.lists(st.sampled_from([": waiting", "data: [HEARTBEAT]", "id: 7", "retry: 10", "event: chunk"]))


@given(
    chunks=CHUNKS,
    end=ENDS,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    blank=st.integers(0, 2),
    closed=st.integers(0, 2),
    field=st.sampled_from(["data: ", "data:"]),
    asides=ASIDE,
    places=st.lists(st.integers(0, 4000), max_size=20),
    content_type=st.sampled_from(["text/event-stream", "application/json", "text/plain; charset=utf-8"]),
)
def test_any_framing_and_any_chunking_of_the_same_events_gives_the_same_reply(
    chunks: list[dict[str, Any]],
    end: list[Any],
    line_end: str,
    blank: int,
    closed: int,
    field: str,
    asides: list[str],
    places: list[int],
    content_type: str,
) -> None:
    payloads = [one if one == DONE else json.dumps(one, ensure_ascii=False) for one in chunks + end]
    lines = asides + [field + payload for payload in payloads]
    body = (line_end * (blank + 1)).join(lines) + line_end * closed
    text, reasoning, usage = read(cut(body.encode(), places), content_type)
    assert (text.strip(), reasoning.strip()) == (ANSWER.strip(), THOUGHT.strip())
    assert usage == Usage(9, 5)


@given(
    places=st.lists(st.integers(0, 400)),
    content_type=st.sampled_from(["application/json", "text/event-stream"]),
)
def test_a_whole_body_is_the_same_reply(places: list[int], content_type: str) -> None:
    message = {"content": ANSWER, "reasoning_content": THOUGHT}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}], "usage": USAGE})
    assert read(cut(body.encode(), places), content_type) == (ANSWER, THOUGHT.strip(), Usage(9, 5))
