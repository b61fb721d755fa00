"""An embedding that can be told beforehand: how often each word of a text occurs, by its hash."""

import json
from hashlib import sha256

from tests.model_server.scripted import JsonObject, Scripted

DIMENSIONS = 64


def bag_of_words(text: str) -> list[float]:
    """The vector of a text; texts that share words point the same way."""
    vector = [0.0] * DIMENSIONS
    for word in text.casefold().split():
        vector[sha256(word.encode()).digest()[0] % DIMENSIONS] += 1.0
    return vector


def embedded(request: JsonObject) -> Scripted:
    """The reply to a request for embeddings."""
    texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
    rows = [
        {"object": "embedding", "index": n, "embedding": bag_of_words(text)} for n, text in enumerate(texts)
    ]
    tokens = sum(len(text.split()) for text in texts)
    body = {
        "object": "list",
        "model": request["model"],
        "data": rows,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return Scripted(body=json.dumps(body).encode())
