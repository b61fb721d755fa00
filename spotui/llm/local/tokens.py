"""A text as the tokens a model itself would split it into, from its own server."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from spotui.llm.local.forced import literal
from spotui.llm.providers.faults.http_errors import fault_error
from spotui.llm.providers.faults.server_fault import read_fault

if TYPE_CHECKING:
    from spotui.llm.providers.http_pool import HttpPool


class _Token(msgspec.Struct, frozen=True):
    """A token of the server's; its piece is a list of bytes when it is not whole characters."""

    id: int
    piece: str | list[int]

    @property
    def is_whole(self) -> bool:
        return isinstance(self.piece, str)

    @property
    def bytes(self) -> bytes:
        return self.piece.encode() if isinstance(self.piece, str) else bytes(self.piece)


class _Tokens(msgspec.Struct, frozen=True):
    tokens: list[_Token]


async def token_grammar(root: "HttpPool", text: str) -> str | None:
    """A GBNF grammar that allows only this text, split into tokens as the model would split it.

    A grammar of characters leaves the split to the model: it then takes the most likely token that fits,
    which for an answer the model finds unlikely is often a single letter, and the log-probabilities are those
    of an odd spelling rather than of the answer.

    Args:
        root: Reaches the server's root.
        text: What must be written.

    Returns:
        The grammar, or None when the model's tokens do not spell the text exactly.

    Raises:
        ModelError: The server cannot be reached or refuses.
    """
    if not text:
        return None
    question = {"content": text, "add_special": False, "parse_special": False, "with_pieces": True}
    async with root.send("POST", "/tokenize", msgspec.json.encode(question)) as response:
        body = await response.aread()
        if not response.is_success:
            raise fault_error(root.place, read_fault(response.status_code, response.headers, body))
    tokens = msgspec.json.decode(body, type=_Tokens).tokens
    if b"".join(token.bytes for token in tokens) != text.encode():
        return None
    parts = [_part(whole, list(run)) for whole, run in groupby(tokens, lambda token: token.is_whole)]
    return None if None in parts else "root ::= " + " ".join(filter(None, parts))


def _part(whole: bool, run: Sequence[_Token]) -> str | None:
    """A run of tokens in the grammar.

    The runtime fails at a token that is a piece of a character, so those stand there as the characters that
    they make up together: an emoji, say. Between bytes of one character there is no other split to prefer.
    """
    if whole:
        return " ".join(f"<[{token.id}]>" for token in run)
    try:
        return literal(b"".join(token.bytes for token in run).decode())
    except UnicodeDecodeError:
        return None
