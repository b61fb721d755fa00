"""Connections to one endpoint: the key goes into its header and nowhere else."""

import asyncio
import logging
import subprocess
import sys

import pytest

from spotui.llm.protocol import AuthenticationError
from spotui.llm.providers.http import HttpPool
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from tests.llm.providers.asking import KEY, a_request, an_endpoint, ask_endpoint
from tests.model_server import ModelServer, faults


def test_no_log_record_of_any_level_holds_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ModelServer(api_key=KEY, faults={2: faults.status(401, f"Bad key {KEY}")}) as server:
        endpoint = an_endpoint(server.base_url, key=KEY)
        assert ask_endpoint(endpoint).text
        with pytest.raises(AuthenticationError):
            ask_endpoint(endpoint)
    assert any(record.name == "asyncio" for record in caplog.records)
    sent = [record for record in caplog.records if "response" not in record.getMessage()]
    assert not any(KEY in record.getMessage() for record in sent)


_ASK = """
import asyncio, sys
from spotui.llm.routing import Endpoint
from spotui.llm.protocol import ModelError
from spotui.domain.messages import Message
from spotui.domain.calls import Request
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider

async def main():
    provider = OpenAICompatibleProvider(Endpoint("m", sys.argv[1], timeout=5.0))
    for text in ("fine", "broken", "cut"):
        try:
            await provider.complete(Request("m", (Message("user", text),)), lambda delta: None)
        except ModelError:
            pass
    await provider.aclose()

asyncio.run(main())
assert "litellm" not in sys.modules and "textual" not in sys.modules and "tiktoken" not in sys.modules
"""


def test_nothing_is_printed_whatever_happens() -> None:
    plan = {2: faults.status(500), 3: faults.truncated(frames=3)}
    with ModelServer(faults=plan) as server:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", _ASK, server.base_url],
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert len(server.requests) == 3


def test_a_key_from_a_file_may_end_in_a_newline() -> None:
    with ModelServer(api_key=KEY) as server:
        assert ask_endpoint(an_endpoint(server.base_url, key=f"{KEY}\n")).text


def test_a_key_is_neither_in_the_body_nor_in_the_address() -> None:
    with ModelServer(api_key=KEY) as server:
        ask_endpoint(an_endpoint(server.base_url, key=KEY), a_request())
        [request] = server.requests
    assert KEY not in str(request.json)
    assert KEY not in request.target
    assert [name for name, value in request.headers.items() if KEY in value] == ["authorization"]


def test_a_pool_opens_again_after_it_was_closed() -> None:
    async def main(base_url: str) -> None:
        pool = HttpPool(an_endpoint(base_url))
        for _ in range(2):
            async with pool.send("GET", "/models") as response:
                assert response.status_code == 200
                await response.aread()
            await pool.aclose()
            await pool.aclose()

    with ModelServer() as server:
        asyncio.run(main(server.base_url))
        server.wait_until(lambda: not server.connections)
        assert server.connections_accepted == 2


def test_leaving_before_the_end_of_a_reply_hangs_up() -> None:
    async def main(base_url: str) -> None:
        pool = HttpPool(an_endpoint(base_url))
        async with pool.send("POST", "/chat/completions", b'{"messages": [], "stream": true}') as response:
            async for _ in response.aiter_bytes():
                break
        await pool.aclose()

    with ModelServer(faults={1: faults.hang(frames=3)}) as server:
        asyncio.run(main(server.base_url))
        server.wait_until(lambda: server.requests[0].outcome == "client_gone")


def test_calls_one_after_the_other_share_connections_and_calls_at_once_have_their_own() -> None:
    async def ask(base_url: str) -> None:
        provider = OpenAICompatibleProvider(an_endpoint(base_url))
        for _ in range(3):
            await asyncio.gather(*(provider.complete(a_request(), lambda _: None) for _ in range(6)))
        await provider.aclose()

    with ModelServer(delay=0.02) as server:
        asyncio.run(ask(server.base_url))
        assert len(server.requests) == 18
        assert server.connections_accepted == 6
        server.wait_until(lambda: not server.connections)
