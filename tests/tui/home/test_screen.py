"""Home: everything there is to open, and nothing that cannot be undone."""

import asyncio
import os
from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.settings import locations, resources
from spotui.settings.resources import examples, examples_dir
from spotui.tui.app import SpotuiApp
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.tui.home.screen import HomeScreen
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import Workspace
from spotui.workspace.snapshot import read_snapshot
from tests.command_line import move_in
from tests.tui.piloting import LARGE, SMALL, Journey, drive, seen, until, until_seen
from tests.tui.projects import finished


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Three projects, the last worked on `poem`."""
    move_in(monkeypatch, tmp_path)
    workspace = Workspace(locations.workspace_dir())
    for age, name in enumerate(("poem", "idioms", "old/notes")):
        os.utime(finished(workspace, name).journal, ns=(0, 10**18 - age))
    return workspace


def at_home(workspace: Workspace, journey: Journey, size: tuple[int, int] = LARGE) -> None:
    async def after_reading(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: workspace.is_empty or app.screen.query_one(TemplatesPanel).keys)
        await journey(app, pilot)

    drive(workspace.root.parent, after_reading, size, workspace=workspace)


def projects(app: SpotuiApp) -> ProjectsPanel:
    return app.screen.query_one(ProjectsPanel)


def templates(app: SpotuiApp) -> TemplatesPanel:
    return app.screen.query_one(TemplatesPanel)


async def name_it(pilot: Pilot[None], name: str) -> None:
    await until(pilot, lambda: pilot.app.screen.query(Input))
    pilot.app.screen.query_one(Input).value = name
    await pilot.press("enter")


def test_a_template_made_while_the_folder_is_read_is_shown(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, holds_up = Event(), [True]

    def slow_examples() -> list[Path]:
        if holds_up and holds_up.pop():
            may_end.wait(60)
        return examples()

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        monkeypatch.setattr(resources, "examples", slow_examples)
        panel = templates(app)
        first = asyncio.create_task(panel.read())
        await until(pilot, lambda: not holds_up)
        panel.focus()
        await pilot.press("d")
        await until(pilot, lambda: any(locations.templates_dir().glob("*.yaml")))
        await pilot.pause(0.3)  # the copy would have been shown by now, and then been lost
        may_end.set()
        await first
        await until_seen(pilot, "yours")

    at_home(workspace, journey)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_every_project_tells_how_it_stands(workspace: Workspace, size: tuple[int, int]) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "Projects  3")
        assert projects(app).keys == ["poem", "idioms", "old/notes"]
        row = next(line for line in seen(app).splitlines() if "poem" in line)
        assert "finished" in row
        assert "3 of 3" in row
        assert ("round 2" in row) == (size == LARGE)
        assert ("spo" in row) == (size == LARGE)

    at_home(workspace, journey, size)


def test_a_damaged_project_is_shown_as_one_and_what_is_damaged_is_told(workspace: Workspace) -> None:
    workspace.project("idioms").journal.write_bytes(b"no journal\nat all\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "damaged")
        projects(app).select("idioms")
        await until_seen(pilot, "Line 1 of journal.jsonl is damaged")
        projects(app).select("poem")
        await until(pilot, lambda: "journal.jsonl is" not in seen(app))

    at_home(workspace, journey)


def test_enter_opens_a_project_and_escape_comes_back(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("down", "enter")
        await until_seen(pilot, "idioms", "Rounds")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        assert projects(app).current == "idioms"

    at_home(workspace, journey)


def test_what_another_process_does_is_seen_without_a_key(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spotui.tui.home.screen._LOOK_SECONDS", 0.05)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "Projects  3")
        finished(workspace, "new")
        lock = ProjectLock(workspace.project("poem").lock, "poem")
        lock.acquire()
        os.utime(workspace.project("poem").journal)
        await until_seen(pilot, "new", "running")
        lock.release()  # as when it is killed: no file changes
        await until(pilot, lambda: "running" not in seen(app))
        workspace.archive(workspace.project("new"))
        await until_seen(pilot, "Projects  3")

    at_home(workspace, journey)


def test_a_deleted_project_comes_back_with_one_key(workspace: Workspace) -> None:
    before = workspace.project("idioms").journal.read_bytes()

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("down", "x", "n", "x", "y")
        await until(pilot, lambda: projects(app).keys == ["poem", "old/notes"])
        await until_seen(pilot, "Press u to undo")
        assert projects(app).current == "old/notes"
        await pilot.press("u")
        await until(pilot, lambda: projects(app).current == "idioms")
        await pilot.press("u")  # there is nothing left to undo
        await pilot.pause()

    at_home(workspace, journey)
    assert workspace.project("idioms").journal.read_bytes() == before


def test_what_was_deleted_long_ago_can_be_brought_back(workspace: Workspace) -> None:
    workspace.archive(workspace.project("idioms"))

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("a")
        await until_seen(pilot, "Trash", "idioms")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and projects(app).current == "idioms")
        await pilot.press("a")
        await until_seen(pilot, "The trash is empty.")

    at_home(workspace, journey)


@pytest.mark.parametrize("key", ["x", "r"])
def test_a_project_that_is_worked_on_can_be_neither_deleted_nor_renamed(
    workspace: Workspace, key: str
) -> None:
    lock = ProjectLock(workspace.project("poem").lock, "poem")
    lock.acquire()

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press(key)
        if key == "r":
            await name_it(pilot, "song")
        else:
            await pilot.press("y")
        await until_seen(pilot, "poem is being worked on by process")

    at_home(workspace, journey)
    lock.release()
    assert workspace.project("poem").exists


def test_renaming_takes_a_free_name_and_says_what_is_wrong_with_another(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("r")
        await name_it(pilot, "idioms")
        await until_seen(pilot, "There is a project 'idioms' already")
        await name_it(pilot, "../x")
        await until_seen(pilot, "cannot be a project's name")
        await name_it(pilot, "song")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and projects(app).current == "song")
        await pilot.press("r")
        await until(pilot, lambda: app.screen.query(Input))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    at_home(workspace, journey)
    assert sorted(workspace.names()) == ["idioms", "old/notes", "song"]


def test_a_copy_of_a_project_is_a_run_of_its_own(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("d")
        await until(pilot, lambda: projects(app).current == "poem-2")

    at_home(workspace, journey)
    runs = {read_snapshot(workspace.project(name).snapshot).run for name in ("poem", "poem-2")}
    assert len(runs) == 2


def test_a_new_run_leads_to_the_templates(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("n")
        await until(pilot, lambda: templates(app).has_focus)
        await until_seen(pilot, "Choose a template and press Enter.", "start a run")

    at_home(workspace, journey)


def test_templates_that_come_with_spotui_stay_as_they_are(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab")
        templates(app).select_named("poem")
        for key in ("x", "r"):
            await pilot.press(key)
            await until_seen(pilot, "poem comes with spotui")
            app.clear_notifications()
        assert (examples_dir() / "poem.yaml").exists()
        await pilot.press("d")
        await until(pilot, lambda: templates(app).current.endswith("templates/poem.yaml"))
        await until_seen(pilot, "yours")

    at_home(workspace, journey)
    copy = locations.templates_dir() / "poem.yaml"
    assert copy.read_bytes() == (examples_dir() / "poem.yaml").read_bytes()


def test_a_template_of_ones_own_is_made_renamed_deleted_and_brought_back(workspace: Workspace) -> None:
    folder = locations.templates_dir()

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "d")
        await until_seen(pilot, "yours")
        await pilot.press("r")
        await name_it(pilot, "why")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and (folder / "why.yaml").exists())
        await until(pilot, lambda: templates(app).current == str(folder / "why.yaml"))
        await pilot.press("x")
        await until_seen(pilot, "Delete why?")
        assert (folder / "why.yaml").exists()
        await pilot.press("y")
        await until(pilot, lambda: not (folder / "why.yaml").exists())
        await until_seen(pilot, "Press u to undo")
        await pilot.press("u")
        await until(pilot, (folder / "why.yaml").exists)

    at_home(workspace, journey)


def test_a_broken_template_says_so_in_the_list(workspace: Workspace) -> None:
    locations.templates_dir().mkdir(parents=True)
    (locations.templates_dir() / "broken.yaml").write_text("prompt: [\n")
    (locations.templates_dir() / "empty.yaml").write_text("requirements: x\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "broken", "1 error:", "errors:")

    at_home(workspace, journey)
