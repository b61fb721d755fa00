"""Asks a provider once, the way every test here does."""

import asyncio
from typing import Any

from spotui.domain.calls import Reply, Request
from spotui.domain.messages import Message
from spotui.domain.secret import Secret
from spotui.llm.protocol import Delta
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from spotui.llm.routing import Endpoint
from tests.model_server import ModelServer, Scripted
from tests.model_server.faults import Fault

KEY = "sk-very-secret-0123456789"
SAID = "a scripted answer of seven words here"


def a_request(text: str = "What is two and two?", **fields: Any) -> Request:
    return Request("test-model", (Message("user", text),), **fields)


def an_endpoint(base_url: str | None, *, key: str | None = None, timeout: float = 5.0) -> Endpoint:
    return Endpoint(
        "test-model", base_url=base_url, api_key=None if key is None else Secret(key), timeout=timeout
    )


def ask_endpoint(
    endpoint: Endpoint, request: Request | None = None, *, deltas: list[Delta] | None = None, **options: Any
) -> Reply:
    """One call by a provider of its own."""

    async def once() -> Reply:
        provider = OpenAICompatibleProvider(endpoint, **options)
        try:
            return await provider.complete(
                request or a_request(), (deltas if deltas is not None else []).append
            )
        finally:
            await provider.aclose()

    return asyncio.run(once())


def ask(
    answer: str | Scripted | Fault,
    request: Request | None = None,
    *,
    key: str | None = None,
    timeout: float = 5.0,
    deltas: list[Delta] | None = None,
    **options: Any,
) -> Reply:
    """One call to a server that gives this answer, or goes wrong in this way."""
    said = answer if isinstance(answer, (str, Scripted)) else SAID
    fault = None if isinstance(answer, (str, Scripted)) else answer
    with ModelServer(lambda _: said, faults=lambda *_: fault) as server:
        return ask_endpoint(
            an_endpoint(server.base_url, key=key, timeout=timeout), request, deltas=deltas, **options
        )
