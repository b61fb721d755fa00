"""Watching a long run over SSH: all nine panels, search and filter, and leaving without stopping it."""

import pytest

from spotui.domain.events import RunStopped
from spotui.tui.home.screen import HomeScreen
from spotui.view.retell import retell
from spotui.workspace.history import read_history
from spotui.workspace.projects import Workspace
from tests.journeys.tasks import Task
from tests.journeys.traveller import Traveller, said, travel
from tests.tui.processes import working

NAMES = ("sums-race/gpo", "sums-race/ape", "long", "why.yaml", "prompt requirements count qa question answer")


def test_every_panel_of_a_run_that_goes_on(
    workspace: Workspace, size: tuple[int, int], task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
    project = workspace.project("long")
    past = [one for one in retell(project, read_history(project)) if not isinstance(one, RunStopped)]

    async def way(person: Traveller) -> None:
        await person.sees("long", "sums-race/gpo")
        async with working(project, past) as process:
            person.app.open_project("long")
            await person.sees(said("running"), "95%")
            for panel in "123456789":
                await person.press(panel)
                await person.looks()
            await person.press("2", "f")
            await person.looks()
            await person.press("escape", "slash", *"8", "enter")
            await person.looks()
            await person.press("escape", "home", "pagedown", "end")
            await person.press("4", "home", "down", "a")
            await person.sees(task.questions[0])
            await person.press("escape", "7", "up", "left", "enter")
            await person.looks()
            await person.press("escape", "z")
            await person.looks()
            await person.press("z", "escape")
            await person.until(lambda: isinstance(person.app.screen, HomeScreen))
            await person.looks()
            assert process.heard == []

    travel(workspace.root.parent.parent, way, size, task, *NAMES, workspace=workspace)
