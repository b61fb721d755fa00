"""Bodies that neither stand still nor grow for ever: aiohttp alone waits for a server, and takes all."""

import asyncio
from collections.abc import Mapping
from io import BytesIO
from typing import Self

from aiohttp import BytesIOPayload, ClientResponse, SocketTimeoutError
from aiohttp.abc import AbstractStreamWriter

from spotui.llm.providers.faults.http_errors import Target
from spotui.llm.providers.http import check_size

_PIECE = 64 * 1024


class RequestBody(BytesIOPayload):
    """A body to send; aiohttp has no limit for a server that does not take it.

    Args:
        content: The body.
        seconds: How long the server may take none of it.
        content_type: What it is.
    """

    def __init__(self, content: bytes, seconds: float, content_type: str = "application/json") -> None:
        super().__init__(BytesIO(content), content_type=content_type)
        self._content = memoryview(content)
        self._seconds = seconds

    async def write_with_length(
        self,
        writer: AbstractStreamWriter,
        content_length: int | None,  # noqa: ARG002 - aiohttp's own, and that of the whole
    ) -> None:
        """Send it; see aiohttp."""
        for start in range(0, len(self._content), _PIECE):
            try:
                async with asyncio.timeout(self._seconds):
                    await writer.write(bytes(self._content[start : start + _PIECE]))
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


class HttpResponse:
    """A response whose body is still to be read, at most once.

    Args:
        response: As aiohttp has it.
        seconds: How long the server may be silent while the body is read.
        target: Where it comes from, for the errors.

    Attributes:
        status_code: The HTTP status.
        headers: By name, in any case.
    """

    def __init__(self, response: ClientResponse, seconds: float, target: Target) -> None:
        self.status_code = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._seconds = seconds
        self._target = target

    @property
    def is_success(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status_code < 300

    def aiter_bytes(self) -> BodyPieces:
        """The body in the pieces it comes in."""
        return BodyPieces(self._response, self._seconds)

    async def aread(self) -> bytes:
        """The whole body.

        Raises:
            OversizedReplyError: It is too long to be kept.
        """
        body = bytearray()
        async for piece in self.aiter_bytes():
            body += piece
            check_size(len(body), self._target)
        return bytes(body)
