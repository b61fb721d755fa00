"""Leaving the app: a run at work is asked about, and outlives the screen."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.domain.commands import Stop
from spotui.domain.events import RoundStarted, RunStopped
from spotui.tui.app import SpotuiApp
from spotui.tui.dialogs import QuestionScreen
from spotui.tui.run.screen import RunScreen
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.tui.piloting import drive, until, until_seen
from tests.tui.processes import Process, working
from tests.tui.projects import finished
from tests.view.test_picture import OPENED

STOPPED = RunStopped(reason="stopped", cause="", best=1, improved=False, rounds=1, prompt="p")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    move_in(monkeypatch, tmp_path)
    workspace = Workspace(tmp_path / "data" / "workspace")
    finished(workspace, "sea")
    return workspace


def at_work(
    workspace: Workspace,
    tmp_path: Path,
    journey: Callable[[SpotuiApp, Pilot[None], Process], Awaitable[None]],
) -> None:
    """Open the run on which a process works, and press the key that leaves."""

    async def take(app: SpotuiApp, pilot: Pilot[None]) -> None:
        async with working(workspace.project("sea"), [OPENED, RoundStarted(round=1)]) as process:
            app.open_project("sea")
            await until_seen(pilot, "round 1 of 4  running")
            await pilot.press("ctrl+q")
            await until_seen(pilot, "sea is running", "spotui attach sea")
            await journey(app, pilot, process)

    drive(tmp_path, take, workspace=workspace)


def test_without_a_run_at_work_it_just_ends(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.open_project("sea")
        await until_seen(pilot, "finished")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app._exit)

    drive(tmp_path, journey, workspace=workspace)


def test_leaving_lets_the_run_go_on(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("l")
        await until(pilot, lambda: app._exit)
        assert process.heard == []

    at_work(workspace, tmp_path, journey)


def test_stopping_waits_until_the_run_has_heard_it(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("s")
        await until(pilot, lambda: process.heard == [Stop()])
        await pilot.pause()
        assert not app._exit
        process.say(STOPPED)
        await until(pilot, lambda: app._exit)

    at_work(workspace, tmp_path, journey)


def test_a_run_that_does_not_stop_holds_nobody_for_ever(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spotui.tui.run.steering._STOP_SECONDS", 0.05)

    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("s")
        await until(pilot, lambda: app._exit)

    at_work(workspace, tmp_path, journey)


def test_escape_stays_and_asking_twice_asks_once(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None], process: Process) -> None:
        await pilot.press("ctrl+q", "ctrl+q")
        await pilot.pause()
        assert [type(screen) for screen in app.screen_stack[1:]] == [RunScreen, QuestionScreen]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.pause()
        assert not app._exit
        assert process.heard == []
        await pilot.press("ctrl+q", "l")
        await until(pilot, lambda: app._exit)

    at_work(workspace, tmp_path, journey)
