"""The bodies of requests for chat completions and embeddings."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import msgspec

from spotui.domain.text import whole_text
from spotui.llm import protocol as vectors
from spotui.llm.providers.chat.usage import read_cost, read_usage
from spotui.workspace.journal_reader import Request, Usage


class Embedding(msgspec.Struct, frozen=True):
    """What an endpoint said.

    Attributes:
        vector: Packed.
        usage: As the endpoint reported it, or None.
        cost_usd: The cost the endpoint reported, or None.
    """

    vector: str
    usage: Usage | None
    cost_usd: float | None = None


def request_body(request: Request, model: str, refused: AbstractSet[str]) -> dict[str, object]:
    """The JSON object of a chat completion.

    Args:
        request: What to ask.
        model: The model id the endpoint knows.
        refused: Parameters the endpoint has refused before; they are left out or renamed.
    """
    messages = [{"role": m.role, "content": whole_text(m.content)} for m in request.messages]
    body: dict[str, object] = {"model": model, "messages": messages}
    if "stream" not in refused:
        body["stream"] = True
        if "stream_options" not in refused:
            body["stream_options"] = {"include_usage": True}
    if request.temperature is not None and "temperature" not in refused:
        body["temperature"] = request.temperature
    limit = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
    if request.max_tokens is not None and limit not in refused:
        body[limit] = request.max_tokens
    if request.grammar is not None:
        body["grammar"] = request.grammar
    if (request.logprobs or request.alternatives) and "logprobs" not in refused:
        body["logprobs"] = True
        if request.alternatives and "top_logprobs" not in refused:
            body["top_logprobs"] = request.alternatives
    if request.json and "response_format" not in refused:
        body["response_format"] = {"type": "json_object"}
    return body


def embedded_text(request: Request) -> str:
    """The text whose embedding a request asks for."""
    return whole_text(request.messages[-1].content)


def embedding_body(request: Request, model: str) -> dict[str, object]:
    """The JSON object that asks for an embedding.

    Args:
        request: What to embed.
        model: The model id the endpoint knows.
    """
    return {"model": model, "input": embedded_text(request)}


def read_embedding(payload: object) -> Embedding | None:
    """The embedding in a reply, as numbers or in base64; None when there is none."""
    if not isinstance(payload, Mapping):
        return None
    rows = payload.get("data")
    first = rows[0] if isinstance(rows, list) and rows else None
    told = first.get("embedding") if isinstance(first, Mapping) else None
    try:
        if isinstance(told, str):
            vector = vectors.pack(vectors.unpack(told))
        elif isinstance(told, list):
            vector = vectors.pack(told)
        else:
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return Embedding(vector, read_usage(payload.get("usage")), read_cost(payload.get("usage")))
