"""A run on a wire, and clients that listen to it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.commands import Command, Pause, encode_command
from spotui.domain.event_lines import decode_event, encode_event
from spotui.domain.events import CallDelta, Event, RunStopped, StateChanged
from spotui.runs.run import Run
from spotui.wire.socket import Wire, connect


class Client:
    """One end of the wire."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.lines: list[bytes] = []

    async def until(self, kind: type[Event], **fields: object) -> list[Event]:
        """All events up to the first of a kind."""
        events: list[Event] = []
        while line := await self.reader.readline():
            self.lines.append(line)
            event = decode_event(line)
            assert event is not None
            events.append(event)
            if isinstance(event, kind) and all(getattr(event, name) == want for name, want in fields.items()):
                return events
        raise AssertionError(f"the stream ended without {kind.__name__}")

    async def rest(self) -> list[Event]:
        """All events up to the end of the stream."""
        events = await self.until(RunStopped)
        assert await self.reader.read() == b""
        return events

    def send(self, *commands: Command | bytes) -> None:
        self.writer.writelines(one if isinstance(one, bytes) else encode_command(one) for one in commands)

    def stall(self) -> None:
        """Read nothing."""
        self.reader._transport.pause_reading()  # type: ignore[attr-defined]

    def go_on(self) -> None:
        """Read again."""
        self.reader._transport.resume_reading()  # type: ignore[attr-defined]

    @property
    def history(self) -> list[bytes]:
        """What every client gets."""
        return [line for line in self.lines if b'"call_delta"' not in line]


class Served:
    """A run on a wire, paused before its first call."""

    def __init__(self, run: Run, socket: Path) -> None:
        self.told: list[Event] = []
        self._opened = asyncio.Event()
        self._run, self._socket = run, socket
        self._clients: list[Client] = []
        wire = Wire(run)
        run.while_open = lambda: wire.listen(socket)
        run.subscribe(self._listen)
        run.command(Pause())
        self.work = asyncio.create_task(run.go())
        self.on_event: Callable[[Event], None] = lambda _: None

    def _listen(self, event: Event) -> None:
        if not isinstance(event, CallDelta):
            self.told.append(event)
        self.on_event(event)
        if isinstance(event, StateChanged):
            self._opened.set()

    async def client(self) -> Client:
        await self._opened.wait()
        client = Client(*await connect(self._socket, "sea"))
        self._clients.append(client)
        return client

    @property
    def story(self) -> list[bytes]:
        """What every client has to get."""
        return [encode_event(event) for event in self.told]

    def close(self) -> None:
        for client in self._clients:
            client.writer.transport.abort()


@asynccontextmanager
async def served(run: Run, socket: Path) -> AsyncIterator[Served]:
    one = Served(run, socket)
    async with asyncio.timeout(20):
        try:
            yield one
            await asyncio.gather(one.work, return_exceptions=True)
        finally:
            one.work.cancel()
            await asyncio.gather(one.work, return_exceptions=True)
            one.close()


def within(work: Coroutine[Any, Any, None], caplog: pytest.LogCaptureFixture) -> None:
    """Run to the end, and let nothing complain."""
    with caplog.at_level(logging.WARNING, "asyncio"):
        asyncio.run(work)
    assert caplog.text == ""
