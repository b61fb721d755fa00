"""Bodies that may not stand still: aiohttp alone may wait for ever for a server to take or send more."""

import asyncio
from io import BytesIO
from typing import Self

from aiohttp import BytesIOPayload, ClientResponse, SocketTimeoutError
from aiohttp.abc import AbstractStreamWriter


class RequestBody(BytesIOPayload):
    """JSON to send; aiohttp has no limit for a server that does not take it.

    Args:
        content: The JSON.
        seconds: How long the server may take to take it.
    """

    def __init__(self, content: bytes, seconds: float) -> None:
        super().__init__(BytesIO(content), content_type="application/json")
        self._seconds = seconds

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Send it; see aiohttp."""
        try:
            async with asyncio.timeout(self._seconds):
                await super().write_with_length(writer, content_length)
        except TimeoutError:
            raise SocketTimeoutError from None


class BodyPieces:
    """The body of a response in the pieces it comes in.

    After a chunk whose size is none, aiohttp takes its own limit back and waits on.

    Args:
        response: Whose body.
        seconds: How long the server may be silent.
    """

    def __init__(self, response: ClientResponse, seconds: float) -> None:
        self._content = response.content
        self._seconds = seconds

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                piece = await self._content.readany()
        except TimeoutError:
            raise SocketTimeoutError from None
        if not piece:
            raise StopAsyncIteration
        return piece
