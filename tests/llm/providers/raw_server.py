"""A server that says what a test writes, byte for byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """A server at a free port of this machine.

    Attributes:
        port: Where it listens.
        connections: How many there have been.
    """

    def __init__(self, talk: Talk) -> None:
        self.port = 0
        self.connections = 0
        self._talk = talk
        self._talking: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one conversation, known from its first moment, so that `end` misses none."""
        self.connections += 1
        self._talking[asyncio.ensure_future(self._carry(reader, writer))] = writer

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            await self._talk(reader, writer)
            writer.close()
            await writer.wait_closed()

    async def end(self) -> None:
        """Break off what still goes on."""
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)
        for writer in self._talking.values():
            writer.transport.abort()
        await asyncio.sleep(0)


@asynccontextmanager
async def a_raw_server(talk: Talk, tls: SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serve with this conversation for every connection."""
    server = RawServer(talk)
    async with await asyncio.start_server(server.accept, "127.0.0.1", 0, ssl=tls) as listening:
        server.port = listening.sockets[0].getsockname()[1]
        try:
            yield server
        finally:
            listening.close()
            await _settle()
            await server.end()


async def _settle() -> None:
    """Let what was accepted a moment ago become a conversation, its handshake and all."""
    tasks = asyncio.all_tasks()
    accepting = {task for task in tasks if task.get_coro().__name__ == "_accept_connection2"}  # type: ignore[union-attr]
    if accepting:
        await asyncio.wait(accepting, timeout=5.0)
    await asyncio.sleep(0)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The body of a request."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.splitlines() if line.startswith(b"Content-Length:")]
    return await reader.readexactly(int(lengths[0]) if lengths else 0)
