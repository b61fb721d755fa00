"""litellm behind the door: what it invents is not taken for what the model said."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.messages import Message
from spotui.llm.protocol import (
    BadRequestError,
    Delta,
    MalformedReplyError,
    OversizedReplyError,
    UnavailableError,
)
from spotui.llm.providers.litellm_module import OversizedBodyError, bound_httpx, bounded_bodies
from spotui.llm.routing import Price
from tests.llm.providers.asking_litellm import KEY, MODEL, QUIETLY, SAID, a_provider, a_request, ask, ask_at
from tests.model_server import ModelServer, Scripted, faults

pytestmark = [pytest.mark.usefixtures("litellm", "no_keys"), QUIETLY]


def test_a_reply_has_its_text_reasoning_usage_and_cost() -> None:
    reported = {
        "prompt_tokens": 1000,
        "completion_tokens": 500,
        "total_tokens": 1500,
        "completion_tokens_details": {"reasoning_tokens": 200},
        "prompt_tokens_details": {"cached_tokens": 400},
    }
    deltas: list[Delta] = []
    reply = ask(Scripted(SAID, reasoning="Let me think.", usage=reported), deltas=deltas)
    assert (reply.text, reply.reasoning, reply.finish_reason) == (SAID, "Let me think.", "stop")
    assert reply.usage == Usage(1000, 500, reasoning_tokens=200, cached_tokens=400)
    assert reply.cost_usd == pytest.approx((600 * 2.5 + 400 * 1.25 + 500 * 10) / 1e6)
    assert "".join(delta.text for delta in deltas) == SAID
    assert "".join(delta.reasoning for delta in deltas) == "Let me think."
    assert reply.first_token_seconds is not None
    assert 0 < reply.first_token_seconds <= reply.seconds


def test_the_request_is_passed_on_once_and_streamed() -> None:
    request = Request(MODEL, (Message("system", "Be brief."), Message("user", "Hi \ud83d")), 0.0, 50)
    with ModelServer(lambda _: SAID, faults={1: faults.status(500)}) as server:
        with pytest.raises(UnavailableError):
            ask_at(server.base_url, request)
        [sent] = server.requests
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.json == {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi \ufffd"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "max_tokens": 50,
    }


@pytest.mark.parametrize(("reason", "expected"), [("length", "length"), ("content_filter", "content_filter")])
def test_a_reply_says_why_it_ended(reason: str, expected: str) -> None:
    assert ask(Scripted(SAID, finish_reason=reason)).finish_reason == expected


def test_usage_that_the_server_did_not_send_is_an_estimate_without_a_cost() -> None:
    reply = ask(faults.no_usage())
    assert reply.usage.estimated
    assert reply.usage.completion_tokens == -(-len(SAID) // 4)
    assert reply.cost_usd is None
    counted = ask(faults.no_usage(), key=None, price=None)
    assert counted.usage == reply.usage


def test_the_users_own_price_is_left_to_the_door() -> None:
    assert ask(SAID, price=Price(1.0, 1.0)).cost_usd is None


def test_an_unknown_price_is_unknown() -> None:
    assert ask(SAID, a_request(model="openai/no-such-model")).cost_usd is None


def test_log_probabilities_come_with_the_reply() -> None:
    reply = ask(Scripted(pieces=("a", "b"), logprobs=(-0.5, -1.5)), a_request(logprobs=True))
    assert reply.logprobs == (-0.5, -1.5)


@pytest.mark.parametrize("said", [faults.null_content(), Scripted("")])
def test_an_answer_without_text_is_an_empty_answer(said: faults.Fault | Scripted) -> None:
    assert ask(said).text == ""


def test_a_megabyte_and_marks_of_the_model_s_own_come_through() -> None:
    assert len(ask(faults.megabyte()).text) == 2**20
    marks = "<|endoftext|> and <|im_end|> are such."  # at the end, a chat template leaves them behind
    assert ask(marks).text == marks


LONG = 5 * 2**20


@pytest.mark.parametrize(
    "body",
    [
        b'{"choices": [{"message": {"content": "%b"}}]}' % (b"x" * LONG),
        b"data: " + b"x" * LONG,
        b'data: {"choices": [{"delta": {"content": "%b"}}]}\n\n' % (b"x" * 2**20) * 5,
    ],
    ids=["a body", "a line", "a text"],
)
def test_a_reply_that_is_too_long_is_not_read_to_its_end(body: bytes) -> None:
    with pytest.raises(OversizedReplyError, match="more than 4 MiB"):
        ask(faults.events(body))


def test_only_the_calls_of_spotui_are_bounded() -> None:
    async def read() -> int:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(5):
                yield b"x" * 2**20

        bound_httpx()
        whole = len(await httpx.Response(200, content=pieces()).aread())
        with bounded_bodies(), pytest.raises(OversizedBodyError):
            await httpx.Response(200, content=pieces()).aread()
        return whole

    assert asyncio.run(read()) == LONG


def test_usage_is_counted_however_many_chunks_come() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 600, "total_tokens": 609}
    pieces = tuple(f"{number} " for number in range(600))
    reply = ask(Scripted(pieces=pieces, usage=usage))
    assert reply.text == "".join(pieces)
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (9, 600)


def test_half_a_character_is_no_character() -> None:
    assert ask(faults.lone_surrogates()).text == "grin \U0001f600 and half \ufffd end"


def test_a_temperature_that_is_refused_is_left_out_from_then_on() -> None:
    def refuse(_: int, request: dict[str, Any]) -> faults.Fault | None:
        said = "Unsupported value: 'temperature' does not support 0.7 with this model."
        return faults.status(400, said, param="temperature") if "temperature" in request else None

    async def twice(base_url: str) -> list[tuple[str, ...]]:
        async with a_provider(base_url) as provider:
            request = a_request(temperature=0.7)
            replies = [await provider.complete(request, list[Delta]().append) for _ in range(2)]
            return [reply.left_out for reply in replies]

    with ModelServer(lambda _: SAID, faults=refuse) as server:
        assert asyncio.run(twice(server.base_url)) == [("temperature",)] * 2
        assert ["temperature" in request.json for request in server.requests] == [True, False, False]


def test_a_temperature_that_litellm_knows_to_be_refused_is_never_sent() -> None:
    with ModelServer(lambda _: SAID) as server:
        reply = ask_at(server.base_url, a_request(model="openai/o3", temperature=0.7))
        [sent] = server.requests
    assert reply.text == SAID
    assert reply.left_out == ("temperature",)
    assert "temperature" not in sent.json


def test_a_grammar_is_refused_and_not_ignored() -> None:
    with pytest.raises(BadRequestError, match="grammar"):
        ask(SAID, a_request(grammar='root ::= "A"'))


def test_an_exception_of_the_listener_is_its_own() -> None:
    def burst(_: Delta) -> None:
        raise RuntimeError("the listener's own")

    async def main(base_url: str) -> None:
        async with a_provider(base_url) as provider:
            await provider.complete(a_request(), burst)

    with ModelServer(lambda _: SAID) as server, pytest.raises(RuntimeError, match="the listener's own"):
        asyncio.run(main(server.base_url))


def test_anthropic_counts_its_cached_tokens() -> None:
    frames: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "content": [],
                "model": "claude",
                "stop_reason": None,
                "usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 1},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 12}},
        {"type": "message_stop"},
    ]
    sent = [f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n".encode() for frame in frames]

    def reply(count: int) -> Reply:
        with ModelServer(lambda _: SAID, faults={1: faults.events(*sent[:count])}) as server:
            # litellm keeps an address that ends like Anthropic's; the server does not look behind the "?".
            address = f"{server.base_url}/chat/completions?/v1/messages"
            return ask_at(address, a_request(model="anthropic/claude-sonnet-4-5"))

    whole = reply(len(sent))
    assert (whole.text, whole.reasoning, whole.finish_reason) == ("Hi", "Hm.", "length")
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (14, 12)
    assert whole.usage.cached_tokens == 4
    assert not whole.usage.estimated
    assert whole.cost_usd == pytest.approx((10 * 3 + 4 * 0.3 + 12 * 15) / 1e6)
    with pytest.raises(MalformedReplyError):
        reply(len(sent) - 2)


def test_a_mocked_answer_comes_back(litellm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = litellm.ModelResponse(
        choices=[{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": SAID}}],
        usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    )
    mocked = functools.partial(litellm.acompletion, mock_response=answer)
    monkeypatch.setattr(litellm, "acompletion", mocked)
    reply = ask_at(None, a_request(model="gpt-4o"))
    assert (reply.text, reply.usage) == (SAID, Usage(3, 2))
