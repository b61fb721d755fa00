"""The embeddings wire without the network: a request's body, and the vector in a reply."""

from collections.abc import Mapping

import msgspec

from spotui.llm import vectors
from spotui.llm.protocol import Request, Usage
from spotui.llm.providers.chat.usage import read_cost, read_usage
from spotui.workspace.whole_text import whole_text


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
