"""The stand-in for the paid model is itself held to what tests believe of it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.model_server import (
    ModelServer,
    ModelServerProcess,
    Persona,
    faults,
    hashed_reply,
    read_log,
)


def body(text: str = "Hi", **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **fields}


def post(base_url: str, request: dict[str, Any], **options: Any) -> httpx.Response:
    return httpx.post(f"{base_url}/chat/completions", json=request, trust_env=False, **options)


def content(response: httpx.Response) -> str:
    text = response.json()["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


def test_it_starts_in_a_moment_and_leaves_nothing_behind() -> None:
    began = time.perf_counter()
    with ModelServer() as server:
        started = time.perf_counter()
        post(server.base_url, body())
    assert started - began < 0.5
    with pytest.raises(httpx.ConnectError):
        post(server.base_url, body())


def test_the_default_reply_depends_on_the_messages_alone() -> None:
    with ModelServer() as server:
        replies = [content(post(server.base_url, body(text))) for text in ("a", "b", "a")]
        warm = content(post(server.base_url, body("a", temperature=1)))
    assert replies[0] == replies[2] == warm == hashed_reply(body("a"))
    assert replies[0] != replies[1]


def test_a_stream_has_as_many_pieces_as_asked() -> None:
    with ModelServer(lambda _: "abcdefgh", chunks=4) as server:
        stream = post(server.base_url, body(stream=True, stream_options={"include_usage": True})).text
    events = [line.removeprefix("data: ") for line in stream.splitlines() if line]
    assert events.pop() == "[DONE]"
    chunks = [json.loads(event) for event in events]
    pieces = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
    assert pieces == ["", "ab", "cd", "ef", "gh", None]
    assert chunks[-1]["usage"] == {
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "total_tokens": 2,
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def test_requests_are_recorded_with_how_they_ended() -> None:
    plan = {2: faults.reset(), 3: faults.hang(), 4: faults.status(500)}
    with ModelServer(faults=plan) as server:
        post(server.base_url, body("first"), headers={"X-Mark": "7"})
        with pytest.raises(httpx.ReadError):
            post(server.base_url, body())
        with pytest.raises(httpx.ReadTimeout):
            post(server.base_url, body(), timeout=0.1)
        assert post(server.base_url, body()).status_code == 500
        server.wait_until(lambda: all(request.ended_at for request in server.requests))
    assert [request.outcome for request in server.requests] == [
        "completed",
        "broken",
        "client_gone",
        "completed",
    ]
    assert [request.status for request in server.requests] == [200, 0, 0, 500]
    first = server.requests[0]
    assert (first.number, first.json, first.headers["x-mark"]) == (1, body("first"), "7")
    assert first.ended_at is not None
    assert first.received_at <= first.ended_at


def test_a_client_that_stops_reading_has_not_been_sent_the_reply() -> None:
    with ModelServer(lambda _: "x" * 30_000_000) as server:
        with (
            httpx.Client(trust_env=False) as client,
            client.stream("POST", f"{server.base_url}/chat/completions", json=body()),
        ):
            time.sleep(0.05)
            assert server.requests[0].outcome == "open"
        server.wait_until(lambda: server.requests[0].outcome == "client_gone")


def test_faults_by_predicate_and_a_number_of_times() -> None:
    plan = faults.when(lambda request: request["model"] == "bad", faults.status(503), times=2)
    with ModelServer(faults=plan) as server:
        asked = [
            post(server.base_url, body() | {"model": model}).status_code for model in ("good", *["bad"] * 3)
        ]
    assert asked == [200, 503, 503, 200]


def test_delay_and_pause() -> None:
    with ModelServer(lambda _: "abc", delay=0.05, pause=0.03, chunks=3) as server:
        began = time.perf_counter()
        post(server.base_url, body(stream=True))
        assert time.perf_counter() - began >= 0.05 + 4 * 0.03


def test_an_error_in_the_reply_function_fails_the_test() -> None:
    def broken(_: dict[str, Any]) -> str:
        raise LookupError("mine")

    with (
        pytest.raises(LookupError, match="mine"),
        ModelServer(broken) as server,
        pytest.raises(httpx.HTTPError),
    ):
        post(server.base_url, body())


def test_keys_and_unknown_paths_are_refused_and_not_recorded() -> None:
    with ModelServer(api_key="right") as server:
        assert post(server.base_url, body()).status_code == 401
        key = {"Authorization": "Bearer right"}
        assert post(server.base_url, body(), headers=key).status_code == 200
        assert httpx.get(f"{server.base_url}/nowhere", headers=key, trust_env=False).status_code == 404
        assert len(server.requests) == 1


def test_the_persona_plays_every_part() -> None:
    persona = Persona(lambda request: request["messages"][0]["content"], execute=lambda _: "my own answer")
    with ModelServer(persona) as server:
        parts = {part: post(server.base_url, body(part)) for part in ("propose", "judge", "execute")}
        forced = post(
            server.base_url, body("likelihood", logprobs=True, grammar='root ::= "four \\"4\\" ok"')
        ).json()
        again = content(post(server.base_url, body("judge")))
    assert "<prompt>Solve" in content(parts["propose"])
    assert content(parts["judge"]) == again
    assert again.endswith(("<choose>A</choose>", "<choose>B</choose>"))
    assert content(parts["execute"]) == "my own answer"
    choice = forced["choices"][0]
    assert choice["message"]["content"] == 'four "4" ok'
    assert [token["token"] for token in choice["logprobs"]["content"]] == ["four ", '"4" ', "ok"]
    assert all(token["logprob"] <= 0 for token in choice["logprobs"]["content"])


def test_its_log_survives_a_client_that_is_killed(tmp_path: Path) -> None:
    with ModelServerProcess(tmp_path / "log", "--delay", "0.3") as server:
        script = "import httpx, sys; httpx.post(sys.argv[1], json={'messages': []}, trust_env=False)"
        client = subprocess.Popen([sys.executable, "-c", script, f"{server.base_url}/chat/completions"])
        deadline = time.monotonic() + 10
        while not server.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [request.outcome for request in server.requests] == ["open"]
        client.send_signal(signal.SIGKILL)
        client.wait()
        post(server.base_url, body("after"))
        assert [request.outcome for request in server.requests] == ["client_gone", "completed"]
        assert server.requests[1].json == body("after")
    assert len(read_log(tmp_path / "log")) == 2
