"""A response whose body is still to be read."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from spotui.llm.http_bodies import BodyPieces
from spotui.llm.providers.faults.place import Place
from spotui.llm.providers.reply_size import check_size

if TYPE_CHECKING:
    from aiohttp import ClientResponse


class HttpResponse:
    """What a server answered; its body is read at most once.

    Args:
        response: As aiohttp has it.
        seconds: How long the server may be silent while the body is read.
        place: Where it comes from, for the errors.

    Attributes:
        status_code: The HTTP status.
        headers: By name, in any case.
    """

    def __init__(self, response: "ClientResponse", seconds: float, place: Place) -> None:
        self.status_code = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._seconds = seconds
        self._place = place

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
            check_size(len(body), self._place)
        return bytes(body)
