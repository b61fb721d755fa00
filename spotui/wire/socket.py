"""A run's Unix socket: every event from the first on to whoever connects, and commands back."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.domain.commands import CommandError, decode_command
from spotui.domain.errors import SpotuiError
from spotui.domain.event_lines import encode_event
from spotui.domain.events import CallDelta, CommandRefused, Event
from spotui.lang import _

if TYPE_CHECKING:
    from spotui.runs.run import Run


_CHUNK = 64 * 1024
_LONGEST_COMMAND = 4 * 1024 * 1024
_LONGEST_EVENT = 64 * 1024 * 1024
_FAREWELL_SECONDS = 2.0
_HASTE_SECONDS = 0.2


class NotRunningError(SpotuiError):
    """Nobody is working on the project."""


class Wire:
    """Serves one run to any number of clients; a slow one falls behind, it never holds up the run.

    Args:
        run: The run.
    """

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._past: _Past
        self._ended = False
        self._clients: set[_Client] = set()

    @asynccontextmanager
    async def listen(self, path: Path) -> AsyncIterator[None]:
        """Serve at a socket that only this user can open; at the end every client has got every event.

        A client that takes nothing any more is let go after two seconds, or at once when this is cancelled.

        Raises:
            SpotuiError: The socket cannot be made.
        """
        with contextlib.closing(_Past()) as self._past:
            server = await self._open(path)
            self._run.subscribe(self._take)
            patience = _FAREWELL_SECONDS
            try:
                yield
            except asyncio.CancelledError:
                patience = _HASTE_SECONDS
                raise
            finally:
                server.close()
                path.unlink(missing_ok=True)
                await self._let_go(patience)

    async def _open(self, path: Path) -> asyncio.Server:
        try:
            path.unlink(missing_ok=True)  # the project's lock is held, so whoever made it is gone
            server = await asyncio.start_unix_server(self._serve, path, limit=_LONGEST_COMMAND)
            path.chmod(0o600)
        except OSError as error:
            what = _(
                "The socket {path} cannot be made: {strerror}.", path=path, strerror=error.strerror or error
            )
            raise SpotuiError(what, _("Set SPOTUI_RUNTIME_DIR to another folder.")) from None
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._ended:
            writer.close()
            return
        client = _Client(writer)
        self._enter(client)
        listening = asyncio.create_task(obey_all(self._run, reader, self._take))
        try:
            await self._bring_up_to_date(client)
            writer.close()
            await writer.wait_closed()
        except OSError:
            writer.close()  # the client went away; the run does not mind
        finally:
            listening.cancel()
            self._leave(client)
            client.gone.set()

    async def _bring_up_to_date(self, client: "_Client") -> None:
        """Send what a client has missed, again and again until the end."""
        while True:
            client.missed.clear()
            if client.sent < self._past.length:
                client.send(self._past.read(client.sent))
                await client.writer.drain()
            elif self._ended:
                return
            else:
                await client.missed.wait()

    def _take(self, event: Event) -> None:
        line = encode_event(event)
        if not self._clients:
            self._past.append(line)
            return
        length = self._past.length
        prompt = [client for client in self._clients if client.keeps_up(length)]
        self._past.append(line)
        for client in prompt:
            client.send(line)
        for client in self._clients.difference(prompt):
            client.missed.set()

    def _take_delta(self, delta: CallDelta) -> None:
        length, line = self._past.length, encode_event(delta)
        for client in self._clients:
            if client.keeps_up(length):
                client.writer.write(line)

    def _enter(self, client: "_Client") -> None:
        if not self._clients:
            self._run.stream_to(self._take_delta)
        self._clients.add(client)

    def _leave(self, client: "_Client") -> None:
        self._clients.discard(client)
        if not self._clients:
            self._run.stop_streaming_to(self._take_delta)

    async def _let_go(self, patience: float) -> None:
        self._ended = True
        clients = list(self._clients)
        for client in clients:
            client.missed.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                for client in clients:
                    await client.gone.wait()
        for client in self._clients:
            client.leave()
        for client in clients:
            await client.gone.wait()


class _Past:
    """The events so far, in a file without a name rather than in memory; it is gone with the process.

    So a run of any length can be watched from its beginning. Only the end of it is in memory, so that not
    every event takes a write; where no such file can be made or the disk is full, all the rest is: the run
    goes on.
    """

    def __init__(self) -> None:
        self._file: FileIO | None = None
        with contextlib.suppress(OSError):
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the wire
        self._in_file = 0
        self._has_room = True
        self._rest = bytearray()

    @property
    def length(self) -> int:
        return self._in_file + len(self._rest)

    def append(self, line: bytes) -> None:
        self._rest += line
        if len(self._rest) >= _CHUNK and self._has_room and self._file is not None:
            try:
                written = os.write(self._file.fileno(), self._rest)
            except OSError:
                self._has_room = False
            else:
                self._in_file += written
                del self._rest[:written]

    def read(self, start: int) -> bytes:
        """What comes at a position, as much of it as goes out at once."""
        if self._file is not None and start < self._in_file:
            return os.pread(self._file.fileno(), min(_CHUNK, self._in_file - start), start)
        start -= self._in_file
        return bytes(self._rest[start : start + _CHUNK])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


class _Client:
    """One that listens.

    Attributes:
        sent: How much of the past it was sent.
        missed: Set when there is more than could be sent at once.
        gone: Set when it is served no longer.
    """

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.sent = 0
        self.missed = asyncio.Event()
        self.gone = asyncio.Event()

    def keeps_up(self, length: int) -> bool:
        """Whether it has been sent everything so far, and takes it."""
        transport = self.writer.transport
        is_there = not transport.is_closing() and transport.get_write_buffer_size() < _CHUNK
        return is_there and self.sent == length

    def send(self, data: bytes) -> None:
        self.writer.write(data)
        self.sent += len(data)

    def leave(self) -> None:
        transport = self.writer.transport
        if transport.get_write_buffer_size():
            transport.abort()
        else:  # it may just have been closed, and then it cannot be aborted
            transport.close()


async def obey_all(run: "Run", reader: asyncio.StreamReader, tell: Callable[[Event], None]) -> None:
    """Carry out commands, one a line, until no more come."""
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            tell(CommandRefused(command="", why=_("A command has 4 MiB at most.")))
            continue
        except OSError:
            return
        if not line:
            return
        obey(run, line, tell)
        await asyncio.sleep(0)  # the run has its turn between any two commands, however many there are


def obey(run: "Run", line: bytes, tell: Callable[[Event], None]) -> None:
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
        if path.lstat().st_uid != os.geteuid():  # in a shared folder, another user can listen in our place
            raise PermissionError
        return await asyncio.open_unix_connection(path, limit=_LONGEST_EVENT)
    except OSError:
        raise NotRunningError(
            _("Nothing is running in {project}.", project=project),
            _(
                "Resume it with 'spotui resume {project}', or see its rounds with 'spotui show {project}'.",
                project=project,
            ),
        ) from None
