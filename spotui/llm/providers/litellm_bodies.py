"""Bounds the bodies that litellm reads: its HTTP client, httpx, takes whatever a server sends.

litellm builds its clients in a dozen places, so the limit is set where all of them read. It holds for the
calls of spotui alone: a program that embeds spotui may use httpx for other things.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from spotui.llm.providers.reply_size import LONGEST_BODY, LONGEST_REPLY

_is_ours: Final[ContextVar[bool]] = ContextVar("spotui_bounded_bodies", default=False)
_STREAMS: Final = ("event-stream", "eventstream", "ndjson")


class OversizedBodyError(Exception):
    """A body is longer than a reply may be."""


@contextmanager
def bounded_bodies() -> Iterator[None]:
    """Bound every body that is read in this block, and in tasks that it starts."""
    token = _is_ours.set(True)
    try:
        yield
    finally:
        _is_ours.reset(token)


def bound_httpx() -> None:
    """Let httpx heed `bounded_bodies`; safe to call twice."""
    import httpx

    read = httpx.Response.aiter_bytes
    if read.__module__ == __name__:
        return

    async def aiter_bytes(self: httpx.Response, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        pieces = read(self, chunk_size)
        async for piece in _bounded(self, pieces) if _is_ours.get() else pieces:
            yield piece

    vars_of: Any = httpx.Response
    vars_of.aiter_bytes = aiter_bytes


async def _bounded(response: Any, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a body, as long as neither it nor one of its lines is too long."""
    content_type = response.headers.get("Content-Type", "")
    most = LONGEST_BODY if any(name in content_type for name in _STREAMS) else LONGEST_REPLY
    body = line = 0
    async for piece in pieces:
        body += len(piece)
        end = piece.rfind(b"\n")
        line = line + len(piece) if end < 0 else len(piece) - end - 1
        if body > most or line > LONGEST_REPLY:
            await response.aclose()
            raise OversizedBodyError
        yield piece
