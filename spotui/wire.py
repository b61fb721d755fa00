"""A run's Unix socket: every event from the first on to whoever connects, and commands back.

What has happened is kept in a file without a name rather than in memory, so a run of any length can be
watched from its beginning, and the file is gone with the process.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from spotui.commands import CommandError, decode_command
from spotui.errors import SpotuiError
from spotui.events import CallDelta, CommandRefused, Event, encode_event
from spotui.run.run import Run

_CHUNK = 64 * 1024
_LONGEST_COMMAND = 4 * 1024 * 1024
_LONGEST_EVENT = 64 * 1024 * 1024
_FAREWELL_SECONDS = 2.0


class NotRunningError(SpotuiError):
    """Nobody is working on the project."""


class Wire:
    """Serves one run to any number of clients; a slow one falls behind, it never holds up the run.

    Args:
        run: The run; this subscribes to it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._past = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed when `listen` ends
        self._length = 0
        self._ended = False
        self._clients: set[_Client] = set()
        run.subscribe(self._take, deltas=True)

    @asynccontextmanager
    async def listen(self, path: Path) -> AsyncIterator[None]:
        """Serve at a socket that only this user can open; at the end every client has got every event.

        Raises:
            SpotuiError: The socket cannot be made.
        """
        path.unlink(missing_ok=True)  # the project's lock is held, so whoever made it is gone
        try:
            server = await asyncio.start_unix_server(self._serve, path, limit=_LONGEST_COMMAND)
        except OSError as error:
            what = f"The socket {path} cannot be made: {error.strerror}."
            raise SpotuiError(what, "Set SPOTUI_RUNTIME_DIR to another folder.") from None
        path.chmod(0o600)
        try:
            yield
        finally:
            server.close()
            path.unlink(missing_ok=True)
            self._ended = True
            await self._let_go()
            self._past.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer)
        self._clients.add(client)
        listening = asyncio.create_task(self._obey(reader))
        try:
            await self._send(client)
        except OSError:
            pass  # the client went away; the run does not mind
        finally:
            listening.cancel()
            self._clients.discard(client)
            writer.close()
            client.gone.set()

    async def _send(self, client: "_Client") -> None:
        sent = 0
        while True:
            client.news.clear()
            if sent < self._length:
                data = os.pread(self._past.fileno(), min(_CHUNK, self._length - sent), sent)
                client.writer.write(data)
                await client.writer.drain()
                sent += len(data)
            elif self._ended:
                return
            else:
                client.caught_up = True
                await client.news.wait()
                client.caught_up = False

    async def _obey(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                obey(self._run, line, self._take)

    def _take(self, event: Event) -> None:
        line = encode_event(event)
        if isinstance(event, CallDelta):
            for client in self._clients:
                client.offer(line)
            return
        self._past.write(line)
        self._length += len(line)
        for client in self._clients:
            client.news.set()

    async def _let_go(self) -> None:
        clients = list(self._clients)
        for client in clients:
            client.news.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FAREWELL_SECONDS):
                for client in clients:
                    await client.gone.wait()


class _Client:
    """One that listens, with what it needs to be told."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.news = asyncio.Event()
        self.gone = asyncio.Event()
        self.caught_up = False

    def offer(self, line: bytes) -> None:
        """Send a delta, unless this client is behind: it will get the whole reply anyway."""
        if self.caught_up and self.writer.transport.get_write_buffer_size() < _CHUNK:
            self.writer.write(line)


def obey(run: Run, line: bytes, tell: Callable[[Event], None]) -> None:
    """Carry out a line of commands; one that is none is answered with CommandRefused."""
    if not line.strip():
        return
    try:
        run.command(decode_command(line))
    except CommandError as error:
        tell(CommandRefused(command=line.decode("utf-8", "replace").strip()[:80], why=str(error)))


async def connect(path: Path, project: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reach the process that works on a project.

    Raises:
        NotRunningError: There is none.
    """
    try:
        return await asyncio.open_unix_connection(path, limit=_LONGEST_EVENT)
    except OSError:
        raise NotRunningError(
            f"Nothing is running in {project}.",
            f"'spotui resume {project}' goes on with it, 'spotui show {project}' tells what it has.",
        ) from None
