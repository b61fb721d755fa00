"""The focused panel shows its keys, under the names that the key map takes."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.settings import locations
from spotui.tui.app import SpotuiApp
from spotui.tui.dialogs import NameScreen
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.tui.home.screen import HomeScreen
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.key_screens import KeysScreen, Section, sections_of
from spotui.tui.preferences import read_preferences
from tests.command_line import move_in
from tests.tui.piloting import SMALL, Journey, drive, seen, until, until_seen


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)


def with_keys(folder: Path, text: str, journey: Journey) -> None:
    file = locations.keys_file()
    file.parent.mkdir(parents=True)
    file.write_text(text)
    drive(folder, journey, preferences=read_preferences())


def names(sections: list[Section]) -> list[list[str]]:
    return [[one.name for one in section.helps if one.name] for section in sections]


def test_the_keys_are_told_by_where_they_work(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "? keys")
        here, there, everywhere, _ = names(sections_of(app.screen, {}))
        assert {"projects.open", "projects.delete", "table.down"} <= set(here)
        assert here.index("projects.open") < here.index("table.down")
        assert "home.tour" in there
        jumps = ["app.home", "app.last_run", "app.models", "app.settings"]
        usual = ["app.quit", "app.keys", "app.keys_anywhere", "app.commands", "app.suspend"]
        assert everywhere == [*usual, *jumps]
        await pilot.press("question_mark")
        await until_seen(pilot, "This panel", "duplicate", "projects.duplicate")
        await pilot.press("end")
        await until_seen(pilot, "scroll left", "Keyboard shortcuts")
        await pilot.press("home")
        await until_seen(pilot, "This panel")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    drive(tmp_path, journey, SMALL)


def test_another_focus_has_other_keys(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("tab", "f1")
        await until_seen(pilot, "templates.edit")
        assert "projects.open" not in seen(app)

    drive(tmp_path, journey)


def test_where_text_is_typed_another_key_tells_them(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.screen.query_one(ProjectsPanel).keys)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, NameScreen))
        await pilot.press("question_mark", "f1")
        await until(pilot, lambda: isinstance(app.screen, KeysScreen))
        await until_seen(pilot, "name.back", "app.keys_anywhere")
        assert "app.keys " not in seen(app)  # it would be typed

    drive(tmp_path, journey)


def test_keys_of_the_user_work_and_are_shown(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.user_keys)
        await pilot.press("f1")
        await until_seen(pilot, "home.tour")
        (row,) = (line for line in seen(app).splitlines() if "home.tour" in line)
        assert "T " in row.partition("tour")[0]
        await pilot.press("escape", "J")
        await until(pilot, lambda: app.screen.query_one(TemplatesPanel).has_focus)

    with_keys(tmp_path, "home.tour: T\nhome.other_panel: [J, tab]\n", journey)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("home.tuor: T\n", ("A key is left out", "Did you mean home.tour?")),
        ("home.tour: w\n", ("A key is left out", "'find models' (home.welcome)")),
        ("home.tour: [\n", ("Your settings are left out", "keys.yaml, line")),
    ],
)
def test_what_cannot_be_used_is_reported_and_the_usual_key_stays(
    tmp_path: Path, text: str, told: tuple[str, ...]
) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "t tour", told[0])
        assert told[1] in " ".join(one.message for one in app._notifications)

    with_keys(tmp_path, text, journey)
