"""What stands for the process of a run: it tells what a test wants, and hears what it is told."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from spotui.domain.commands import Command, decode_command
from spotui.domain.event_lines import encode_event
from spotui.domain.events import Event
from spotui.settings import locations
from spotui.workspace.projects import Project


class Process:
    """The other end of a run's socket.

    Attributes:
        heard: The commands it was told.
        clients: Who listens.
    """

    def __init__(self) -> None:
        self.heard: list[Command] = []
        self.clients: list[asyncio.StreamWriter] = []

    def say(self, *events: Event) -> None:
        self.write(*map(encode_event, events))

    def write(self, *lines: bytes) -> None:
        for client in self.clients:
            client.writelines(lines)

    def die(self) -> None:
        for client in self.clients:
            client.close()
        self.clients.clear()


@asynccontextmanager
async def working(project: Project, past: Sequence[Event] = ()) -> AsyncIterator[Process]:
    """A process that works on a project and tells everybody its past first."""
    process = Process()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(map(encode_event, past))
        process.clients.append(writer)
        while line := await reader.readline():
            process.heard.append(decode_command(line))

    path = locations.socket_path(project.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    server = await asyncio.start_unix_server(serve, path)
    try:
        yield process
    finally:
        process.die()
        server.close()
        path.unlink()
