"""The command palette knows everything that can be done here."""

import re
from pathlib import Path

import pytest
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.widgets import OptionList

from spotui.settings import locations
from spotui.tui.actions import SENTENCES, sentence_of
from spotui.tui.app import SpotuiApp
from spotui.tui.bindings import merged_bindings, own_bindings, widget_types
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.tui.home.screen import HomeScreen
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.key_screens import KeysScreen
from spotui.tui.models_screen import ModelsScreen
from spotui.tui.run.screen import RunScreen
from spotui.tui.settings_screen import SettingsScreen
from spotui.workspace.migration_file import Advice, MigrationFolder, MigrationRecord
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.tui import scored_projects
from tests.tui.piloting import LARGE, SMALL, Journey, drive, until, until_seen
from tests.tui.projects import finished


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    move_in(monkeypatch, tmp_path)
    workspace = Workspace(locations.workspace_dir())
    for name in ("poem", "idioms"):
        finished(workspace, name)
    return workspace


def at_home(workspace: Workspace, journey: Journey, size: tuple[int, int] = LARGE) -> None:
    async def after_reading(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.screen.query_one(TemplatesPanel).keys)
        await journey(app, pilot)

    drive(workspace.root.parent, after_reading, size, workspace=workspace)


async def command(pilot: Pilot[None], *words: str) -> None:
    """Find a command by typing, and do it."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: isinstance(pilot.app.screen, CommandPalette))
    await pilot.press(*"".join(words))
    await until(pilot, lambda: all(word in first_found(pilot) for word in words))
    await pilot.press("down", "enter")
    await until(pilot, lambda: not isinstance(pilot.app.screen, CommandPalette))


def first_found(pilot: Pilot[None]) -> str:
    """The command at the top, which stays another for a while after the last letter was typed."""
    found = pilot.app.screen.query_one(OptionList)
    return str(found.get_option_at_index(0).prompt) if found.option_count else ""


def test_every_action_that_has_a_name_is_listed(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+p")
        await until_seen(pilot, "Open the selected project  ⏎")
        options = app.screen.query_one(OptionList)
        said = "\n".join(str(options.get_option_at_index(n).prompt) for n in range(options.option_count))
        wanted = [*merged_bindings(HomeScreen).values(), *merged_bindings(TemplatesPanel).values()]
        named = {sentence_of(one) for bindings in wanted for one in bindings if one.id}
        undo = "Restore what was deleted last"
        assert [name for name in named - {undo} if name not in said] == []  # nothing to undo yet
        assert undo not in said
        for text in (
            "Use the theme moss",
            "Open the project idioms",
            "Go to Models: roles, endpoints and keys  m  f6",
        ):
            assert text in said
        assert not re.search(r"[a-z_]+\.[a-z_]+", said.replace("$EDITOR", ""))  # no ids

    at_home(workspace, journey, SMALL)


def test_an_action_of_another_panel_is_done_there(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await command(pilot, "Rename the selected project")
        await until_seen(pilot, "Rename ")
        await pilot.press("escape")
        await command(pilot, "Duplicate the selected template")
        await until_seen(pilot, "yours")
        assert app.screen.query_one(TemplatesPanel).has_focus
        assert not app.screen.query_one(ProjectsPanel).has_focus

    at_home(workspace, journey)


def test_a_project_is_opened_from_anywhere(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        for name in ("idioms", "poem"):
            await command(pilot, f"Open the project {name}")
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
            await until_seen(pilot, name, "Rounds")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    at_home(workspace, journey)


def test_a_theme_is_used_at_once(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await command(pilot, "Use the theme chalk")
        await until(pilot, lambda: app.theme == "chalk")
        assert not app.current_theme.dark

    at_home(workspace, journey)


def test_keys_and_the_end_are_commands_too(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await command(pilot, "Show all keys")
        await until(pilot, lambda: isinstance(app.screen, KeysScreen))
        await pilot.press("escape")
        await command(pilot, "Quit spotui")
        await until(pilot, lambda: not app.is_running)

    at_home(workspace, journey)


def test_every_sentence_is_about_a_key_that_there_is() -> None:
    ids = {binding.id for kind in widget_types() for binding in own_bindings(kind)}
    assert set(SENTENCES) <= ids


def test_jump_keys_lead_to_the_other_screens_and_lose_nothing(workspace: Workspace) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("f6")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))
        await pilot.press("f10", "f6")  # Models is open already
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("f5")
        await until_seen(pilot, "idioms", "Rounds")
        await pilot.press("f4")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        app.screen.query_one(TemplatesPanel).focus()
        await pilot.press("n")
        await until_seen(pilot, "Paste the prompt")
        await pilot.press(*"Hello", "f4")
        await until_seen(pilot, "Leave without a template?")
        await pilot.press("escape", "f4", "y")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    at_home(workspace, journey)


def test_a_race_is_opened_by_its_name(workspace: Workspace) -> None:
    scored_projects.race(workspace)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await command(pilot, "Open the race sums")
        await until_seen(pilot, "sums-race  race on sums.yaml  finished")

    at_home(workspace, journey)


def test_the_receipt_of_a_migration_is_written_by_its_name(workspace: Workspace, tmp_path: Path) -> None:
    folder = MigrationFolder(workspace, "poem-migration")
    advice = Advice(action="stay", reason="unmeasured")
    folder.write(
        MigrationRecord(
            words=("migrate", "poem.yaml", "--to=b"),
            template="poem.yaml",
            prompt="Write.",
            old="a",
            models=("b",),
            by="duels",
            margin=0.05,
            advice=advice,
        )
    )
    page = tmp_path / "receipt.html"

    async def journey(_app: SpotuiApp, pilot: Pilot[None]) -> None:
        await command(pilot, "Write the report of the migration poem")
        await until_seen(pilot, "Write to")
        await pilot.press("ctrl+u", *str(page), "enter")
        await until_seen(pilot, "Wrote ")

    at_home(workspace, journey)
    assert "Stay with a: no answer of a new model could be compared." in page.read_text()
