"""A text as the tokens a model itself would split it into, from its own server."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


async def token_grammar(client: "httpx.AsyncClient", text: str) -> str | None:
    """A GBNF grammar that allows only this text, split into tokens as the model would split it.

    A grammar of characters leaves the split to the model: it then takes the most likely token that fits,
    which for an answer the model finds unlikely is often a single letter, and the log-probabilities are those
    of an odd spelling rather than of the answer.

    Args:
        client: Reaches the server's root.
        text: What must be written.

    Returns:
        The grammar, or None when the model's tokens do not spell the text exactly.

    Raises:
        httpx.HTTPError: The server cannot be reached or refuses.
    """
    if not text:
        return None
    question = {"content": text, "add_special": False, "parse_special": False, "with_pieces": True}
    response = await client.post("/tokenize", json=question)
    response.raise_for_status()
    tokens = response.json()["tokens"]
    if b"".join(_bytes(token) for token in tokens) != text.encode():
        return None
    return "root ::= " + " ".join(f"<[{token['id']}]>" for token in tokens)


def _bytes(token: Mapping[str, object]) -> bytes:
    """A token's piece is text, or a list of bytes when it is not whole characters."""
    piece = token["piece"]
    if isinstance(piece, str):
        return piece.encode()
    return bytes(piece) if isinstance(piece, Sequence) else b""
