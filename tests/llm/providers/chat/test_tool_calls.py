"""The tools that a model calls, however its endpoint sends them."""

import json
from typing import Any

import pytest

from spotui.domain.calls import Reply, Request
from spotui.domain.messages import user
from spotui.llm.providers.chat.assembler import ReplyAssembler

WEATHER = {"city": "Oslo"}


def put_together(*chunks: dict[str, Any]) -> Reply:
    assembler = ReplyAssembler()
    for chunk in chunks:
        assembler.feed({"choices": [{"index": 0, **chunk}]})
    assembler.finish()
    request = Request("m", (user("?"),))
    return assembler.reply(
        request, seconds=0.0, first_token_seconds=None, usage=None, cost_usd=None, count_tokens=None
    )


def delta(number: int, name: str | None = None, arguments: str | None = None, **more: Any) -> dict[str, Any]:
    function = {key: one for key, one in (("name", name), ("arguments", arguments)) if one is not None}
    return {"delta": {"tool_calls": [{"index": number, "function": function}], **more}}


WHOLE = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": json.dumps(WEATHER)},
}
CANONICAL = '[{"arguments":{"city":"Oslo"},"name":"weather"}]'


@pytest.mark.parametrize(
    "chunks",
    [
        [delta(0, "weather", ""), delta(0, None, '{"city": '), delta(0, None, '"Oslo"}')],
        [delta(0, "weather", '{"city": "Oslo"}'), {"delta": {}, "finish_reason": "tool_calls"}],
        [{"message": {"content": None, "tool_calls": [WHOLE]}, "finish_reason": "tool_calls"}],
        [{"message": {"function_call": WHOLE["function"]}, "finish_reason": "function_call"}],
        [{"message": {"tool_calls": [{"function": {"name": "weather", "arguments": WEATHER}}]}}],
        [delta(0, "weather", '{"city": "Oslo"}'), {"message": {"tool_calls": [WHOLE]}}],
    ],
    ids=["pieces", "one delta", "message", "single", "object", "repeated"],
)
def test_calls_come_in_pieces_or_whole(chunks: list[dict[str, Any]]) -> None:
    reply = put_together(*chunks)
    assert reply.tool_calls == CANONICAL
    assert reply.answer == CANONICAL
    assert reply.text == ""


def test_several_calls_stand_below_the_text() -> None:
    chunks = [
        {"delta": {"content": "Let me look. "}},
        delta(0, "weather", '{"b": 1, "a": 2}'),
        delta(1, "time", ""),
    ]
    assert put_together(*chunks).answer == (
        'Let me look.\n[{"arguments":{"a":2,"b":1},"name":"weather"},{"arguments":{},"name":"time"}]'
    )


def test_arguments_that_are_no_json_stay_a_text() -> None:
    assert put_together(delta(0, "weather", '{"city')).tool_calls == (
        '[{"arguments":"{\\"city","name":"weather"}]'
    )


@pytest.mark.parametrize("called", [None, "x", [], [1], [{"function": None}], [{"index": "first"}]])
def test_what_is_no_call_is_no_fault(called: object) -> None:
    reply = put_together({"delta": {"content": "yes", "tool_calls": called}})
    assert reply.text == "yes"
    assert reply.answer.startswith("yes")
