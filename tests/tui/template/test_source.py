"""The template in the Run screen: the project's own, and the way to the file it came from."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot

from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.run.screen import RunScreen
from spotui.tui.template.panel import TemplatePanel
from spotui.tui.template.screen import TemplateScreen
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace
from tests.command_line import TEMPLATE, move_in
from tests.tui.piloting import SMALL, drive, seen, until, until_seen
from tests.workspace.snapshots import a_snapshot


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    move_in(monkeypatch, tmp_path)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def project_in(home: Path, template_name: str = "why.yaml") -> Project:
    snapshot = replace(a_snapshot(template=TEMPLATE), template_name=template_name)
    return create_project(Workspace(home / "runs"), "mine", snapshot)


async def opened(app: SpotuiApp, pilot: Pilot[None], project: Project) -> RunScreen:
    screen = RunScreen(project)
    app.push_screen(screen)
    await until(pilot, lambda: screen.is_mounted and screen._is_read)
    await pilot.press("1")
    await until(pilot, lambda: screen.query_one(TemplatePanel).text)
    assert screen.query_one(TemplatePanel).has_focus_within
    return screen


def test_the_project_s_own_template_can_be_read_and_not_changed(home: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, project_in(home))
        await until_seen(pilot, "prompt: Answer the question.", "Why do leaves fall?")
        await pilot.press("X", "ctrl+t", "backspace")
        assert screen.query_one(TemplatePanel).text == TEMPLATE
        assert not screen.query_one(TemplatePanel).is_form
        assert "form or YAML" not in seen(app)

    drive(home, journey, SMALL)


@pytest.mark.parametrize("where", ["own", "beside"])
def test_the_source_is_edited_and_the_run_keeps_its_copy(home: Path, where: str) -> None:
    source = locations.templates_dir() / "why.yaml" if where == "own" else Path.cwd() / "why.yaml"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(TEMPLATE)
    project = project_in(home)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await opened(app, pilot, project)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TemplateScreen))
        await until(pilot, lambda: app.screen.query_one(TemplatePanel).has_focus_within)
        await pilot.press("#", "ctrl+s")
        await until(pilot, lambda: source.read_text() == "#" + TEMPLATE)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.query_one(TemplatePanel).text == TEMPLATE

    drive(home, journey)
    assert "#prompt" not in project.snapshot.read_text()


def test_a_shipped_source_can_be_looked_at(home: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await opened(app, pilot, project_in(home, "poem.yaml"))
        await pilot.press("e")
        await until_seen(pilot, "read only")

    drive(home, journey)


def test_a_source_that_is_gone_is_made_again_from_the_run(home: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await opened(app, pilot, project_in(home))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, TemplateScreen))
        assert (locations.templates_dir() / "why.yaml").read_text() == TEMPLATE

    drive(home, journey)


def test_a_project_of_the_reference_says_that_it_has_no_template(home: Path) -> None:
    project = Workspace(home / "data" / "workspace").project("other")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = RunScreen(project)
        app.push_screen(screen)
        await until(pilot, lambda: screen.is_mounted and screen._is_read)
        await pilot.press("1")
        await until_seen(pilot, "keeps no template")

    drive(home, journey)


def test_a_damaged_run_yaml_is_told_and_the_rest_is_shown(home: Path) -> None:
    project = project_in(home)
    project.snapshot.write_text("version: [")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.push_screen(RunScreen(project))
        await until_seen(pilot, "is damaged", "Template", "Rounds")

    drive(home, journey)
