"""The embedding of a text, from every kind of endpoint that has them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.messages import Message
from spotui.llm.protocol import (
    AuthenticationError,
    BadRequestError,
    ContextOverflowError,
    Delta,
    MalformedReplyError,
    ModelError,
    UnavailableError,
    cosine,
    pack,
    unpack,
)
from spotui.llm.providers.embedded import EmbeddedProvider
from spotui.llm.providers.playback import ScriptedProvider
from tests.llm.local.tiny_model import REPLY
from tests.llm.providers.asking import KEY, an_endpoint, ask_endpoint
from tests.llm.providers.asking_litellm import QUIETLY, ask_at
from tests.llm.providers.test_embedded import MODEL, a_store
from tests.model_server import ModelServer, faults
from tests.model_server.embedding import bag_of_words

TEXT = "Count the objects."


def ignore(_: Delta) -> None:
    """Listen to nothing."""


def asking(text: str = TEXT, model: str = "test-model") -> Request:
    return Request(model=model, messages=(Message("user", text),), embed=True)


def answering(body: Any, status: int = 200) -> Reply:
    """One call to a server that answers with this body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with ModelServer(faults={1: faults.raw(status, raw)}) as server:
        return ask_endpoint(an_endpoint(server.base_url), asking())


def test_an_embedding_is_asked_for_where_they_are() -> None:
    with ModelServer(api_key=KEY) as server:
        reply = ask_endpoint(an_endpoint(server.base_url, key=KEY), asking())
        [request] = server.requests
    assert (request.target, request.json) == ("/v1/embeddings", {"model": "test-model", "input": TEXT})
    assert list(unpack(reply.vector)) == bag_of_words(TEXT)
    assert (reply.text, reply.usage) == ("", Usage(3, 0))


def test_an_embedding_costs_what_the_endpoint_reports() -> None:
    usage = {"prompt_tokens": 3, "total_tokens": 3, "cost": 0.0001}
    assert answering({"data": [{"embedding": [1.0, 0.5]}], "usage": usage}).cost_usd == 0.0001


def test_base64_is_taken_and_usage_is_estimated_where_none_is_told() -> None:
    reply = answering({"data": [{"embedding": pack([0.5, -1.0])}]})
    assert list(unpack(reply.vector)) == [0.5, -1.0]
    assert reply.usage == Usage(5, 0, estimated=True)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        [],
        {},
        {"data": []},
        {"data": [{}]},
        {"data": [{"embedding": []}]},
        {"data": [{"embedding": ["a"]}]},
        {"data": [{"embedding": [[0.1]]}]},
        {"data": [{"embedding": "###"}]},
        {"data": [{"embedding": [1e300]}]},
        b'{"data": [{"embedding": [NaN]}]}',
    ],
)
def test_what_holds_no_vector_is_no_embedding(body: Any) -> None:
    with pytest.raises(MalformedReplyError, match="other than an embedding"):
        answering(body)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"error": {"message": "no such model"}}, 404, BadRequestError),
        ({"error": {"message": "This server does not support embeddings."}}, 501, ModelError),
        ({"error": {"message": "input (1201 tokens) is too large to process."}}, 500, ContextOverflowError),
        ({"error": {"message": "out of luck"}}, 200, ModelError),
    ],
)
def test_a_refusal_is_named(body: Any, status: int, kind: type[ModelError]) -> None:
    with pytest.raises(kind):
        answering(body, status)


@QUIETLY
def test_litellm_asks_for_embeddings_and_knows_their_price() -> None:
    with ModelServer() as server:
        reply = ask_at(server.base_url, asking(model="openai/text-embedding-3-small"))
        [request] = server.requests
    assert (request.target, request.json["input"]) == ("/v1/embeddings", [TEXT])
    assert list(unpack(reply.vector)) == bag_of_words(TEXT)
    assert reply.usage == Usage(3, 0)
    assert reply.cost_usd == pytest.approx(3 * 2e-8)


@QUIETLY
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (faults.status(404), BadRequestError),
        (faults.status(401), AuthenticationError),
        (faults.status(503), UnavailableError),
        (faults.raw(200, b'{"data": []}'), ModelError),
    ],
)
def test_what_goes_wrong_behind_litellm_is_named(fault: faults.Fault, kind: type[ModelError]) -> None:
    with ModelServer(faults={1: fault}) as server, pytest.raises(kind):
        ask_at(server.base_url, asking(model="openai/text-embedding-3-small"))


def test_an_embedded_model_has_a_server_of_its_own_for_them(tmp_path: Path) -> None:
    store = a_store(tmp_path)

    async def main() -> None:
        provider = EmbeddedProvider(MODEL, store, tmp_path / "model.log", slots=1)
        try:
            one, other = [
                await provider.complete(asking(text, MODEL), ignore) for text in ("hello", "hello a")
            ]
            assert len(unpack(one.vector)) == len(unpack(other.vector)) > 1
            assert cosine(unpack(one.vector), unpack(one.vector)) == pytest.approx(1)
            assert (one.cost_usd, one.usage.completion_tokens) == (0.0, 0)
            said = await provider.complete(
                Request(MODEL, (Message("user", "hello"),), temperature=0.0), ignore
            )
            assert (said.text, said.vector) == (REPLY, "")
            with pytest.raises(ContextOverflowError):
                await provider.complete(asking("a" * 9000, MODEL), ignore)
        finally:
            await provider.aclose()

    asyncio.run(main())


def test_a_script_has_none(tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- replies: [one]\n")
    with pytest.raises(BadRequestError, match="no embeddings"):
        asyncio.run(ScriptedProvider(script).complete(asking(), lambda _: None))
