"""A run as the screen knows it: from its process while there is one, from its files otherwise."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

import spotui.tui.run.client as client_module
from spotui.domain.commands import Pause, Stop
from spotui.domain.event_lines import WireError, encode_event
from spotui.domain.events import (
    CallDelta,
    CallStarted,
    Event,
    Noticed,
    RoundStarted,
    RunStopped,
    StateChanged,
)
from spotui.domain.records import CallKey
from spotui.tui.run.client import RunClient
from spotui.workspace.journal_reader import JournalError
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace
from tests.command_line import move_in
from tests.tui.processes import working
from tests.tui.projects import damage, finished
from tests.view.test_picture import OPENED
from tests.workspace.snapshots import a_snapshot

SECONDS = 10.0
KEY = CallKey(2, "execute")
BEGUN: list[Event] = [OPENED, RoundStarted(round=2, best=1), CallStarted(key=KEY, model="m")]
STOPPED = RunStopped(reason="stopped", cause="", best=1, improved=False, rounds=1, prompt="p")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace in which nobody looks for a process again unless told to."""
    move_in(monkeypatch, tmp_path)
    monkeypatch.setattr(client_module, "LOOK_SECONDS", 600.0)
    return Workspace(tmp_path / "data" / "workspace")


class Watched:
    """A client that watches, and how often it told to paint anew."""

    def __init__(self, project: Project) -> None:
        self.client = RunClient(project)
        self.opened = 0
        self.task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.client.watch(self._open))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def _open(self) -> None:
        self.opened += 1

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(SECONDS):
            while not holds():
                if self.task.done():
                    await self.task
                await asyncio.sleep(0)


def test_what_a_run_left_is_shown_while_no_process_works_on_it(workspace: Workspace) -> None:
    async def main() -> None:
        async with Watched(finished(workspace, "sea")) as watched:
            await watched.until(lambda: watched.opened)
            client = watched.client
            assert sorted(client.picture.rounds) == [1, 2, 3]
            assert client.picture.best == 2
            assert client.story.entries
            assert not client.is_attached
            assert not client.send(Pause())
            assert client.changes

    asyncio.run(main())


def test_a_process_is_followed_from_its_first_event_and_can_be_told_things(workspace: Workspace) -> None:
    project = finished(workspace, "sea")

    async def main() -> None:
        async with working(project, BEGUN) as process, Watched(project) as watched:
            client = watched.client
            await watched.until(lambda: client.picture.calls)
            assert client.is_attached
            assert sorted(client.picture.rounds) == [2]
            process.say(CallDelta(key=KEY, text="Eleven"), StateChanged(state="paused", cause="Why not."))
            await watched.until(lambda: client.picture.state == "paused")
            assert client.story.entries[1].streamed == "Eleven"
            assert client.send(Pause())
            assert client.send(Stop())
            await watched.until(lambda: process.heard == [Pause(), Stop()])
            gone = asyncio.create_task(client.wait_gone())
            process.say(STOPPED)
            await asyncio.wait_for(gone, SECONDS)
            await watched.until(lambda: watched.opened == 2)
            assert client.picture.stopped == STOPPED
        assert not client.send(Pause())

    asyncio.run(main())


@pytest.mark.parametrize(
    "last_words",
    [b"", encode_event(StateChanged(state="paused"))[:-9]],
    ids=["between two lines", "within a line"],
)
def test_after_a_kill_nothing_is_under_way_and_what_was_seen_stays(
    workspace: Workspace, last_words: bytes
) -> None:
    project = finished(workspace, "sea")

    async def main() -> None:
        async with working(project, BEGUN) as process, Watched(project) as watched:
            client = watched.client
            await watched.until(lambda: client.picture.calls)
            process.write(last_words)
            process.die()
            await watched.until(lambda: not client.is_attached)
            assert not client.picture.calls
            assert not list(client.story.live)
            assert sorted(client.picture.rounds) == [2]
            assert not client.send(Pause())
            await client.wait_gone()
            await watched.until(lambda: watched.opened == 2)

    asyncio.run(main())


def test_a_process_that_is_started_later_is_found_at_once_when_it_is_known(workspace: Workspace) -> None:
    project = finished(workspace, "sea")

    async def main() -> None:
        async with Watched(project) as watched:
            await watched.until(lambda: watched.opened)
            async with working(project, BEGUN):
                watched.client.look()
                await watched.until(lambda: watched.client.is_attached)
            await watched.until(lambda: not watched.client.is_attached)
            async with working(project, [OPENED]):
                watched.client.look()
                await watched.until(lambda: watched.client.is_attached and not watched.client.picture.rounds)

    asyncio.run(main())


def test_a_process_that_somebody_else_started_is_found_after_a_while(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LOOK_SECONDS", 0.01)
    project = finished(workspace, "sea")

    async def main() -> None:
        async with Watched(project) as watched:
            await watched.until(lambda: watched.opened)
            async with working(project, BEGUN):
                await watched.until(lambda: watched.client.is_attached)

    asyncio.run(main())


def test_what_a_started_process_left_is_read_although_it_was_never_met(workspace: Workspace) -> None:
    project = create_project(workspace, "sea", a_snapshot())

    async def main() -> None:
        async with Watched(project) as watched:
            await watched.until(lambda: watched.opened)
            assert not watched.client.picture.rounds
            finished(workspace, "other").journal.rename(project.journal)
            watched.client.look()
            await watched.until(lambda: watched.client.picture.rounds)

    asyncio.run(main())


def test_a_process_that_is_just_ending_takes_nothing_off_the_screen(workspace: Workspace) -> None:
    project = finished(workspace, "sea")

    async def main() -> None:
        async with Watched(project) as watched:
            await watched.until(lambda: watched.opened)
            async with working(project) as process:
                watched.client.look()
                await watched.until(lambda: process.clients)
                process.die()
                await watched.until(lambda: watched.opened == 2)
            assert sorted(watched.client.picture.rounds) == [1, 2, 3]

    asyncio.run(main())


def test_a_long_past_leaves_the_screen_its_turns(workspace: Workspace) -> None:
    project, count = finished(workspace, "sea"), 5000
    past = [OPENED, *(Noticed(text=str(number)) for number in range(count))]

    async def main() -> None:
        longest, before = 0, 0
        async with working(project, past), Watched(project) as watched:
            async with asyncio.timeout(SECONDS):
                while watched.client.changes <= count:
                    await asyncio.sleep(0)
                    longest, before = max(longest, watched.client.changes - before), watched.client.changes
        assert longest <= 100

    asyncio.run(main())


def test_what_a_newer_version_tells_besides_is_left_out(workspace: Workspace) -> None:
    project = finished(workspace, "sea")

    async def main() -> None:
        async with working(project, [OPENED]) as process, Watched(project) as watched:
            await watched.until(lambda: watched.client.is_attached)
            process.write(b'{"event":"unheard_of","at":1.0}\n')
            process.say(RoundStarted(round=1))
            await watched.until(lambda: watched.client.picture.rounds)

    asyncio.run(main())


def test_a_process_of_a_newer_wire_is_refused_with_what_to_do(workspace: Workspace) -> None:
    project = finished(workspace, "sea")

    async def main() -> None:
        async with working(project) as process, Watched(project) as watched:
            await watched.until(lambda: process.clients)
            process.write(b'{"event":"run_opened","version":99}\n')
            async with asyncio.timeout(SECONDS):
                with pytest.raises(WireError, match="version 99"):
                    await watched.task

    asyncio.run(main())


def test_a_damaged_project_says_what_is_wrong_with_it(workspace: Workspace) -> None:
    project = finished(workspace, "sea")
    damage(project)

    async def main() -> None:
        async with Watched(project) as watched, asyncio.timeout(SECONDS):
            with pytest.raises(JournalError, match="Line 3"):
                await watched.task

    asyncio.run(main())
