"""Settings: what is typed is saved or said to be wrong, and the file's comments stay."""

from functools import partial
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui import lang
from spotui.settings import locations
from spotui.settings.config_file import load_config
from spotui.settings.resources import themes_dir
from spotui.settings.table import SETTINGS
from spotui.tui.app import SpotuiApp
from spotui.tui.defaults import DefaultRow
from spotui.tui.home.screen import HomeScreen
from spotui.tui.preferences import read_preferences
from spotui.tui.settings_screen import SettingsScreen, ThemeTable
from tests.command_line import move_in
from tests.tui.piloting import LARGE, SMALL, Journey, drive, seen, until, until_seen, until_told

COMMENTED = "# mine\nrun:\n  max_rounds: 7  # enough\n\ntheme: moss\n"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config file, not there yet."""
    move_in(monkeypatch, tmp_path)
    locations.config_dir().mkdir()
    return locations.config_file()


def in_settings(folder: Path, journey: Journey, size: tuple[int, int] = LARGE) -> None:
    async def after_opening(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("comma")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await until(pilot, lambda: themes(app).border_subtitle)
        await until(pilot, lambda: row(app, "run.seed").input.placeholder)
        await journey(app, pilot)

    drive(folder, after_opening, size, preferences=read_preferences())


def themes(app: SpotuiApp) -> ThemeTable:
    return app.screen.query_one(ThemeTable)


def test_a_language_is_saved_and_shown_at_once(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await put(pilot, app, "language", "klingon")
        await pilot.press("enter")
        await until_told(pilot, "must be one of en, zh_CN")
        await put(pilot, app, "language", "zh_CN")
        await pilot.press("enter")
        await until(pilot, lambda: "language: zh_CN" in config.read_text())
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("comma")
        await until_seen(pilot, "最大轮数", "主题")

    try:
        in_settings(tmp_path, journey)
    finally:
        lang.use()


def row(app: SpotuiApp, key: str) -> DefaultRow:
    return app.screen.query_one(f"#default-{key.replace('.', '-')}", DefaultRow)


async def put(pilot: Pilot[None], app: SpotuiApp, key: str, text: str) -> None:
    row(app, key).input.focus()
    row(app, key).input.value = ""
    await pilot.pause()
    await pilot.press(*text)


def test_a_default_is_saved_when_it_is_left_and_the_comments_stay(tmp_path: Path, config: Path) -> None:
    config.write_text(COMMENTED)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert row(app, "run.max_rounds").input.value == "7"
        assert row(app, "run.sample").input.placeholder == "3"
        await pilot.press("tab")
        assert app.focused is row(app, "run.max_rounds").input
        await put(pilot, app, "run.max_rounds", "12")
        await pilot.press("down")
        await until(pilot, lambda: "12" in config.read_text())
        await put(pilot, app, "budget.usd", "0.50")
        await pilot.press("enter")
        await until(pilot, lambda: load_config().config.settings.get("budget.usd") == 0.5)
        await put(pilot, app, "run.max_rounds", "")
        await pilot.press("escape")
        assert row(app, "run.max_rounds").input.value == "12"
        assert config.read_text() == (
            "# mine\nrun:\n  max_rounds: 12  # enough\n\ntheme: moss\n\nbudget:\n  usd: 0.5\n"
        )
        # An empty field is the usual value again.
        await put(pilot, app, "run.max_rounds", "")
        await pilot.press("enter")
        await until(pilot, lambda: row(app, "run.max_rounds").input.placeholder == "10")
        assert "max_rounds" not in config.read_text()
        # What is typed is saved on leaving, too.
        await put(pilot, app, "run.seed", "5")
        row(app, "run.max_rounds").input.focus()
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    in_settings(tmp_path, journey, SMALL)
    assert load_config().config.settings == {"run.seed": 5, "budget.usd": 0.5}
    assert config.read_text().startswith("# mine\n")


def test_a_wrong_value_says_why_beside_it_and_a_variable_that_wins_is_told(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTUI_SAMPLE", "4")

    def beside(app: SpotuiApp, key: str) -> str:
        return row(app, key).note

    async def try_it(app: SpotuiApp, pilot: Pilot[None], key: str, text: str, why: str) -> None:
        await put(pilot, app, key, text)
        await pilot.press("enter")
        await until(pilot, lambda: row(app, key).has_class("-wrong"))
        assert why in beside(app, key)
        assert " ".join(why.split()[:2]) in seen(app)
        await pilot.press("escape")
        assert row(app, key).input.value == ""
        assert not row(app, key).has_class("-wrong")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert beside(app, "run.sample") == "SPOTUI_SAMPLE wins: 4"
        row(app, "run.sample").input.focus()
        await until_seen(pilot, "SPOTUI_SAMPLE wins: 4")
        await try_it(app, pilot, "run.max_rounds", "0", "must be a whole number from 1 to")
        await try_it(app, pilot, "run.judge", "balancd", "Did you mean balanced?")
        await try_it(app, pilot, "budget.usd", "much", "must be an amount in USD")

    in_settings(tmp_path, journey, SMALL)
    assert not config.exists()


def test_a_config_file_that_is_wrong_is_told_and_left_alone(tmp_path: Path, config: Path) -> None:
    config.write_text("them: moss\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_told(pilot, "line 1", "Did you mean theme?")
        await put(pilot, app, "run.seed", "5")
        await pilot.press("enter")
        await until(pilot, lambda: row(app, "run.seed").has_class("-wrong"))

    async def open_it(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("comma")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await journey(app, pilot)

    drive(tmp_path, open_it)
    assert config.read_text() == "them: moss\n"


def test_a_theme_is_seen_at_once_kept_with_enter_and_a_broken_one_is_marked(
    tmp_path: Path, config: Path
) -> None:
    config.write_text(COMMENTED)
    good = (themes_dir() / "moss.yaml").read_text()
    locations.themes_dir().mkdir()
    (locations.themes_dir() / "mine.yaml").write_text(good.replace("name: moss", "name: mine"))
    (locations.themes_dir() / "torn.yaml").write_text("name: torn\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert themes(app).current == app.theme == "moss"
        lines = seen(app).splitlines()
        assert "yours" in next(line for line in lines if " mine " in line)
        assert "wrong" in next(line for line in lines if " torn " in line)
        app.clear_notifications()
        themes(app).select("torn")
        await until(pilot, lambda: app._notifications)
        assert app.theme == "moss"
        await pilot.press("enter")
        await pilot.pause()
        themes(app).select("moss")
        await pilot.press("down")
        await until(pilot, lambda: app.theme == "plum")
        assert config.read_text() == COMMENTED
        await pilot.press("enter")
        await until_seen(pilot, "plum is kept")
        await pilot.press("home")
        await until(pilot, lambda: app.theme == "chalk")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen) and app.theme == "plum")

    in_settings(tmp_path, journey)
    assert config.read_text() == COMMENTED.replace("moss", "plum")
    assert read_preferences().theme == "plum"


def is_walked_to(app: SpotuiApp, field: Input) -> bool:
    return field.has_focus and app.screen.region.contains_region(field.region)


def test_every_setting_has_a_row_the_arrows_walk_them_and_they_are_filtered(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        rows = list(app.screen.query(DefaultRow))
        assert [one.key for one in rows] == [*(setting.key for setting in SETTINGS), "language"]
        await pilot.press("slash", *"budget")
        shown = [one.key for one in rows if one.display]
        assert "budget.usd" in shown
        assert "run.seed" not in shown
        assert "Budget" in seen(app)
        assert "Rounds" not in seen(app)
        await pilot.press("enter", "f3", "escape")
        assert all(one.display for one in rows)
        await pilot.press("f3", *"--call-timeout")  # as the command line names it
        assert [one.key for one in rows if one.display] == ["run.call_timeout"]
        await pilot.press("enter", "f3", "escape")
        fields = [one.input for one in rows]
        for walked in (fields[:14], fields[-3:]):  # more than the screen has lines, and to the end
            walked[0].focus()
            for field in walked:
                await until(pilot, partial(is_walked_to, app, field))
                await pilot.press("down")
        await pilot.press("up", "up", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    in_settings(tmp_path, journey, SMALL)
