"""Bytes over one connection, without a turn of the event loop between a write and the socket."""

import asyncio
import socket
from typing import TYPE_CHECKING, Final, Self, cast

from aiohappyeyeballs import start_connection

if TYPE_CHECKING:
    from ssl import SSLContext

_MUCH: Final = 256 * 1024
"""Bytes nobody has read, from which on no more are taken from the socket."""

_NEXT_ADDRESS_SECONDS: Final = 0.25
"""How long one of a host's addresses may take before the next is tried beside it (RFC 8305)."""


class SocketStream(asyncio.Protocol):
    """A connection to a server; made by `connect`.

    What asyncio's own streams do, and two things they cannot: tell whether anything has come while nobody
    read, and stop waiting for a reader to drain what was never written.
    """

    def __init__(self) -> None:
        self._received = bytearray()
        self._ended = False
        self._failure: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._is_full = False
        self._is_lost = False

    @classmethod
    async def connect(cls, host: str, port: int, tls: "SSLContext | None") -> Self:
        """Open a connection.

        Args:
            host: A name or an address.
            port: Of the server.
            tls: How to speak TLS, or None to speak none.

        Raises:
            OSError: It cannot be opened; TLS that fails is one, too.
        """
        loop = asyncio.get_running_loop()
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        # asyncio's own race between addresses leaves its runners behind when it is cancelled, before 3.12.
        connection = await start_connection(addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _, stream = await loop.create_connection(
                cls, sock=connection, ssl=tls, server_hostname=host if tls else None
            )
        except BaseException:
            connection.close()
            raise
        return stream

    @property
    def is_quiet(self) -> bool:
        """Whether the connection is open and nothing has come that nobody asked for."""
        return not (self._received or self._ended or self._transport.is_closing())

    async def write(self, data: bytes) -> None:
        """Send bytes, waiting only while more is on its way than the system takes.

        A connection that breaks meanwhile is not an error here: the server may have answered before.
        """
        self._transport.write(data)
        while self._is_full and not self._ended:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    async def read(self) -> bytes:
        """What has come since the last time; an empty text at the end.

        Raises:
            OSError: The connection broke.
        """
        while not (self._received or self._ended):
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        if self._received:
            data = bytes(self._received)
            self._received.clear()
            if not self._is_lost:
                self._transport.resume_reading()
            return data
        if self._failure is not None:
            raise self._failure
        return b""

    def close(self) -> None:
        """Hang up at once; safe to call twice."""
        if not self._is_lost:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._received += data
        if len(self._received) >= _MUCH:
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        """Called by the event loop."""
        self._ended = True
        _wake(self._reader)
        _wake(self._writer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._failure = exc
        self._is_lost = True
        self.eof_received()

    def pause_writing(self) -> None:
        """Called by the event loop."""
        self._is_full = True

    def resume_writing(self) -> None:
        """Called by the event loop."""
        self._is_full = False
        _wake(self._writer)


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)
