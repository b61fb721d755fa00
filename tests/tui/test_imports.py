"""What waits until it is shown: Home imports no other screen, and files that are not there cost nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import places

LATER = (
    "spotui.domain.calls",
    "spotui.domain.events",
    "spotui.metrics.custom",
    "spotui.settings.config_file",
    "spotui.settings.shortcuts",
    "spotui.tui.chart",
    "spotui.tui.commands",
    "spotui.tui.defaults",
    "spotui.tui.endpoint_screen",
    "spotui.tui.key_screens",
    "spotui.tui.method_screen",
    "spotui.tui.models_screen",
    "spotui.tui.race.new",
    "spotui.tui.race.screen",
    "spotui.tui.run.screen",
    "spotui.tui.settings_screen",
    "spotui.tui.try_screen",
    "spotui.wire.process",
    "textual.widgets._text_area",
)
OPEN = """
import asyncio, sys
from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.preferences import read_preferences
from spotui.workspace.projects import Workspace

async def look():
    app = SpotuiApp(Workspace(locations.workspace_dir()), read_preferences())
    async with app.run_test() as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        print(*sys.modules, file=open({told!r}, "w"))

asyncio.run(look())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a project in it, so that nobody is welcomed."""
    results = tmp_path / "data" / "workspace" / "other" / "prompts" / "results.json"
    results.parent.mkdir(parents=True)
    results.write_text("[]")
    return tmp_path


def modules_at_home(folder: Path) -> set[str]:
    told = folder / "modules"
    command = [sys.executable, "-c", OPEN.format(told=str(told))]
    subprocess.run(command, env=places(folder), check=True, capture_output=True)
    return set(told.read_text().split())


def test_home_imports_nothing_that_is_on_another_screen(folder: Path) -> None:
    assert modules_at_home(folder) & set(LATER) == set()


def test_a_theme_that_is_chosen_costs_reading_the_config_file_and_no_more(folder: Path) -> None:
    (folder / "config").mkdir()
    (folder / "config" / "config.yaml").write_text("theme: moss\n")
    modules = modules_at_home(folder)
    assert "spotui.settings.config_file" in modules
    assert modules & {one for one in LATER if one.startswith(("spotui.tui", "textual"))} == set()
