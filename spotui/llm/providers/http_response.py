"""A response whose body is still to be read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from spotui.llm.http_bodies import BodyPieces

if TYPE_CHECKING:
    from aiohttp import ClientResponse


class HttpResponse:
    """What a server answered; its body is read at most once.

    Args:
        response: As aiohttp has it.
        seconds: How long the server may be silent while the body is read.

    Attributes:
        status_code: The HTTP status.
        headers: By name, in any case.
    """

    def __init__(self, response: "ClientResponse", seconds: float) -> None:
        self.status_code = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._seconds = seconds

    @property
    def is_success(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status_code < 300

    def aiter_bytes(self) -> BodyPieces:
        """The body in the pieces it comes in."""
        return BodyPieces(self._response, self._seconds)

    async def aread(self) -> bytes:
        """The whole body."""
        return b"".join([piece async for piece in self.aiter_bytes()])
