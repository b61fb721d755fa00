"""One reply, however it was cut into pieces."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotui.llm.protocol import Delta, Message, Request, Usage
from spotui.llm.providers.chat.wire import ReplyAssembler, request_body

# Surrogates come in pairs and alone, as JSON lets them.
TEXT = st.text(st.characters() | st.sampled_from("\ud83d\ude00<>/think\n"), max_size=60)


def assemble(pieces: Sequence[str], *, field: str = "content") -> tuple[str, str, str]:
    """Text and reasoning of the whole reply, and all the text that was told on the way."""
    assembler, deltas = ReplyAssembler(), list[Delta | None]()
    for piece in pieces:
        deltas.append(assembler.feed({"choices": [{"index": 0, "delta": {field: piece}}]}))
    deltas.append(assembler.finish())
    text, reasoning = assembler.result()
    return text, reasoning, "".join(delta.text for delta in deltas if delta)


@given(TEXT, st.lists(st.integers(0, 60), max_size=6))
def test_where_a_text_is_cut_makes_no_difference(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[start:end] for start, end in pairwise(places)]
    whole = assemble([text])
    assert assemble(pieces) == whole
    whole[0].encode()  # no half of a character is left
    assert whole[0] in whole[2]


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60).filter(lambda text: "think>" not in text)
)
def test_a_text_without_tags_is_all_text(text: str) -> None:
    assert assemble([text])[:2] == (text, "")
    assert assemble([text], field="reasoning_content")[:2] == ("", text.strip())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "message", "content", "usage", "finish_reason", "logprobs"]),
            inner,
        )
        | st.dictionaries(st.sampled_from(["index", "text", "thinking", "logprob", "prompt_tokens"]), inner)
    ),
    max_leaves=15,
)


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "id"]), JSON), max_size=4))
def test_no_chunk_of_whatever_shape_breaks_it(chunks: list[dict[str, Any]]) -> None:
    assembler = ReplyAssembler()
    for chunk in chunks:
        assembler.feed(chunk)
    assembler.finish()
    text, reasoning = assembler.result()
    assert json.dumps([text, reasoning]).encode()
    assert assembler.finish_reason in ("stop", "length", "content_filter", "other")


def test_other_choices_than_the_first_are_passed_over() -> None:
    assembler = ReplyAssembler()
    assembler.feed(
        {"choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]}
    )
    assembler.finish()
    assert assembler.result()[0] == "yes"


def test_usage_in_a_chunk_of_its_own() -> None:
    assembler = ReplyAssembler()
    assembler.feed({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}})
    assert assembler.usage == Usage(3, 1)
    assert not assembler.has_choice


REQUEST = Request(
    "m",
    (Message("user", "Hi \ud83d"),),
    temperature=0.7,
    max_tokens=5,
    grammar="g",
    logprobs=True,
    alternatives=20,
    json=True,
)


@pytest.mark.parametrize(
    ("refused", "gone"),
    [
        ((), set()),
        (("temperature",), {"temperature"}),
        (("stream_options",), {"stream_options"}),
        (("stream",), {"stream", "stream_options"}),
        (("logprobs",), {"logprobs", "top_logprobs"}),
        (("top_logprobs",), {"top_logprobs"}),
        (("response_format",), {"response_format"}),
        (("max_tokens",), {"max_tokens"}),
    ],
)
def test_what_was_refused_is_not_sent_again(refused: tuple[str, ...], gone: set[str]) -> None:
    whole = request_body(REQUEST, "wire-name", frozenset())
    body = request_body(REQUEST, "wire-name", frozenset(refused))
    assert set(whole) - set(body) == gone
    assert body["model"] == "wire-name"
    assert body["messages"] == [{"role": "user", "content": "Hi \ufffd"}]
    assert body.get("max_completion_tokens") == (5 if "max_tokens" in gone else None)
