"""Keys are given by pressing them, work at once, and stand in the user's file."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.settings import locations
from spotui.settings.shortcuts import load_user_keys
from spotui.tui.app import SpotuiApp
from spotui.tui.home.screen import HomeScreen
from spotui.tui.key_screens import KeyMapScreen, KeyTable, PressScreen
from spotui.tui.models_screen import ModelsScreen
from spotui.tui.preferences import read_preferences
from spotui.tui.settings_screen import SettingsScreen
from tests.command_line import move_in
from tests.tui.piloting import LARGE, SMALL, Journey, drive, until, until_seen


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)


def in_keys(folder: Path, journey: Journey, size: tuple[int, int] = LARGE) -> None:
    async def after_opening(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.user_keys or not locations.keys_file().exists())
        app.action_key_map()
        await until(pilot, lambda: isinstance(app.screen, KeyMapScreen) and table(app).keys)
        await journey(app, pilot)

    drive(folder, after_opening, size, preferences=read_preferences())


def table(app: SpotuiApp) -> KeyTable:
    return app.screen.query_one(KeyTable)


async def give(app: SpotuiApp, pilot: Pilot[None], name: str, key: str) -> None:
    table(app).select(name)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, PressScreen))
    await pilot.press(key)


def test_a_key_that_is_pressed_works_at_once_and_is_kept(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("comma")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(app.screen, KeyMapScreen) and table(app).keys)
        await give(app, pilot, "home.models", "M")
        await until_seen(pilot, "Home: models", "yours", "home.models")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        await pilot.press("m")
        await pilot.pause()
        assert isinstance(app.screen, HomeScreen)
        await pilot.press("M")
        await until(pilot, lambda: isinstance(app.screen, ModelsScreen))

    in_keys(tmp_path, journey, SMALL)
    assert load_user_keys().keys == {"home.models": ("M",)}


def test_a_key_that_is_taken_is_refused_with_what_it_does(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await give(app, pilot, "home.tour", "w")
        await until_seen(pilot, "w is 'find models' (home.welcome) already.")
        await give(app, pilot, "app.quit", "x")
        await until_seen(pilot, "x is typed into texts")
        await give(app, pilot, "home.tour", "escape")
        await until(pilot, lambda: isinstance(app.screen, KeyMapScreen))
        assert not locations.keys_file().exists()
        # One that some terminals cannot tell is asked for again.
        await give(app, pilot, "home.tour", "ctrl+h")
        await until_seen(pilot, "ctrl+h is backspace on many terminals.")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.user_keys == {"home.tour": "ctrl+o"})

    in_keys(tmp_path, journey)


def test_the_usual_key_comes_back_and_the_comments_stay(tmp_path: Path) -> None:
    locations.config_dir().mkdir()
    locations.keys_file().write_text("# mine\nhome.tour: T\nhome.welcome: W  # as ever\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        table(app).select("home.tour")
        await until_seen(pilot, "its usual key")
        await pilot.press("x")
        await until(pilot, lambda: app.user_keys == {"home.welcome": "W"})
        await until(pilot, lambda: not table(app).check_action("put_back", ()))

    in_keys(tmp_path, journey)
    assert locations.keys_file().read_text() == "# mine\nhome.welcome: W  # as ever\n"
