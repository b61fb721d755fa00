"""The app opens as the config folder says; what is broken there is told and left out."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.settings import locations
from spotui.settings.resources import themes_dir
from spotui.tui.app import SpotuiApp
from spotui.tui.preferences import Preferences, read_preferences
from tests.command_line import move_in
from tests.tui.piloting import Journey, drive, until

GOOD = (themes_dir() / "harbour.yaml").read_text()


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The config folder, with a folder for themes."""
    move_in(monkeypatch, tmp_path)
    locations.themes_dir().mkdir(parents=True)
    return locations.config_dir()


def opened(folder: Path, journey: Journey) -> None:
    drive(folder, journey, preferences=read_preferences())


def told(app: SpotuiApp) -> str:
    return "\n".join(f"{one.title}: {one.message}" for one in app._notifications)


def test_without_files_nothing_is_read(tmp_path: Path) -> None:
    assert read_preferences() == Preferences()


def test_the_app_opens_with_the_saved_theme(tmp_path: Path, config: Path) -> None:
    (config / "config.yaml").write_text("theme: chalk\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert app.theme == "chalk"

    opened(tmp_path, journey)


def test_a_theme_of_the_users_own_is_used(tmp_path: Path, config: Path) -> None:
    (config / "config.yaml").write_text("theme: mine\n")
    (config / "themes" / "mine.yaml").write_text(
        GOOD.replace("name: harbour", "name: mine").replace("#5fa8d3", "#010203")
    )

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert app.theme == "mine"
        assert app.current_theme.primary == "#010203"

    opened(tmp_path, journey)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("mine", "name: mine\n", "mine.yaml cannot be used"),
        ("mine", GOOD, "its name is 'harbour', and must be 'mine'"),
        ("harbour", "name: [", "harbour.yaml cannot be used"),
    ],
)
@pytest.mark.parametrize("is_chosen", [True, False])
def test_a_broken_theme_is_told_and_the_usual_one_stays(
    tmp_path: Path, config: Path, name: str, text: str, why: str, is_chosen: bool
) -> None:
    (config / "themes" / f"{name}.yaml").write_text(text)
    if is_chosen:
        (config / "config.yaml").write_text(f"theme: {name}\n")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: why in told(app))
        assert app.theme == "harbour"
        assert app.current_theme.primary == "#5fa8d3"

    opened(tmp_path, journey)


@pytest.mark.parametrize(
    ("text", "why"), [("theme: neon\n", "'neon'"), ("them: moss\n", "Did you mean theme?")]
)
def test_a_config_file_that_is_wrong_is_told(tmp_path: Path, config: Path, text: str, why: str) -> None:
    (config / "config.yaml").write_text(text)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: why in told(app))
        assert app.theme == "harbour"

    opened(tmp_path, journey)


@pytest.mark.parametrize("text", ["", "theme: moss\n"])
def test_without_colours_the_terminal_s_own_two_are_used(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (config / "config.yaml").write_text(text)
    monkeypatch.setenv("NO_COLOR", "1")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert app.theme == "terminal"
        for line in app.screen._compositor.render_strips():
            for segment in line.apply_filter(app.get_line_filters()[-1], app.screen.background_colors[1]):
                style = segment.style
                assert style is None or all(
                    one is None or one.is_default for one in (style.color, style.bgcolor)
                )

    opened(tmp_path, journey)


@pytest.mark.parametrize(
    ("text", "background", "theme"),
    [
        ("", "", "terminal"),
        ("", "15;default;0", "terminal"),
        ("", "0;15", "terminal-light"),
        ("theme: moss\n", "0;15", "moss"),
    ],
)
def test_with_sixteen_colours_the_terminal_s_own_are_used_unless_another_theme_was_chosen(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch, text: str, background: str, theme: str
) -> None:
    (config / "config.yaml").write_text(text)
    monkeypatch.setenv("TERM", "xterm-16color")
    monkeypatch.setenv("COLORFGBG", background)
    monkeypatch.delenv("COLORTERM", raising=False)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        assert app.theme == theme

    opened(tmp_path, journey)
