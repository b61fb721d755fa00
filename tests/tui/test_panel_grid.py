"""Four panels beside each other, or one at a time under their names."""

from collections.abc import Awaitable, Callable

import pytest
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from spotui.tui.panel_grid import PANELS, PanelGrid
from tests.tui.asking import ask
from tests.tui.piloting import LARGE, SMALL, seen, until, until_seen


class Panel(VerticalScroll):
    ALLOW_MAXIMIZE = True


class GridScreen(Screen[str]):
    AUTO_FOCUS = "#Log"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's declaration

    def compose(self) -> ComposeResult:
        panels = [Panel(Static(f"inside {name}"), can_focus=True, id=name) for name in PANELS]
        for panel, name in zip(panels, PANELS, strict=True):
            panel.border_title = name
        panels[2].border_title, panels[2].border_subtitle = Content("Diff  [a/b] → c"), "2 words"
        yield PanelGrid(panels, 1)


def go(journey: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int]) -> None:
    async def take(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await journey(pilot)
        pilot.app.screen.dismiss("done")

    assert ask(GridScreen, take, size) == "done"


def inside(pilot: Pilot[None]) -> set[str]:
    return {name for name in PANELS if f"inside {name}" in seen(pilot.app)}


def test_a_large_screen_shows_them_all_without_their_names_above() -> None:
    async def journey(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: inside(pilot) == set(PANELS))
        assert "1 Template" not in seen(pilot.app)
        await pilot.press("3")
        focused = pilot.app.focused
        assert focused is not None
        assert focused.has_class("-shown")
        assert len(pilot.app.screen.query(".-shown")) == 1

    go(journey, LARGE)


@pytest.mark.parametrize(("key", "name"), [("1", "Template"), ("3", "Diff"), ("4", "Rounds")])
def test_a_small_screen_shows_the_one_that_was_asked_for(key: str, name: str) -> None:
    async def journey(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: inside(pilot) == {"Log"})
        await until_seen(pilot, "1 Template   2 Log   3 Diff   4 Rounds")
        await pilot.press(key)
        await until(pilot, lambda: inside(pilot) == {name})

    go(journey, SMALL)


def test_what_stands_in_the_frame_stands_beside_the_names_where_there_is_none() -> None:
    async def journey(pilot: Pilot[None]) -> None:
        await pilot.press("3")
        await until_seen(pilot, "4 Rounds", "[a/b] → c  2 words")
        await pilot.resize_terminal(50, 24)
        await until_seen(pilot, "4 Rounds", "…")

    go(journey, SMALL)


@pytest.mark.parametrize(("x", "name"), [(3, "Template"), (15, "Log"), (22, "Diff"), (32, "Rounds")])
def test_a_name_can_be_clicked(x: int, name: str) -> None:
    async def journey(pilot: Pilot[None]) -> None:
        await pilot.click("PanelTabs", offset=(x, 0))
        await until(pilot, lambda: inside(pilot) == {name})

    go(journey, SMALL)


def test_one_can_have_the_whole_screen_and_give_it_back() -> None:
    async def journey(pilot: Pilot[None]) -> None:
        await pilot.press("4", "z")
        await until(pilot, lambda: inside(pilot) == {"Rounds"})
        await pilot.press("z")
        await until(pilot, lambda: inside(pilot) == set(PANELS))

    go(journey, LARGE)
