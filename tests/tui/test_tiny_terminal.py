"""A terminal of 40 by 12 cells: everything can still be found and read."""

import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from spotui.tui.app import SpotuiApp
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.tui.piloting import drive, seen, until, until_seen
from tests.tui.projects import finished

TINY = (40, 12)


def test_home_and_every_panel_of_a_run_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)
    workspace = Workspace(tmp_path / "data" / "workspace")
    finished(workspace, "sea")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "sea", "Projects")
        app.open_project("sea")
        await until_seen(pilot, "sea", "finished")
        for panel in "123456789":
            await pilot.press(panel)
            await pilot.pause()
            lines = seen(app).splitlines()
            assert re.search(rf"\b{panel} [A-Z]", seen(app))
            assert all(cell_len(line) <= TINY[0] for line in lines)
            assert any(line.strip() for line in lines[3:11])
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query(ProjectsPanel))
        await until_seen(pilot, "sea")

    drive(tmp_path, journey, TINY, workspace=workspace)
