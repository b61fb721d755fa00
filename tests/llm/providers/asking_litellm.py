"""Asks a model through litellm once, the way every test of it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from spotui.domain.calls import Reply, Request
from spotui.domain.messages import Message
from spotui.domain.secret import Secret
from spotui.llm.protocol import Delta
from spotui.llm.providers.litellm_provider import LitellmProvider
from spotui.llm.routing import Endpoint
from tests.model_server import ModelServer, Scripted, faults

KEY = "sk-very-secret-0123456789"
MODEL = "openai/gpt-4o"
SAID = "a scripted answer of seven words here"

# litellm ignores these warnings of its own as it is imported; pytest forgets that after the test in which it
# happens.
QUIETLY = pytest.mark.filterwarnings("ignore:Accessing the .* attribute on the instance is deprecated")


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
