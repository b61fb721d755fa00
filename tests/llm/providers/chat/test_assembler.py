"""One reply, however it was cut into pieces."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.calls import Request, Usage
from spotui.domain.messages import Message
from spotui.llm.protocol import Delta
from spotui.llm.providers.chat.assembler import ReplyAssembler

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


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<[◁"), max_size=60))
def test_a_text_without_marks_is_all_text(text: str) -> None:
    assert assemble([text])[:2] == (text, "")
    assert assemble([text], field="reasoning_content")[:2] == ("", text.strip())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "message", "content", "usage", "finish_reason"]),
            inner,
        )
        | st.dictionaries(st.sampled_from(["index", "text", "type", "logprobs", "prompt_tokens"]), inner)
    ),
    max_leaves=15,
)


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


SAID = "In style 0: amber brook cedar."
HALF = len(SAID) // 2


def delta(text: str | None = None, **choice: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {} if text is None else {"content": text}, **choice}]}


def message(text: str, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, **fields}]}


def read(*payloads: dict[str, Any]) -> ReplyAssembler:
    assembler = ReplyAssembler()
    for payload in payloads:
        assembler.feed(payload)
    assembler.finish()
    return assembler


@pytest.mark.parametrize(
    "payloads",
    [
        pytest.param([delta(SAID[:HALF]), delta(SAID[HALF:]), message(SAID)], id="whole at the end"),
        pytest.param(
            [
                delta(SAID[:HALF], message={"content": SAID[:HALF]}),
                delta(SAID[HALF:], message={"content": SAID}),
                delta(message={"content": SAID}),
            ],
            id="messages so far beside the deltas",
        ),
        pytest.param([message(SAID[:4]), message(SAID[:HALF]), message(SAID)], id="messages so far"),
        pytest.param([message(SAID[:4]), message(SAID[4:HALF]), message(SAID[HALF:])], id="parts"),
        pytest.param([delta(""), delta(None), message(SAID)], id="empty deltas and a message"),
        pytest.param([delta(SAID[:HALF]), delta(SAID)], id="deltas so far"),
        pytest.param([delta(SAID[:n]) for n in range(1, len(SAID) + 1)], id="many deltas so far"),
        pytest.param([*map(delta, SAID), delta(SAID, finish_reason="stop")], id="all of it as a last delta"),
        pytest.param([delta(SAID, message={"content": SAID})], id="one delta and its message"),
        pytest.param([delta("\n" + SAID[:HALF]), delta(SAID[HALF:]), delta(SAID)], id="all of it, trimmed"),
        pytest.param([{"data": message(SAID), "code": 200}], id="in an envelope"),
        pytest.param([{"choices": message(SAID)["choices"][0]}], id="one choice in place of a list"),
        pytest.param(
            [{"choices": [{"message": {"content": [{"type": "text", "content": SAID}]}}]}], id="a part"
        ),
        pytest.param([{"choices": [{"text": SAID[:HALF]}]}, {"choices": [{"text": SAID[HALF:]}]}], id="text"),
        pytest.param([{"choices": [{"delta": SAID}]}], id="a delta that is text"),
        pytest.param([{"choices": [{"delta": {"content": {"type": "text", "text": SAID}}}]}], id="one part"),
        pytest.param([{"choices": [{"index": "0", "delta": {"content": SAID}}]}], id="an index as text"),
        pytest.param([{"choices": [{"index": 1, "delta": {"content": SAID}}]}], id="an index of one"),
        pytest.param([{"choices": [{"index": "first", "delta": {"content": SAID}}]}], id="an index of words"),
        pytest.param(
            [{"choices": [{"index": 1, "delta": {"content": "no"}}]}, delta(SAID), delta(index=1)],
            id="the first choice comes second",
        ),
    ],
)
def test_a_text_is_taken_once_in_whatever_way_it_is_sent(payloads: list[dict[str, Any]]) -> None:
    text, reasoning = read(*payloads).result()
    assert (text.strip(), reasoning) == (SAID, "")


@pytest.mark.parametrize(("content", "text"), [(42, "42"), ({"sum": 4}, '{"sum": 4}'), (True, ""), ({}, "")])
def test_an_answer_that_the_server_has_decoded(content: object, text: str) -> None:
    assert read({"choices": [{"message": {"content": content}}]}).result()[0] == text


@pytest.mark.parametrize("text", ["ha" * 20, "=" * 40, "000000", "no no no no ", "a, b\n" * 9])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_a_model_may_repeat_itself(text: str, size: int) -> None:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert read(*map(delta, pieces)).result()[0] == text


def test_deltas_so_far_are_passed_on_once_they_are_known_as_such() -> None:
    assembler = ReplyAssembler()
    heard = [assembler.feed(delta(SAID[:end])) for end in (HALF, HALF + 5, len(SAID), len(SAID))]
    assert "".join(piece.text for piece in heard if piece) == SAID


def test_deltas_so_far_take_no_more_room_than_their_text() -> None:
    text = "".join(f"{number} " for number in range(1000))
    assembler = read(*(delta(text[:end]) for end in range(5, len(text) + 1, 5)))
    assert assembler.result()[0] == text[: len(text) // 5 * 5]
    assert assembler.size <= len(text)


def test_a_message_brings_what_deltas_did_not() -> None:
    thought = {"choices": [{"delta": {"reasoning_content": "2 + 2"}}]}
    whole = {"choices": [{"message": {"content": SAID, "reasoning_content": "2 + 2"}}]}
    assert read(thought, whole).result() == (SAID, "2 + 2")


@pytest.mark.parametrize(
    "piece",
    [
        {"reasoning_content": "2 + 2"},
        {"reasoning": "2 + 2"},
        {"reasoning": {"content": "2 + 2"}},
        {"reasoning_details": [{"type": "reasoning.text", "text": "2 + 2"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "2 + 2"}], "reasoning": None},
        {"reasoning_text": "2 + 2"},
        {"thinking": "2 + 2"},
        {"thinking_blocks": [{"type": "thinking", "thinking": "2 + 2", "signature": "x"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "2 + 2"}]}]},
        {"content": [{"type": "thinking", "thinking": "2 + 2"}]},
        {"content": [{"type": "reasoning", "text": "2 + 2"}]},
        {"content": [{"type": "reasoning", "reasoning": "2 + 2"}]},
        {"content": [{"type": "reasoning_content", "reasoning_content": {"text": "2 + 2"}}]},
        {"content": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "2 + 2"}]}]},
        {"content": [{"text": "2 + 2", "thought": True}]},
        {"content": [{"type": "analysis", "text": "2 + 2"}]},
        {"content": "2 + 2", "extra_content": {"google": {"thought": True}}},
        {"content": "2 + 2", "thought": True},
        {"content": "2 + 2", "channel": "analysis"},
        {"content": "2 + 2", "type": "thinking"},
        {"content": "2 + 2", "role": "reasoning"},
        {"reasoning_content": "2 + 2", "reasoning": "2 + 2"},
    ],
)
@pytest.mark.parametrize("name", ["delta", "message"])
def test_reasoning_in_a_field_or_a_part(piece: dict[str, Any], name: str) -> None:
    assert read({"choices": [{name: piece}]}, delta("four")).result() == ("four", "2 + 2")


def test_a_closing_mark_ends_nothing_where_reasoning_has_a_field() -> None:
    text = "Close it:\n</think>\nThat is all."
    assert read({"choices": [{"delta": {"reasoning": "tags"}}]}, delta(text)).result() == (text, "tags")


@pytest.mark.parametrize(
    "piece",
    [
        {"content": None, "refusal": "I cannot."},
        {"refusal": ["I cannot."], "content": [{"type": "refusal", "refusal": "I cannot."}]},
    ],
)
def test_a_refusal_in_a_field_of_its_own(piece: dict[str, Any]) -> None:
    assembler = read({"choices": [{"message": piece, "finish_reason": "stop"}]})
    assert (assembler.result()[0], assembler.refusal) == ("", "I cannot.")


def test_what_the_model_wrote_beside_its_reasoning_in_a_field_is_split_all_the_same() -> None:
    both = {"content": "2 + 2\n</think>\n\nfour", "reasoning_content": "2 + 2"}
    assert read({"choices": [{"message": both}]}).result() == ("four", "2 + 2")


@pytest.mark.parametrize(
    ("reason", "chunks"),
    [
        ("length", [delta("one", finish_reason="length"), delta(finish_reason="stop")]),
        ("content_filter", [delta("one", finish_reason="content_filter"), delta("", finish_reason="stop")]),
        ("stop", [delta("one", finish_reason="length"), delta(" two", finish_reason="stop")]),
        ("content_filter", [delta("one", finish_reason="stop", native_finish_reason="SAFETY")]),
        ("length", [delta("one", finish_reason="stop", native_finish_reason="MAX_TOKENS")]),
        ("stop", [delta("one", finish_reason="stop", native_finish_reason="end_turn")]),
        ("content_filter", [delta("one", content_filter_results={"hate": {"filtered": True}})]),
        ("stop", [delta("one", finish_reason="stop", content_filter_results={"hate": {"filtered": False}})]),
        ("content_filter", [{**delta("one", finish_reason="stop"), "output_sensitive": True}]),
        ("length", [delta("one", finish_details={"type": "max_tokens"})]),
        ("length", [delta("one", stop_reason="max_tokens")]),
        ("length", [{"choices": [{"delta": {"content": "one", "finish_reason": "length"}}]}]),
        ("length", [delta("one", finish_reason={"type": "length", "length": 16})]),
    ],
)
def test_a_reason_against_the_answer_is_found_and_outlasts_a_plain_one(
    reason: str, chunks: list[dict[str, Any]]
) -> None:
    assert read(*chunks).finish_reason == reason


def test_a_count_of_zero_for_a_text_that_is_there_is_estimated() -> None:
    request = Request("m", (Message("user", "What is two and two?"),))
    reported = Usage(9, 0)
    reply = read(delta(SAID)).reply(
        request, seconds=1, first_token_seconds=None, usage=reported, cost_usd=None, count_tokens=None
    )
    assert reply.usage == Usage(9, 8, estimated=True)


def test_a_refusal_in_pieces() -> None:
    pieces = [{"choices": [{"delta": {"refusal": word}}]} for word in ("I ", "cannot.")]
    assert read(*pieces).refusal == "I cannot."


def test_text_after_a_finish_reason_proves_that_the_reply_goes_on() -> None:
    chunks = delta("one", finish_reason="stop"), delta(" two"), delta(" three", finish_reason="length")
    read_so_far = [read(*chunks[:number]) for number in (1, 2, 3)]
    assert [(one.finished, one.is_whole, one.finish_reason) for one in read_so_far] == [
        (True, True, "stop"),
        (False, False, "other"),
        (False, True, "length"),
    ]


def test_usage_behind_the_text_ends_a_reply_that_gives_no_reason() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
    assert not read(usage, delta("one")).is_whole
    assert not read(delta("one"), usage, delta("two")).is_whole
    assert read(delta("one"), usage).is_whole


@pytest.mark.parametrize(
    "payload",
    [
        {"choices": [{"delta": {}, "usage": {"prompt_tokens": 3, "completion_tokens": 1}}]},
        {"choices": [], "x_groq": {"usage": {"prompt_tokens": 3, "completion_tokens": 1}}},
        {"choices": None, "usage": {"prompt_tokens": 3, "completion_tokens": 1}},
    ],
)
def test_usage_in_other_places(payload: dict[str, Any]) -> None:
    assert read(delta("one"), payload).usage == Usage(3, 1)


def test_a_prompt_that_gemini_blocks() -> None:
    assembler = read({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "choices": None})
    assert (assembler.has_choice, assembler.finish_reason) == (True, "content_filter")


def test_what_a_reply_keeps_is_counted() -> None:
    tokens = {"content": [{"token": "a", "logprob": -1.0}] * 50}
    assert read(delta("four", logprobs=tokens)).size == 4 + 8 * 50


@pytest.mark.parametrize("logprob", [float("nan"), float("-inf"), 10**400, "-1", None])
def test_a_log_probability_that_cannot_be_is_left_out(logprob: object) -> None:
    tokens = [{"token": "a", "logprob": logprob, "top_logprobs": []}, {"token": "b", "logprob": -1}]
    assert read(delta("ab", logprobs={"content": tokens})).logprobs == [-1.0]
