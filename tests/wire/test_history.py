import asyncio
import tempfile
from io import FileIO
from pathlib import Path

import pytest

from spotui.domain.commands import Pause, Resume
from spotui.domain.events import (
    Answered,
    CallDelta,
    CallFinished,
    CallStarted,
    RoundFinished,
    RunOpened,
    StateChanged,
)
from tests.runs.starting import Stage
from tests.wire.clients import served, within


def test_a_late_client_gets_the_history_and_then_what_happens(
    stage: Stage, socket: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with served(stage.run(stage.project()), socket) as run:
            early = await run.client()
            early.send(Resume())
            await early.until(RoundFinished, round=1)
            early.send(Pause())
            await early.until(StateChanged, state="paused", cause="Paused by the user.")
            late = await run.client()
            early.send(Resume())
            await asyncio.gather(early.rest(), late.rest())
        assert early.history == late.history == run.story
        assert isinstance(run.told[0], RunOpened)
        assert run.told[-1] == run.work.result()

    within(scenario(), caplog)


def test_a_client_that_keeps_up_hears_every_piece_of_a_reply_in_its_place(stage: Stage, socket: Path) -> None:
    async def scenario() -> None:
        async with served(stage.run(stage.project(max_rounds=2)), socket) as run:
            client = await run.client()
            await client.until(StateChanged)
            client.send(Resume())
            events = await client.rest()
        under_way: set[object] = set()
        heard: dict[object, str] = {}
        for event in events:
            if isinstance(event, CallStarted):
                under_way.add(event.key)
            elif isinstance(event, CallFinished):
                under_way.remove(event.key)
            elif isinstance(event, CallDelta):
                assert event.key in under_way
                heard[event.key] = heard.get(event.key, "") + event.text
        answers = [event.answer for event in events if isinstance(event, Answered)]
        assert len(answers) == 6
        assert set(answers) <= set(heard.values())

    asyncio.run(scenario())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_takes_nothing_from_a_late_client(
    stage: Stage, socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FileIO("/dev/full", "r+"))

    async def scenario() -> None:
        async with served(stage.run(stage.project()), socket) as run:
            client = await run.client()
            client.send(Resume())
            await client.until(RoundFinished, round=1)
            late = await run.client()
            await asyncio.gather(client.rest(), late.rest())
        assert late.history == run.story

    asyncio.run(scenario())
