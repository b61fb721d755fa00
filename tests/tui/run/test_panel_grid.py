"""Panels beside each other, several at a place, or one at a time under their names."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from spotui.tui.focus_paint import Framed
from spotui.tui.run.panel_grid import PANELS, Panel, PanelGrid
from tests.tui.asking import ask
from tests.tui.piloting import LARGE, SMALL, seen, until, until_seen

MADE: list[str] = []
"""The panels that were made, in order."""


class Framable(VerticalScroll, Framed):
    ALLOW_MAXIMIZE = True


class GridScreen(Screen[str]):
    AUTO_FOCUS = "#Log"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's declaration

    def compose(self) -> ComposeResult:
        yield PanelGrid([Panel(partial(self.make, name)) for name in PANELS], [1])

    def make(self, name: str) -> Framed:
        panel = Framable(Static(f"inside {name}"), can_focus=True, id=name)
        panel.border_title = name
        if name == "Diff":
            panel.border_title, panel.border_subtitle = Content("Diff  [a/b] → c"), "2 words"
        MADE.append(name)
        return panel


def go(journey: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int]) -> None:
    async def take(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await journey(pilot)
        pilot.app.screen.dismiss("done")

    MADE.clear()
    assert ask(GridScreen, take, size) == "done"


def inside(pilot: Pilot[None]) -> set[str]:
    return {name for name in PANELS if f"inside {name}" in seen(pilot.app)}


def test_a_large_screen_shows_one_panel_at_each_place() -> None:
    async def journey(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: inside(pilot) == {"Best", "Log", "Progress", "Rounds"})
        assert set(MADE) == {"Best", "Log", "Progress", "Rounds"}
        await pilot.press("3")
        await until(pilot, lambda: inside(pilot) == {"Best", "Log", "Diff", "Rounds"})
        focused = pilot.app.focused
        assert focused is not None
        assert focused.has_class("-shown")
        assert len(pilot.app.screen.query(".-shown")) == 1
        await pilot.press("7", "1", "6")
        await until(pilot, lambda: inside(pilot) == {"Template", "Questions", "Progress", "Rounds"})
        assert len(MADE) == len(set(MADE)) == 7
        await pilot.resize_terminal(200, 50)
        await until(
            pilot,
            lambda: inside(pilot) == {"Template", "Log", "Questions", "Progress", "Diff", "Rounds"},
        )
        await pilot.resize_terminal(*SMALL)
        await until(pilot, lambda: inside(pilot) == {"Progress"})

    go(journey, LARGE)


@pytest.mark.parametrize(("key", "name"), [("1", "Template"), ("3", "Diff"), ("4", "Rounds")])
def test_a_small_screen_shows_the_one_that_was_asked_for(key: str, name: str) -> None:
    async def journey(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: inside(pilot) == {"Log"})
        await until_seen(pilot, "1 Template  2 Log   3 Diff  4 Rounds  5 Best  6 Progress  7 Questions  8  9")
        await pilot.press(key)
        await until(pilot, lambda: inside(pilot) == {name})

    go(journey, SMALL)


def test_what_stands_in_the_frame_stands_beside_the_names_where_there_is_none() -> None:
    async def journey(pilot: Pilot[None]) -> None:
        await pilot.press("3")
        await until_seen(pilot, "2 Log", "3 Diff", "[a/b] → c  2 words")
        await pilot.resize_terminal(50, 24)
        await until(pilot, lambda: "→" not in seen(pilot.app))
        await until_seen(pilot, "3 Diff", "  2 words")

    go(journey, SMALL)


@pytest.mark.parametrize(("x", "name"), [(3, "Template"), (22, "Diff"), (32, "Rounds"), (65, "Questions")])
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
        await until(pilot, lambda: inside(pilot) == {"Best", "Log", "Progress", "Rounds"})

    go(journey, LARGE)
