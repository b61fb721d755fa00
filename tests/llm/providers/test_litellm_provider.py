"""litellm behind the door: everything it hides, invents or prints stays on its side."""

import asyncio
import functools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from spotui.llm.endpoint import Endpoint, Price
from spotui.llm.errors import (
    AuthenticationError,
    BadRequestError,
    ContextOverflowError,
    MalformedReplyError,
    ModelError,
    RateLimitedError,
    TimedOutError,
    UnavailableError,
)
from spotui.llm.protocol import Delta, Message, Reply, Request, Usage
from spotui.llm.providers.litellm_provider import LitellmProvider
from spotui.secret import Secret
from tests.model_server import ModelServer, Scripted, faults

# litellm ignores these warnings of its own as it is imported; pytest forgets that after the test in which it
# happens.
pytestmark = pytest.mark.filterwarnings("ignore:Accessing the .* attribute on the instance is deprecated")

KEY = "sk-very-secret-0123456789"
MODEL = "openai/gpt-4o"
SAID = "a scripted answer of seven words here"


@pytest.fixture(autouse=True, scope="module")
def litellm() -> Any:
    """The module, as the provider leaves it; loaded first, so that no test times the import."""
    asyncio.run(_load())
    return sys.modules["litellm"]


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.endswith(("_KEY", "_TOKEN", "_BASE"))]:
        monkeypatch.delenv(name)


async def _load() -> None:
    async with a_provider("http://127.0.0.1:9/v1") as provider:
        with pytest.raises(UnavailableError):
            await provider.complete(a_request(), list[Delta]().append)


def a_request(text: str = "What is two and two?", *, model: str = MODEL, **fields: Any) -> Request:
    return Request(model, (Message("user", text),), **fields)


@asynccontextmanager
async def a_provider(
    base_url: str | None, *, model: str = MODEL, key: str | None = KEY, **fields: Any
) -> AsyncIterator[LitellmProvider]:
    api_key = None if key is None else Secret(key)
    provider = LitellmProvider(Endpoint(model, base_url, api_key, **{"timeout": 5.0, **fields}))
    try:
        yield provider
    finally:
        await provider.aclose()


def ask_at(
    base_url: str | None,
    request: Request | None = None,
    *,
    deltas: list[Delta] | None = None,
    **options: Any,
) -> Reply:
    request = request or a_request()

    async def once() -> Reply:
        async with a_provider(base_url, model=request.model, **options) as provider:
            return await provider.complete(request, (deltas if deltas is not None else []).append)

    return asyncio.run(once())


def ask(answer: str | Scripted | faults.Fault, request: Request | None = None, **options: Any) -> Reply:
    said, plan = (answer, {}) if isinstance(answer, (str, Scripted)) else (SAID, {1: answer})
    with ModelServer(lambda _: said, faults=plan) as server:
        return ask_at(server.base_url, request, **options)


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


def test_half_a_character_is_no_character() -> None:
    assert ask(faults.lone_surrogates()).text == "grin \U0001f600 and half \ufffd end"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.status(400), BadRequestError),
        (faults.status(401), AuthenticationError),
        (faults.status(402), BadRequestError),
        (faults.status(403), AuthenticationError),
        (faults.status(404), BadRequestError),
        (faults.status(422), BadRequestError),
        (faults.status(429), RateLimitedError),
        (faults.status(429, code="insufficient_quota"), BadRequestError),
        (faults.status(400, "maximum context length is 8192 tokens"), ContextOverflowError),
        (faults.status(400, "prompt is too long: 9 tokens > 8 maximum"), ContextOverflowError),
        (faults.status(500), UnavailableError),
        (faults.status(503), UnavailableError),
        (faults.html(502), UnavailableError),
        (faults.reset(), UnavailableError),
        (faults.reset(frames=3), MalformedReplyError),
        (faults.truncated(frames=3), MalformedReplyError),
        (faults.html(200), MalformedReplyError),
        (faults.events(b"data: [DONE]\n\n"), MalformedReplyError),
        (faults.events(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'), MalformedReplyError),
        (
            faults.events(b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: {\n\n'),
            MalformedReplyError,
        ),
        (faults.stream_error("overloaded"), UnavailableError),
    ],
)
def test_every_fault_has_its_kind(fault: faults.Fault, kind: type[ModelError]) -> None:
    with pytest.raises(ModelError) as caught:
        ask(fault)
    assert type(caught.value) is kind
    assert caught.value.what.startswith((MODEL, "The ", "Cannot reach "))
    assert f"{MODEL} at http://127.0.0.1:" in caught.value.what
    assert caught.value.mend
    assert "litellm" not in str(caught.value).lower()


def test_a_rate_limit_says_how_long_to_wait() -> None:
    with pytest.raises(RateLimitedError) as caught:
        ask(faults.status(429, headers={"Retry-After": "7"}))
    assert caught.value.retry_after == 7.0


def test_an_unknown_model_is_answered_with_near_ones() -> None:
    with pytest.raises(BadRequestError, match="gpt-4o-mini") as caught:
        ask(faults.status(404, "no such model"), a_request(model="openai/gpt-4o-mni"))
    assert caught.value.mend.startswith("Did you mean gpt-4o-mini or ")


def test_nobody_listening_and_no_such_host_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match="the connection was refused"):
        ask_at("http://127.0.0.1:9/v1")

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(UnavailableError, match="its host name is unknown"):
        ask_at("http://models.invalid/v1")


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_silence_times_out_within_the_limit(frames: int) -> None:
    began = time.perf_counter()
    with pytest.raises(TimedOutError, match=r"sent nothing for 0\.3 seconds"):
        ask(faults.hang(frames=frames), timeout=0.3)
    assert time.perf_counter() - began < 2


def test_slow_is_not_silent() -> None:
    assert ask(faults.slow(0.15), timeout=0.4).text == SAID


def test_keys_are_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_API_KEY", "other-secret-9876543210")
    echo = f"Bad key {KEY}, and also other-secret-9876543210. " + "Very long. " * 100
    for code in (400, 401, 500):
        with pytest.raises(ModelError) as caught:
            ask(faults.status(code, echo))
        assert "Bad key [key], and also [key]." in caught.value.what
        assert len(caught.value.what) < 450
        assert "\n" not in caught.value.what
        assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("gpt-4o", "OPENAI_API_KEY"),
        ("anthropic/claude-sonnet-4-5", "ANTHROPIC_API_KEY"),
        ("claude-3-5-sonnet-20240620", "ANTHROPIC_API_KEY"),  # retired: no longer in litellm's list
        ("gemini-2.5-pro", "GEMINI_API_KEY"),
        ("scaleway/llama", "SCW_SECRET_KEY"),
    ],
)
def test_a_missing_key_is_named_before_anything_is_sent(model: str, variable: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        ask_at(None, a_request(model=model), key=None)
    assert caught.value.what.startswith(f"{model} needs a key, and ")
    assert variable in caught.value.what
    assert caught.value.mend == f"Set it: export {variable}=…"


def test_a_server_of_ones_own_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(SAID, key=None).text == SAID
    with ModelServer(lambda _: SAID) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
        ask_at(server.base_url, key=None)
        assert server.requests[0].headers["authorization"] == "Bearer sk-from-environment"


@pytest.mark.parametrize(
    ("model", "mend"),
    [
        ("anthropc/claude-sonnet-4-5", "Did you mean anthropic/claude-sonnet-4-5 or "),
        ("§§§", "Put its provider in front"),
    ],
)
def test_an_unknown_provider_is_answered_with_near_ids(model: str, mend: str) -> None:
    with pytest.raises(BadRequestError, match="no provider for") as caught:
        ask_at(None, a_request(model=model), key=None)
    assert caught.value.mend.startswith(mend)


def test_a_temperature_that_is_refused_is_left_out_from_then_on() -> None:
    def refuse(_: int, request: dict[str, Any]) -> faults.Fault | None:
        said = "Unsupported value: 'temperature' does not support 0.7 with this model."
        return faults.status(400, said, param="temperature") if "temperature" in request else None

    async def twice(base_url: str) -> frozenset[str]:
        async with a_provider(base_url) as provider:
            for _ in range(2):
                await provider.complete(a_request(temperature=0.7), list[Delta]().append)
            return provider.refused

    with ModelServer(lambda _: SAID, faults=refuse) as server:
        assert asyncio.run(twice(server.base_url)) == {"temperature"}
        assert ["temperature" in request.json for request in server.requests] == [True, False, False]


def test_a_temperature_that_litellm_knows_to_be_refused_is_never_sent() -> None:
    with ModelServer(lambda _: SAID) as server:
        reply = ask_at(server.base_url, a_request(model="openai/o3", temperature=0.7))
        [sent] = server.requests
    assert reply.text == SAID
    assert "temperature" not in sent.json


def test_a_grammar_is_refused_and_not_ignored() -> None:
    with pytest.raises(BadRequestError, match="grammar"):
        ask(SAID, a_request(grammar='root ::= "A"'))


def test_cancelling_closes_the_connection_and_leaves_no_task() -> None:
    async def cancelled(base_url: str) -> tuple[float, set[Any]]:
        async with a_provider(base_url) as provider:
            heard = asyncio.Event()
            call = asyncio.create_task(provider.complete(a_request(), lambda _: heard.set()))
            await heard.wait()
            began = time.perf_counter()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            taken = time.perf_counter() - began
        return taken, asyncio.all_tasks() - {asyncio.current_task()}

    with ModelServer(lambda _: SAID, faults={1: faults.hang(frames=3)}) as server:
        taken, tasks = asyncio.run(cancelled(server.base_url))
        server.wait_until(lambda: server.requests[0].outcome == "client_gone")
        server.wait_until(lambda: not server.connections)
    assert taken < 0.5
    assert not tasks


def test_closing_one_provider_leaves_another_its_connection_and_a_closed_one_opens_anew() -> None:
    async def main(base_url: str) -> set[Any]:
        async with a_provider(base_url) as kept:
            async with a_provider(base_url) as closed:
                for provider in (kept, closed):
                    await provider.complete(a_request(), list[Delta]().append)
            await kept.complete(a_request(), list[Delta]().append)
            assert server.connections_accepted == 1
        assert len(server.connections) <= 1
        await closed.aclose()
        await closed.complete(a_request(), list[Delta]().append)
        await closed.aclose()
        return asyncio.all_tasks() - {asyncio.current_task()}

    with ModelServer(lambda _: SAID) as server:
        for _ in range(2):
            assert not asyncio.run(main(server.base_url))
            server.wait_until(lambda: not server.connections)
            server.connections_accepted = 0


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


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (("RateLimitError", "Slow down."), RateLimitedError, "asks to slow down: Slow down."),
        (("AuthenticationError", "Bad key."), AuthenticationError, "does not accept the key: Bad key."),
        (("ContextWindowExceededError", "9 > 8."), ContextOverflowError, "is longer than"),
        (("ContentPolicyViolationError", "No."), BadRequestError, "refuses the request: No."),
        (("NotFoundError", "No such thing."), BadRequestError, "refuses the request: No such thing."),
        (("Timeout", "Timed out."), TimedOutError, "sent nothing for 5 seconds"),
        (("InternalServerError", "Broken."), UnavailableError, "failed to answer: Broken."),
        (("ServiceUnavailableError", "Full."), UnavailableError, "failed to answer: Full."),
        (
            ("APIConnectionError", "Odd.\nTraceback (most recent call last): x"),
            UnavailableError,
            "answer: Odd.",
        ),
        (
            ("UnsupportedParamsError", "No tools here. To drop them set `litellm.drop_params = True`."),
            BadRequestError,
            "refuses the request: No tools here.",
        ),
    ],
)
def test_errors_of_litellms_own_have_their_kind(
    litellm: Any,
    monkeypatch: pytest.MonkeyPatch,
    error: tuple[str, str],
    kind: type[ModelError],
    words: str,
) -> None:
    name, message = error
    raised = getattr(litellm, name)(message=message, llm_provider="openai", model="gpt-4o")
    monkeypatch.setattr(litellm, "acompletion", functools.partial(litellm.acompletion, mock_response=raised))
    with pytest.raises(ModelError) as caught:
        ask_at(None, a_request(model="gpt-4o"))
    assert type(caught.value) is kind
    assert words in caught.value.what
    assert "litellm" not in str(caught.value)
    assert "HTTP" not in caught.value.what
    assert "Traceback" not in caught.value.what


def test_a_stream_that_breaks_inside_litellm_is_unavailable(
    litellm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mocked = functools.partial(litellm.acompletion, mock_response="Exception: mock_streaming_error")
    monkeypatch.setattr(litellm, "acompletion", mocked)
    with pytest.raises(UnavailableError, match="mock error raised mid-stream"):
        ask_at(None, a_request(model="gpt-4o"))


_QUIET = """
import asyncio, logging, os, sys, time
import spotui.llm.providers.litellm_provider as module
from spotui.llm.endpoint import Endpoint
from spotui.secret import Secret
from spotui.llm.errors import ModelError
from spotui.llm.protocol import Message, Request

assert "litellm" not in sys.modules and "tiktoken" not in sys.modules
stalls = []

async def watch():
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        stalls.append(time.perf_counter() - began)

async def main():
    watching = asyncio.create_task(watch())
    model = "openai/gpt-4o"
    calls = [(model, "Hi"), (model, "break"), (model, "no usage"), ("nobody/x", "Hi")]
    endpoint = Endpoint(model, sys.argv[1], Secret("sk-0123456789"), timeout=5.0)
    providers = [module.LitellmProvider(endpoint) for _ in calls]

    async def call(provider, model, text):
        try:
            return await provider.complete(Request(model, (Message("user", text),)), lambda delta: None)
        except ModelError as error:
            return error

    results = await asyncio.gather(*map(call, providers, *zip(*calls)))
    for provider in providers:
        await provider.aclose()
    watching.cancel()
    return [type(result).__name__ for result in results]

results = asyncio.run(main())
assert results == ["Reply", "UnavailableError", "Reply", "BadRequestError"], results
assert os.environ.get("TIKTOKEN_CACHE_DIR") == "/kept", os.environ.get("TIKTOKEN_CACHE_DIR")
assert "tiktoken" not in sys.modules or not sys.modules["tiktoken"].registry.ENCODINGS
assert max(stalls) < 1.0, max(stalls)
logging.getLogger("LiteLLM").warning("a warning of its own")
"""


def test_it_is_quiet_responsive_and_imports_litellm_once_and_late() -> None:
    def plan(_: int, request: dict[str, Any]) -> faults.Fault | None:
        text = request["messages"][0]["content"]
        return {"break": faults.status(500), "no usage": faults.no_usage()}.get(text)

    with ModelServer(lambda _: SAID, faults=plan) as server:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", _QUIET, server.base_url],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "TIKTOKEN_CACHE_DIR": "/kept"},
        )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
