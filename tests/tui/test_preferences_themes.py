"""Every word can be read in every theme, with sixteen colours, and with none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.color import Color
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from spotui.settings import locations
from spotui.settings.themes import load_theme, theme_names
from spotui.tui.answers_screen import AnswersScreen
from spotui.tui.app import SpotuiApp
from spotui.tui.endpoint_screen import EndpointScreen
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.tui.home.screen import HomeScreen
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.home.welcome import WelcomeScreen
from spotui.tui.key_screens import KeysScreen
from spotui.tui.models_screen import ModelsScreen
from spotui.tui.new_run import NewRunScreen
from spotui.tui.preferences import Preferences, textual_theme, use_theme
from spotui.tui.run.asking import LimitsScreen
from spotui.tui.run.screen import RunScreen
from spotui.tui.settings_screen import SettingsScreen, ThemeTable
from spotui.tui.template.screen import TemplateScreen
from spotui.tui.try_screen import TryScreen
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.settings.test_themes import contrast
from tests.tui.piloting import SMALL, Journey, drive, until, until_seen
from tests.tui.projects import finished

OF_THE_TERMINAL = {"terminal", "terminal-light"}
LOOKED_AT = ("harbour", "chalk", "terminal")
"""Dark, light, and of sixteen colours; the colours of the others are compared as they are."""

LEGIBLE = 3.0
"""The least that is asked of large text and of what is not in use; running text has more in every theme."""


Opening = tuple[str, type[Screen[Any]]]
OVER_HOME: tuple[Opening, ...] = (
    ("w", WelcomeScreen),
    ("m", ModelsScreen),
    ("n", EndpointScreen),
    ("comma", SettingsScreen),
    ("question_mark", KeysScreen),
    ("ctrl+p", CommandPalette),
)
OVER_RUN: tuple[Opening, ...] = (("a", AnswersScreen), ("t", TryScreen), ("l", LimitsScreen))
OVER_TEMPLATES: tuple[Opening, ...] = (("e", TemplateScreen), ("enter", NewRunScreen))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    move_in(monkeypatch, tmp_path, COLORTERM="truecolor")
    workspace = Workspace(locations.workspace_dir())
    finished(workspace, "poem")
    finished(workspace, "idioms")
    return workspace


async def open_screen(pilot: Pilot[None], key: str, screen: type[Screen[Any]]) -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, screen))


def tour(workspace: Workspace, theme: str, look: Journey) -> None:
    """Look at every screen."""

    async def walk(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.screen.query_one(TemplatesPanel).keys)
        await look(app, pilot)
        for key, screen in OVER_HOME:
            if screen is EndpointScreen:
                await pilot.press("m", "tab")
            await open_screen(pilot, key, screen)
            if screen is CommandPalette:
                await until_seen(pilot, "Open the selected project")
            if screen is SettingsScreen:
                await until(pilot, lambda: app.screen.query_one(ThemeTable).border_subtitle)
            await look(app, pilot)
            while not isinstance(app.screen, HomeScreen):
                await pilot.press("escape")
        app.screen.query_one(ProjectsPanel).focus()
        await open_screen(pilot, "enter", RunScreen)
        await until_seen(pilot, "Win: the new best")
        for panel in "1234":
            await pilot.press(panel)
            await pilot.pause()
            await look(app, pilot)
        for key, screen in OVER_RUN:
            await open_screen(pilot, key, screen)
            await look(app, pilot)
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        app.screen.query_one(TemplatesPanel).focus()
        for key, screen in OVER_TEMPLATES:
            await open_screen(pilot, key, screen)
            await look(app, pilot)
            while not isinstance(app.screen, HomeScreen):
                await pilot.press("escape")

    drive(workspace.root.parent, walk, SMALL, workspace=workspace, preferences=Preferences(theme))


def painted(app: SpotuiApp) -> Iterator[tuple[str, Color | None, Color | None]]:
    """Every word with its two colours, as the terminal gets them; not those below a dialog."""
    strips = app.screen._compositor.render_strips()
    for widget, (place, clip) in app.screen._compositor.visible_widgets.items():
        if widget.children or (widget.id or "").startswith("textual-"):
            continue
        region = place.intersection(clip)
        for strip in strips[region.y : region.bottom]:
            line: Strip = strip.crop(region.x, region.right)
            for line_filter in app.get_line_filters():
                line = line.apply_filter(line_filter, app.screen.background_colors[1])
            for text, style, _ in line:
                if style is not None and any(letter.isalnum() for letter in text):
                    yield text, style.color, style.bgcolor


def hexadecimal(colour: Color) -> str:
    return colour.get_truecolor().hex


def look_for_faint_words(app: SpotuiApp) -> None:
    for text, front, back in painted(app):
        assert front is not None
        assert back is not None
        found = contrast(hexadecimal(front), hexadecimal(back))
        assert found >= LEGIBLE, f"{app.theme}, {app.screen}: {text!r} is {front} on {back}"


def look_for_foreign_colours(app: SpotuiApp) -> None:
    """The terminal's own are by name, and text has never that of its background."""
    for text, front, back in painted(app):
        names = [colour.name if colour else "default" for colour in (front, back)]
        assert names[0] != names[1] or names[0] == "default", (
            f"{app.theme}, {app.screen}: {text!r} is {names}"
        )
        for colour in (front, back):
            assert colour is None or colour.triplet is None, (
                f"{app.theme}, {app.screen}: {text!r} is {colour}"
            )


def test_every_word_of_every_screen_can_be_read_on_dark_on_light_and_in_sixteen_colours(
    workspace: Workspace,
) -> None:
    async def look(app: SpotuiApp, pilot: Pilot[None]) -> None:
        is_palette = isinstance(app.screen, CommandPalette)  # no theme can be chosen while it is open
        now = LOOKED_AT.index(app.theme)
        for name in [app.theme] if is_palette else (*LOOKED_AT[now:], *LOOKED_AT[:now]):
            if name != app.theme:
                use_theme(app, name)
            await pilot.pause()
            (look_for_foreign_colours if name in OF_THE_TERMINAL else look_for_faint_words)(app)

    tour(workspace, "", look)


@pytest.mark.parametrize("theme", sorted(set(theme_names()) - OF_THE_TERMINAL))
def test_muted_words_and_frames_stand_out_from_what_is_behind_them(theme: str) -> None:
    loaded = load_theme(theme)
    colours = textual_theme(loaded).variables
    for back in (loaded.background, loaded.surface, loaded.panel):
        assert contrast(colours["text-muted"], back) >= 4.5
        assert contrast(colours["text-disabled"], back) >= LEGIBLE
    assert contrast(colours["block-cursor-foreground"], loaded.primary) >= 4.5
    assert contrast(colours["border-blurred"], loaded.background) >= 1.5
    assert contrast(colours["border-blurred"], loaded.primary) >= 1.5


def test_without_colours_there_are_none_and_the_cursor_is_seen(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def look(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.pause()
        for text, front, back in painted(app):
            assert all(one is None or one.is_default for one in (front, back)), f"{text!r}: {front} on {back}"
        if isinstance(app.screen, HomeScreen):
            (line,) = (
                line
                for line in app.screen._compositor.render_strips()
                if "│ idioms" in line.text or "│ poem" in line.text
                if any(segment.style and segment.style.underline for segment in line)
            )
            assert app.screen.query_one(ProjectsPanel).current in line.text

    tour(workspace, "moss", look)
