"""The app driven without a terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from spotui.tui.app import SpotuiApp
from spotui.tui.preferences import Preferences
from spotui.workspace.projects import Workspace
from tests.tui.settling import settle, settling, text_of, was_seen

SMALL, LARGE = (80, 24), (120, 40)
PATIENCE_SECONDS = 120.0
FIRST_LOOK_SECONDS, LAST_LOOK_SECONDS = 0.005, 0.08
_FRAMES = str.maketrans(dict.fromkeys("│─╭╮╰╯▌▐", " "))

Journey = Callable[[SpotuiApp, Pilot[None]], Awaitable[None]]


def workspace_in(folder: Path) -> Path:
    """A workspace with a project in it, so that nobody is welcomed as a newcomer."""
    workspace = folder / "data" / "workspace"
    results = workspace / "other" / "prompts" / "results.json"
    results.parent.mkdir(parents=True)
    results.write_text("[]")
    return workspace


def drive(
    folder: Path,
    journey: Journey,
    size: tuple[int, int] = LARGE,
    *,
    workspace: Workspace | None = None,
    preferences: Preferences | None = None,
) -> None:
    """Open the app, take a journey through it, and close it; an exception anywhere in it fails the test.

    Only what the journey looks at is painted, and the last screen once: the rest nobody sees.

    Args:
        folder: What everything is below.
        journey: The way through the app.
        size: Of the screen, in cells.
        workspace: What the app opens; None for one of a newcomer's second day.
        preferences: How the user wants the app.
    """
    workspace = workspace or Workspace(workspace_in(folder))

    async def take() -> None:
        app = SpotuiApp(workspace, preferences)
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await journey(app, pilot)
            if app.is_running and not was_seen(app.screen):
                seen(app)

    with settling(paints=False):
        asyncio.run(take())


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    """Wait until something holds, and has settled: it has its scrollbars, and takes keys."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    await settle(pilot.app, outside=0)
    look = FIRST_LOOK_SECONDS
    while not ((not pilot.app.is_running or pilot.app.screen.is_mounted) and holds()):
        if (fault := pilot.app._exception) is not None:
            raise fault
        assert asyncio.get_running_loop().time() < deadline, (
            f"it never held; the screen is:\n{seen(pilot.app)}"
        )
        await asyncio.sleep(look)
        look = min(2 * look, LAST_LOOK_SECONDS)  # of a screen that changes all the time, each paints it
        await settle(pilot.app, outside=0)


async def until_seen(pilot: Pilot[None], *texts: str) -> None:
    """Wait until every text is on the screen."""
    await until(pilot, lambda: all(text in seen(pilot.app) for text in texts))


def seen(app: object) -> str:
    """The screen as text, without the blanks at the ends of its lines."""
    from textual.app import App

    assert isinstance(app, App)
    return text_of(app)


async def until_told(pilot: Pilot[None], *texts: str) -> None:
    """Wait until every text is on the screen, wherever it is wrapped."""
    await until(pilot, lambda: all(text in told(pilot.app) for text in texts))


def told(app: object) -> str:
    """The screen as one line, without the frames of what is on it."""
    return " ".join(seen(app).translate(_FRAMES).split())
