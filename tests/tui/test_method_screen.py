"""Choosing a method and what it is told, before a run and in a template."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.method_screen import MethodLine, MethodScreen
from spotui.tui.new_run import NewRunScreen
from spotui.tui.table_view import TableView
from spotui.wire import process as own_process
from spotui.workspace.projects import Workspace
from spotui.workspace.snapshot import read_snapshot
from tests.command_line import TEMPLATE, move_in, write_template
from tests.model_server import ModelServer
from tests.row_model import rows, template, unending
from tests.tui.piloting import SMALL, drive, until, until_seen, until_told, workspace_in


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace whose only own template has rows, and a model that can add them."""
    monkeypatch.chdir(tmp_path)
    with ModelServer(unending) as server:
        move_in(monkeypatch, tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=server.base_url)
        folder = locations.templates_dir()
        folder.mkdir(parents=True)
        write_template(folder, template(), "adding.yaml")
        (folder / "rows.jsonl").write_text(rows(60))
        yield Workspace(workspace_in(tmp_path))
        for process in own_process._children:
            process.kill()
            process.wait()


async def new_run(app: SpotuiApp, pilot: Pilot[None], name: str = "adding") -> NewRunScreen:
    await until_seen(pilot, name)
    app.screen.query_one("TemplatesPanel").select_named(name)  # type: ignore[attr-defined]
    await pilot.press("tab", "enter")
    await until(pilot, lambda: isinstance(app.screen, NewRunScreen))
    assert isinstance(app.screen, NewRunScreen)
    app.screen.query_one("#model", Input).value = "test-model"
    return app.screen


async def choose(app: SpotuiApp, pilot: Pilot[None], method: str) -> MethodScreen:
    """The methods, with the cursor on one of them."""
    app.screen.query_one(MethodLine).focus()
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, MethodScreen))
    assert isinstance(app.screen, MethodScreen)
    await until_seen(pilot, "arXiv")  # the methods are there, and the one under the cursor is described
    app.screen.query_one("#methods", TableView).select(method)
    await pilot.pause()
    return app.screen


async def give(app: SpotuiApp, pilot: Pilot[None], parameter: str, value: str) -> None:
    """Change a parameter of the method under the cursor."""
    table = app.screen.query_one("#parameters", TableView)
    table.focus()
    table.select(parameter)
    await pilot.press("enter")
    await until_seen(pilot, f"{parameter}: ")
    await until(pilot, lambda: bool(app.screen.query(Input)))
    app.screen.query_one(Input).value = value
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, MethodScreen))


def test_a_run_of_gpo_starts_with_what_it_was_told(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await new_run(app, pilot)
        await until_seen(pilot, "spo, the default")
        await choose(app, pilot, "gpo")
        await until_told(pilot, "It scores prompts on rows. Tang et al.", "descent_direction")
        await pilot.press("enter")
        await give(app, pilot, "max_steps", "1")
        await give(app, pilot, "candidates_per_step", "2")
        await give(app, pilot, "task_examples", "0")
        await pilot.press("delete")  # the cursor is still on it
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is screen)
        await until_seen(pilot, "gpo: max_steps 1, candidates_per_step 2")
        await until_told(pilot, "Expected: about 110 calls")
        screen.query_one("#name", Input).focus()
        screen.query_one("#name", Input).value = "mine"
        await pilot.press("enter")
        await until_seen(pilot, "mine  GPO", "finished")

    drive(tmp_path, journey, SMALL, workspace=workspace)
    snapshot = read_snapshot(workspace.project("mine").snapshot)
    assert snapshot.method == "gpo"
    assert {key: str(value) for key, value in snapshot.parameters.items()} == {
        "max_steps": "1",
        "candidates_per_step": "2",
    }


def test_what_is_wrong_or_lacking_is_said_before_the_start(workspace: Workspace, tmp_path: Path) -> None:
    write_template(
        locations.templates_dir(),
        TEMPLATE.replace("  - question: Why does ice float?\n    answer: None\n", ""),
    )

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await new_run(app, pilot, "why")
        await choose(app, pilot, "gradsum")
        await pilot.press("ctrl+s")
        await until_told(pilot, "There are only 2 different rows, but 3 are wanted. Add rows")
        await choose(app, pilot, "gpo")
        await pilot.press("enter")
        await give(app, pilot, "max_steps", "many")
        await pilot.press("ctrl+s")
        await until_told(pilot, "gpo cannot set max_steps to 'many'.")
        await choose(app, pilot, "spo")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.screen is screen)
        await until_told(pilot, "Expected: about")

    drive(tmp_path, journey, workspace=workspace)


def test_a_method_that_was_not_taken_changes_nothing(workspace: Workspace, tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        screen = await new_run(app, pilot)
        await choose(app, pilot, "gpo")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.chosen.method.words == []

    drive(tmp_path, journey, workspace=workspace)


def test_the_template_s_own_method_stands_there_first(workspace: Workspace, tmp_path: Path) -> None:
    text = template(method="opro") + "parameters:\n  trajectory_size: 5\n"
    write_template(locations.templates_dir(), text, "adding.yaml")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await new_run(app, pilot)
        await until_seen(pilot, "opro: trajectory_size 5, as in the template")
        app.screen.query_one(MethodLine).focus()
        await pilot.press("enter")
        await until_seen(pilot, "gradsum", "trajectory_size           5")
        assert isinstance(app.screen, MethodScreen)
        assert app.screen.query_one("#methods", TableView).current == "opro"

    drive(tmp_path, journey, workspace=workspace)


def test_a_template_keeps_its_comments_when_its_method_is_chosen_in_the_form(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = locations.templates_dir() / "adding.yaml"
    write_template(locations.templates_dir(), "# Sums.\n" + template(), "adding.yaml")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "adding")
        app.screen.query_one("TemplatesPanel").select_named("adding")  # type: ignore[attr-defined]
        await pilot.press("tab", "e")
        await until_seen(pilot, "form or YAML")
        await pilot.press("ctrl+t")
        await until_seen(pilot, "Method and parameters", "spo, the default")
        await choose(app, pilot, "gradsum")
        await pilot.press("enter")
        await give(app, pilot, "beam", "2")
        await give(app, pilot, "qa_labels", "true")
        await pilot.press("ctrl+s")
        await until_seen(pilot, "gradsum: beam 2, qa_labels true")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "gradsum" in path.read_text())

    drive(tmp_path, journey, workspace=workspace)
    text = path.read_text()
    assert text.startswith("# Sums.\nprompt: Add in style 0.\n")
    assert "method: gradsum\n" in text
    assert "parameters:\n  beam: 2\n  qa_labels: true\n" in text
