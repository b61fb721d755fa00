import asyncio
import socket as sockets
import threading
from pathlib import Path

import pytest

from spotui.domain.commands import Pause, Resume, Stop, encode_command
from spotui.domain.event_lines import encode_event
from spotui.domain.events import Answered, CallDelta, CandidateProposed, Event, RunStopped, StateChanged
from spotui.runs.run import Run
from spotui.wire.socket import Wire
from tests.runs.starting import Stage
from tests.wire.clients import served, within


def test_a_client_that_reads_nothing_holds_up_neither_the_run_nor_others(
    long_run: Run, socket: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with served(long_run, socket) as run:
            stalled, reading = await run.client(), await run.client()
            stalled.stall()
            reading.send(Resume())
            events = await reading.until(RunStopped)
            assert sum(isinstance(event, Answered) for event in events) == 6
            await asyncio.wait_for(run.work, 5)
        assert reading.history == run.story

    within(scenario(), caplog)


def test_a_client_that_fell_behind_is_brought_up_to_date_in_a_pause(long_run: Run, socket: Path) -> None:
    async def scenario() -> None:
        async with served(long_run, socket) as run:
            client, paused = await run.client(), asyncio.Event()
            await client.until(StateChanged)
            run.on_event = lambda event: paused.set() if is_pause(event) else None
            client.stall()
            client.send(Pause(at="candidate"), Resume())
            await paused.wait()
            client.go_on()
            await client.until(StateChanged, state="paused")
            client.send(Stop())
            await client.rest()
        assert client.history == run.story

    asyncio.run(scenario())


def test_a_client_that_catches_up_while_the_run_goes_on_gets_all_in_order(
    long_run: Run, socket: Path
) -> None:
    async def scenario() -> None:
        async with served(long_run, socket) as run:
            client = await run.client()
            client.stall()
            client.send(Resume())
            run.on_event = lambda event: client.go_on() if isinstance(event, CandidateProposed) else None
            await client.rest()
        assert client.history == run.story

    asyncio.run(scenario())


def test_a_process_that_ends_at_once_leaves_nothing_unsent(long_run: Run, socket: Path) -> None:
    story: list[bytes] = []
    stopped = threading.Event()
    heard = bytearray()

    def listen(event: Event) -> None:
        if not isinstance(event, CallDelta):
            story.append(encode_event(event))
        if isinstance(event, StateChanged) and event.state == "paused":
            thread.start()
        if isinstance(event, RunStopped):
            stopped.set()

    def read() -> None:
        with sockets.socket(sockets.AF_UNIX) as client:
            client.connect(str(socket))
            client.sendall(encode_command(Resume()))
            stopped.wait()
            while data := client.recv(65536):
                heard.extend(data)

    thread = threading.Thread(target=read)
    wire = Wire(long_run)
    long_run.while_open = lambda: wire.listen(socket)
    long_run.subscribe(listen)
    long_run.command(Pause())
    asyncio.run(long_run.go())
    thread.join()
    assert bytes(heard).splitlines(keepends=True)[-1] == story[-1]


def is_pause(event: Event) -> bool:
    return isinstance(event, StateChanged) and event.state == "paused"


def test_a_client_that_dies_is_no_loss(stage: Stage, socket: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with served(stage.run(stage.project()), socket) as run:
            dead, living = await run.client(), await run.client()
            await dead.until(StateChanged)
            dead.writer.transport.abort()
            living.send(Resume())
            events = await living.rest()
        assert isinstance(events[-1], RunStopped)

    within(scenario(), caplog)


def test_leaving_at_once_waits_for_no_client(long_run: Run, socket: Path) -> None:
    async def scenario() -> None:
        async with served(long_run, socket) as run:
            stalled, answered = await run.client(), asyncio.Event()
            stalled.stall()
            run.on_event = lambda event: answered.set() if isinstance(event, Answered) else None
            stalled.send(Resume())
            await answered.wait()
            run.work.cancel()
            async with asyncio.timeout(1):
                await asyncio.gather(run.work, return_exceptions=True)

    asyncio.run(scenario())
