"""Screens of methods that score prompts, which always show the same."""

from pathlib import Path

from textual.pilot import Pilot

from spotui.tui.app import SpotuiApp
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.race.screen import RaceScreen
from spotui.tui.run.log_panel import LogView
from spotui.workspace.projects import Workspace
from tests.tui import scored_projects
from tests.tui.piloting import until, until_seen


def scored_workspace(folder: Path) -> Workspace:
    """A workspace with a run of GPO and one of GRAD-SUM."""
    workspace = Workspace(folder / "workspace")
    scored_projects.gpo(workspace)
    scored_projects.gradsum(workspace)
    return workspace


async def _opened(app: SpotuiApp, pilot: Pilot[None], name: str) -> None:
    await until_seen(pilot, "beams", "sums")
    app.open_project(name)
    await until_seen(pilot, "finished", "Stopped")
    log = app.screen.query_one(LogView)
    await until(pilot, lambda: log.scroll_y == log.max_scroll_y)


async def run_of_gpo(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A run of GPO, at the round that won."""
    await _opened(app, pilot, "sums")
    await pilot.press("left_square_bracket")


async def rounds_of_gpo(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Its rounds with their scores, which a small screen shows alone."""
    await _opened(app, pilot, "sums")
    await pilot.press("4")
    await until_seen(pilot, "verdict")


async def rows_of_gpo(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The prompts of its last round, row by row."""
    await _opened(app, pilot, "sums")
    await pilot.press("a")
    await until_seen(pilot, "won:lost", "The sum is 64.")


async def shown_to_gpo(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What its optimizer saw."""
    await rows_of_gpo(app, pilot)
    await pilot.press("3")
    await until_seen(pilot, "alike")


async def run_of_gradsum(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A run of GRAD-SUM, with gradients, summary and beam in its log."""
    await _opened(app, pilot, "beams")


async def shown_to_gradsum(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What its optimizer saw."""
    await _opened(app, pilot, "beams")
    await pilot.press("a")
    await until_seen(pilot, "won:lost")
    await pilot.press("3")
    await until_seen(pilot, "gradient 1")


async def a_race(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Methods against each other, as one table."""
    await until_seen(pilot, "beams", "sums")
    app.push_screen(RaceScreen(scored_projects.race(app.workspace)))
    await until_seen(pilot, "Row by row")


async def race_rows(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Two methods of a race, row by row."""
    await a_race(app, pilot)
    await pilot.press("c")
    await until_seen(pilot, "gpo answers", "The difference is", "sum is 65.")


async def new_race(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What a race would take, before it is started."""
    await until_seen(pilot, "beams", "sums", "chinese-idioms")
    app.screen.query_one(TemplatesPanel).select_named("navigate")
    await pilot.press("tab", "c")
    await until_seen(pilot, "Expected, one after another:", "gradsum  ")
