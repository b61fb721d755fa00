"""Endpoints that refuse an optional parameter are asked again without it."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from spotui.domain.calls import Reply, Request
from spotui.llm.protocol import BadRequestError, ContextOverflowError, UnavailableError
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from tests.llm.providers.asking import a_request, an_endpoint
from tests.model_server import ModelServer, Scripted, faults
from tests.model_server.faults import Fault, FaultPlan

ALL = a_request(temperature=0.7, max_tokens=50, logprobs=True)
OPTIONAL = {"temperature", "max_tokens", "max_completion_tokens", "logprobs", "stream", "stream_options"}


def refuse(names: Iterable[str], fault: Fault) -> FaultPlan:
    """Refuse every request that holds one of these."""
    return lambda _, request: fault if any(name in request for name in names) else None


def call(server: ModelServer, *requests: Request) -> tuple[list[Reply], frozenset[str]]:
    async def talk() -> tuple[list[Reply], frozenset[str]]:
        provider = OpenAICompatibleProvider(an_endpoint(server.base_url))
        try:
            return [
                await provider.complete(request, lambda _: None) for request in requests
            ], provider.concessions.refused
        finally:
            await provider.aclose()

    return asyncio.run(talk())


def optional(request: dict[str, Any]) -> set[str]:
    return OPTIONAL & set(request)


EVERYTHING = {"temperature", "max_tokens", "logprobs", "stream", "stream_options"}


@pytest.mark.parametrize(
    ("name", "fault", "sent"),
    [
        (
            "temperature",
            faults.status(
                400,
                "Unsupported value: 'temperature' does not support 0.7 with this model. "
                "Only the default (1) value is supported.",
                param="temperature",
                code="unsupported_value",
            ),
            EVERYTHING - {"temperature"},
        ),
        (
            "temperature",
            faults.status(400, "invalid temperature: only 1 is allowed for this model"),
            EVERYTHING - {"temperature"},
        ),
        ("temperature", faults.status(400, "`temperature` is deprecated"), EVERYTHING - {"temperature"}),
        (
            "max_tokens",
            faults.status(
                400,
                "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
                param="max_tokens",
                code="unsupported_parameter",
            ),
            EVERYTHING - {"max_tokens"} | {"max_completion_tokens"},
        ),
        (
            "stream_options",
            faults.raw(
                422, b'{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}'
            ),
            EVERYTHING - {"stream_options"},
        ),
        (
            "stream_options",
            faults.raw(400, b'{"detail":"Extra parameters [\'stream_options\'] are not allowed"}'),
            EVERYTHING - {"stream_options"},
        ),
        (
            "stream_options",
            faults.status(400, "Unknown field: stream_options"),
            EVERYTHING - {"stream_options"},
        ),
        (
            "stream",
            faults.status(400, "Streaming is not supported."),
            EVERYTHING - {"stream", "stream_options"},
        ),
        (
            "logprobs",
            faults.status(403, "You are not allowed to request logprobs from this model"),
            EVERYTHING - {"logprobs"},
        ),
    ],
)
def test_a_refused_parameter_is_left_out_and_remembered(name: str, fault: Fault, sent: set[str]) -> None:
    with ModelServer(lambda _: "four", faults=refuse([name], fault)) as server:
        replies, refused = call(server, ALL, ALL)
    assert [reply.text for reply in replies] == ["four", "four"]
    assert refused == {name}
    assert [optional(request.json) for request in server.requests] == [EVERYTHING, sent, sent]


def test_several_refusals_one_after_the_other() -> None:
    def plan(_: int, request: dict[str, Any]) -> Fault | None:
        for name in ("temperature", "max_tokens", "stream_options", "logprobs", "stream"):
            if name in request:
                return faults.status(400, f"Unsupported parameter: {name}")
        return None

    with ModelServer(lambda _: "four", faults=plan) as server:
        replies, refused = call(server, ALL, ALL)
    assert refused == EVERYTHING
    assert len(server.requests) == 5 + 2
    assert optional(server.requests[-1].json) == {"max_completion_tokens"}
    assert [reply.left_out for reply in replies] == [("temperature", "logprobs")] * 2
    assert replies[0].logprobs == ()


def test_a_parameter_is_left_out_only_once() -> None:
    fault = faults.status(400, "Unsupported parameter: temperature")
    with ModelServer(faults=lambda *_: fault) as server:
        with pytest.raises(BadRequestError, match="Unsupported parameter: temperature"):
            call(server, ALL)
        assert len(server.requests) == 2


def test_a_guess_that_did_not_help_is_forgotten() -> None:
    plan = {
        1: faults.status(400, "temperature unsupported"),
        2: faults.status(400, "the model is not loaded"),
    }
    with ModelServer(faults=plan) as server:
        with pytest.raises(BadRequestError, match="not loaded"):
            call(server, ALL)
        call(server, ALL)
    assert optional(server.requests[-1].json) == EVERYTHING


@pytest.mark.parametrize(
    "fault",
    [
        faults.status(
            400, "Unsupported parameter: 'messages'", param="messages", code="unsupported_parameter"
        ),
        faults.status(400, "Grammar is not supported"),
        faults.status(400, "The streaming_mode of this server is not supported"),
        faults.status(500, "the temperature of the server is too high"),
    ],
)
def test_what_no_change_of_parameters_helps_is_not_asked_again(fault: Fault) -> None:
    with ModelServer(faults=lambda *_: fault) as server:
        with pytest.raises(Exception, match="HTTP"):
            call(server, ALL)
        assert len(server.requests) == 1


def test_calls_that_are_refused_side_by_side() -> None:
    async def talk(base_url: str) -> list[str]:
        provider = OpenAICompatibleProvider(an_endpoint(base_url))
        replies = await asyncio.gather(*(provider.complete(ALL, lambda _: None) for _ in range(6)))
        await provider.aclose()
        return [reply.text for reply in replies]

    fault = faults.status(400, "Unsupported parameter: temperature")
    with ModelServer(lambda _: "four", faults=refuse(["temperature"], fault)) as server:
        assert asyncio.run(talk(server.base_url)) == ["four"] * 6


def test_a_refusal_is_remembered_by_the_next_try_when_the_connection_breaks() -> None:
    def plan(number: int, request: dict[str, Any]) -> Fault | None:
        if "temperature" in request:
            return faults.status(400, "Unsupported parameter: temperature")
        return faults.reset() if number == 2 else None

    async def talk(base_url: str) -> Reply:
        provider = OpenAICompatibleProvider(an_endpoint(base_url))
        with pytest.raises(UnavailableError):
            await provider.complete(ALL, lambda _: None)
        reply = await provider.complete(ALL, lambda _: None)
        await provider.aclose()
        return reply

    with ModelServer(lambda _: "four", faults=plan) as server:
        assert asyncio.run(talk(server.base_url)).left_out == ("temperature",)
        assert len(server.requests) == 3


def test_a_limit_that_leaves_the_prompt_no_room_is_lowered_as_often_as_it_takes() -> None:
    def plan(_: int, request: dict[str, Any]) -> Fault | None:
        prompt = len(request["messages"][0]["content"])
        if prompt + request["max_tokens"] <= 2048:
            return None
        words = f"maximum context length is 2048 tokens, you requested {prompt} prompt tokens and more"
        return faults.status(400, words)

    requests = [a_request("x" * size, max_tokens=4096) for size in (1500, 100, 1900, 1800, 1985)]
    with ModelServer(lambda _: "four", faults=plan) as server:
        replies, _ = call(server, *requests[:-1])
        limits = [one.json["max_tokens"] for one in server.requests if one.status == 200]
        assert [dict(reply.lowered)["max_tokens"] for reply in replies] == limits
        assert [size + limit for size, limit in zip((1500, 100, 1900, 1800), limits, strict=True)] <= [
            2048
        ] * 4
        assert min(limits) >= 64
        with pytest.raises(ContextOverflowError):
            call(server, requests[-1])


@pytest.mark.parametrize("stream", [True, False])
def test_a_parameter_can_be_refused_with_a_status_of_200(stream: bool) -> None:
    def refuse_inside(reply: Scripted) -> Scripted:
        error = {"message": "temperature is not supported", "type": "invalid_request_error"}
        body = json.dumps({"error": error}).encode()
        if not stream:
            return replace(reply, body=body, headers={"Content-Type": "application/json"})
        return replace(reply, body=b"data: " + body + b"\n\n", headers={"Content-Type": "text/event-stream"})

    plan = refuse(["temperature"], refuse_inside)
    with ModelServer(lambda _: "four", faults=plan) as server:
        replies, refused = call(server, ALL, ALL)
        assert [reply.left_out for reply in replies] == [("temperature",)] * 2
        assert refused == {"temperature"}
        assert len(server.requests) == 3


def test_the_most_that_a_server_takes_is_sent_and_told() -> None:
    def plan(_: int, request: dict[str, Any]) -> Fault | None:
        is_too_high = request.get("top_logprobs", 0) > 5
        return faults.status(400, "top_logprobs must be less than or equal to 5") if is_too_high else None

    asked = a_request(alternatives=20)
    with ModelServer(lambda _: "four", faults=plan) as server:
        replies, refused = call(server, asked, asked)
    assert [reply.lowered for reply in replies] == [(("top_logprobs", 5.0),)] * 2
    assert not refused
    assert [one.json["top_logprobs"] for one in server.requests] == [20, 5, 5]
