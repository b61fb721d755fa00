import asyncio
import gc
import subprocess
import sys
from pathlib import Path

import pytest

from spotui.domain.calls import Request, Usage
from spotui.domain.messages import Message
from spotui.llm.protocol import BadRequestError, Delta, UnavailableError
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from spotui.llm.routing import Endpoint, Limits
from tests.llm.providers.asking import KEY, a_request, an_endpoint, ask, ask_endpoint
from tests.model_server import ModelServer, ModelServerProcess, Scripted, faults

ROOT = Path(__file__).parents[3]


def ignore(_: Delta) -> None:
    """A listener that does not care."""


def test_importing_the_provider_imports_no_http_client() -> None:
    script = (
        "import sys, spotui.llm.providers.openai_compatible;"
        "heavy = ('aiohttp', 'yarl', 'httpx', 'asyncio', 'ssl', 'email');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_a_streamed_reply_with_its_pieces_and_figures() -> None:
    deltas: list[Delta] = []
    reply = ask(Scripted("The answer is four.", chunks=3, reasoning="Two and two."), deltas=deltas)
    assert reply.text == "The answer is four."
    assert reply.reasoning == "Two and two."
    assert reply.finish_reason == "stop"
    assert reply.usage == Usage(prompt_tokens=5, completion_tokens=7, reasoning_tokens=3)
    assert [delta.text for delta in deltas] == ["", "The ans", "wer is ", "four."]
    assert [delta.reasoning for delta in deltas if delta.reasoning] == ["Two and two."]
    assert reply.cost_usd is None


def test_seconds_are_those_of_the_call() -> None:
    reply = ask(Scripted("one two", chunks=2, delay=0.05, pause=0.05))
    assert reply.first_token_seconds is not None
    assert 0.05 <= reply.first_token_seconds < reply.seconds
    assert 0.15 <= reply.seconds < 2.0


def test_what_is_sent() -> None:
    messages = (Message("system", "Be brief."), Message("user", "Привет, \ud83d!"))
    request = Request(
        "openai/gpt-4o", messages, temperature=0.7, max_tokens=50, grammar='root ::= "a"', logprobs=True
    )
    with ModelServer() as server:
        ask_endpoint(an_endpoint(server.base_url, key=f" {KEY}\n"), request, api_model="gpt-4o")
    sent = server.requests[0]
    assert sent.json == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Привет, �!"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.7,
        "max_tokens": 50,
        "grammar": 'root ::= "a"',
        "logprobs": True,
    }
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["content-type"] == "application/json"


def test_what_is_not_set_is_not_sent() -> None:
    with ModelServer() as server:
        ask_endpoint(an_endpoint(server.base_url))
    assert sorted(server.requests[0].json) == ["messages", "model", "stream", "stream_options"]
    assert server.requests[0].json["model"] == "test-model"
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("stream", [True, False])
def test_log_probabilities_of_every_token(stream: bool) -> None:
    scripted = Scripted(pieces=("fo", "ur"), logprobs=(-0.25, -1.5), stream=stream)
    assert ask(scripted, a_request(logprobs=True)).logprobs == (-0.25, -1.5)


@pytest.mark.parametrize("stream", [True, False])
def test_the_likeliest_first_tokens(stream: bool) -> None:
    scripted = Scripted(pieces=("A", "."), alternatives={"A": -0.1, " B": -2.5}, stream=stream)
    with ModelServer(lambda _: scripted) as server:
        reply = ask_endpoint(an_endpoint(server.base_url), a_request(alternatives=20))
    assert reply.alternatives == (("A", -0.1), (" B", -2.5))
    assert (server.requests[0].json["logprobs"], server.requests[0].json["top_logprobs"]) == (True, 20)


@pytest.mark.parametrize("stream", [True, False])
def test_a_watched_word_comes_with_what_was_likely_in_its_place(stream: bool) -> None:
    likely = {" (B": -0.1, "A": -2.5, "Well": -4.0}
    scripted = Scripted(pieces=("Not A, so", " (B", ")."), alternatives=likely, stream=stream)
    with ModelServer(lambda _: scripted) as server:
        reply = ask_endpoint(an_endpoint(server.base_url), a_request(alternatives=20, watched=("A", "B")))
    assert reply.watched == (("B", (("B", -0.1), ("A", -2.5))),)
    assert (reply.alternatives, reply.logprobs, reply.reports_alternatives) == ((), (), True)


def test_a_reply_that_must_be_json_is_asked_for_as_such() -> None:
    with ModelServer(lambda _: "{}") as server:
        ask_endpoint(an_endpoint(server.base_url), a_request(json=True))
    assert server.requests[0].json["response_format"] == {"type": "json_object"}


def test_a_server_that_does_not_stream() -> None:
    deltas: list[Delta] = []
    reply = ask(Scripted("<think>2 + 2</think>Four.", stream=False), deltas=deltas)
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("Four.", "2 + 2", "stop")
    assert deltas == [Delta("Four.", "2 + 2")]
    assert not reply.usage.estimated


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/chat/completions/", "/v1/chat/completions"),
        ("?api-version=1", "/v1/chat/completions?api-version=1"),
    ],
)
def test_base_urls_as_people_write_them(suffix: str, path: str) -> None:
    with ModelServer() as server:
        ask_endpoint(an_endpoint(server.base_url + suffix))
        assert server.requests[0].target == path


def test_a_login_in_the_base_url_is_used_when_there_is_no_key() -> None:
    with ModelServer() as server:
        url = server.base_url.replace("//", "//ann:pass@")
        ask_endpoint(an_endpoint(url))
        ask_endpoint(an_endpoint(url, key=KEY))
    assert [request.headers["authorization"] for request in server.requests] == [
        "Basic YW5uOnBhc3M=",
        f"Bearer {KEY}",
    ]


def test_usage_is_estimated_when_the_server_reports_none() -> None:
    request = a_request("x" * 9)
    assert ask(faults.no_usage(), request).usage == Usage(3, 10, estimated=True)
    counted = ask(
        Scripted("a b c", reasoning="d e", usage=False), request, count_tokens=lambda text: len(text.split())
    )
    assert counted.usage == Usage(1, 5, reasoning_tokens=2, estimated=True)


@pytest.mark.parametrize(
    ("reported", "usage"),
    [
        (
            {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}},
            Usage(3, 4, 0, 2),
        ),
        ({"prompt_tokens": 3, "completion_tokens": 4, "completion_tokens_details": None}, Usage(3, 4)),
        ({"prompt_tokens": 3, "completion_tokens": 4, "prompt_cache_hit_tokens": 1}, Usage(3, 4, 0, 1)),
        (
            {
                "prompt_tokens": 3,
                "completion_tokens": 4,
                "total_tokens": 12,
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(3, 9, 5),
        ),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(5, 1, estimated=True)),
        ({"prompt_tokens": "many", "completion_tokens": None}, Usage(5, 1, estimated=True)),
    ],
)
def test_usage_as_servers_report_it(reported: dict[str, object], usage: Usage) -> None:
    assert ask(Scripted("four", usage=reported)).usage == usage


def test_a_call_reuses_the_connection_of_the_one_before() -> None:
    async def talk(base_url: str) -> None:
        provider = OpenAICompatibleProvider(an_endpoint(base_url))
        for _ in range(5):
            await provider.complete(a_request(), ignore)
        await provider.aclose()

    with ModelServer() as server:
        asyncio.run(talk(server.base_url))
        assert server.connections_accepted == 1
        assert [request.outcome for request in server.requests] == ["completed"] * 5


def test_calls_run_side_by_side() -> None:
    async def talk(base_url: str) -> list[str]:
        provider = OpenAICompatibleProvider(
            Endpoint("test-model", base_url=base_url, limits=Limits(concurrency=4))
        )
        asked = (provider.complete(a_request(f"{n}"), ignore) for n in range(12))
        replies = await asyncio.gather(*asked)
        await provider.aclose()
        return [reply.text for reply in replies]

    with ModelServer(lambda request: request["messages"][0]["content"], delay=0.1) as server:
        assert asyncio.run(talk(server.base_url)) == [f"{n}" for n in range(12)]
        assert server.peak_open == 12


def test_closing_twice_and_closing_before_any_call() -> None:
    async def talk(base_url: str) -> None:
        provider = OpenAICompatibleProvider(an_endpoint(base_url))
        await provider.aclose()
        await provider.complete(a_request(), ignore)
        await provider.aclose()
        await provider.aclose()

    with ModelServer() as server:
        asyncio.run(talk(server.base_url))
        server.wait_until(lambda: not server.connections)


@pytest.mark.parametrize("ticks", [*range(0, 40, 3), 60, 100])
def test_a_call_can_be_cancelled_anywhere(ticks: int) -> None:
    async def talk(base_url: str) -> None:
        provider = OpenAICompatibleProvider(an_endpoint(base_url))
        call = asyncio.create_task(provider.complete(a_request(), ignore))
        for _ in range(ticks):
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert len(asyncio.all_tasks()) == 1
        assert (await provider.complete(a_request(), ignore)).text == "an answer"
        await provider.aclose()

    with ModelServer(lambda _: "an answer", delay=0.2) as server:
        asyncio.run(talk(server.base_url))
        server.wait_until(lambda: not server.connections)
    gc.collect()
    assert [request.outcome for request in server.requests][:-1] in ([], ["client_gone"])


def test_cancelling_while_pieces_arrive_hangs_up() -> None:
    async def talk(base_url: str) -> None:
        provider = OpenAICompatibleProvider(an_endpoint(base_url))
        arrived = asyncio.Event()
        call = asyncio.create_task(provider.complete(a_request(), lambda _: arrived.set()))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await provider.aclose()

    with ModelServer(lambda _: Scripted("word " * 50, chunks=50, pause=0.02)) as server:
        asyncio.run(talk(server.base_url))
        server.wait_until(lambda: server.requests[0].outcome == "client_gone")
    gc.collect()


def test_a_listener_that_raises_ends_the_call_with_its_own_error() -> None:
    def break_down(_: Delta) -> None:
        raise LookupError("mine")

    async def talk(base_url: str) -> None:
        provider = OpenAICompatibleProvider(an_endpoint(base_url))
        with pytest.raises(LookupError, match="mine"):
            await provider.complete(a_request(), break_down)
        assert (await provider.complete(a_request(), ignore)).text
        await provider.aclose()

    with ModelServer() as server:
        asyncio.run(talk(server.base_url))
    gc.collect()


def test_the_timeout_is_for_silence_and_not_for_the_call() -> None:
    assert ask(Scripted("word " * 10, chunks=10, pause=0.06), timeout=0.3).text == "word " * 10


def test_loopback_goes_past_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert ask("direct").text == "direct"
    with pytest.raises(UnavailableError, match="through the environment's proxy"):
        ask_endpoint(an_endpoint("http://model.example/v1"))


def test_other_hosts_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with ModelServer(lambda _: "by proxy") as server:
        monkeypatch.setenv("http_proxy", server.base_url.removesuffix("/v1"))
        assert ask_endpoint(an_endpoint("http://model.example/v1")).text == "by proxy"
    assert server.requests[0].target == "http://model.example/v1/chat/completions"


@pytest.mark.parametrize("proxy", ["gopher://user:hidden@host:1", "http://user:hidden@host:port"])
def test_a_proxy_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(BadRequestError, match="proxy") as caught:
        ask_endpoint(an_endpoint("http://model.example/v1"))
    assert "hidden" not in str(caught.value)


def test_a_server_that_dies_between_two_calls(tmp_path: Path) -> None:
    async def talk(server: ModelServerProcess) -> None:
        provider = OpenAICompatibleProvider(an_endpoint(server.base_url))
        await provider.complete(a_request(), ignore)
        server.stop()
        with pytest.raises(UnavailableError):
            await provider.complete(a_request(), ignore)
        await provider.aclose()

    with ModelServerProcess(tmp_path / "log") as server:
        asyncio.run(talk(server))
