"""litellm is a guest in the process: late, quiet, and gone without a trace."""

import asyncio
import os
import subprocess
import sys
import time
from typing import Any

import pytest

from spotui.llm.protocol import Delta
from tests.llm.providers.asking_litellm import QUIETLY, SAID, a_provider, a_request
from tests.model_server import ModelServer, faults

pytestmark = [pytest.mark.usefixtures("litellm", "no_keys"), QUIETLY]


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
    assert taken < 3
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


_QUIET = """
import asyncio, logging, os, sys, time
import spotui.llm.providers.litellm_provider as module
from spotui.llm.routing import Endpoint
from spotui.domain.secret import Secret
from spotui.llm.protocol import ModelError
from spotui.domain.messages import Message
from spotui.domain.calls import Request

assert "litellm" not in sys.modules and "tiktoken" not in sys.modules
stalls = []

async def watch():
    while True:
        began = time.thread_time()  # of this thread alone: how busy the machine is does not count
        await asyncio.sleep(0.005)
        stalls.append(time.thread_time() - began)

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
assert max(stalls) < 0.5, max(stalls)
logging.getLogger("LiteLLM").warning("a warning of its own")
"""


def test_it_is_quiet_and_late_and_keeps_the_event_loop_free() -> None:
    def plan(_: int, request: dict[str, Any]) -> faults.Fault | None:
        text = request["messages"][0]["content"]
        return {"break": faults.status(500), "no usage": faults.no_usage()}.get(text)

    with ModelServer(lambda _: SAID, faults=plan) as server:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", _QUIET, server.base_url],
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
            env={**os.environ, "TIKTOKEN_CACHE_DIR": "/kept"},
        )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
