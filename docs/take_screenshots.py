"""Takes the README's pictures of every screen: `python docs/take_screenshots.py`.

They show the recorded run that ships with spotui, and a copy of it that was broken off; where prompts are
scored, a race on sums that is run for them against the model server of the tests.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

ROOT = Path(__file__).resolve().parents[1]
SIZE = (120, 36)
sys.path.insert(0, str(ROOT))

from spotui.settings import locations  # noqa: E402 - only found once the path is set
from spotui.tui.app import SpotuiApp  # noqa: E402
from spotui.workspace.projects import Workspace  # noqa: E402
from tests.command_line import move_in  # noqa: E402
from tests.model_server import ModelServerProcess  # noqa: E402
from tests.row_model import rows, template  # noqa: E402
from tests.tui import scenes  # noqa: E402
from tests.tui.piloting import until_seen  # noqa: E402

RECORDED = (
    scenes.home,
    scenes.run,
    scenes.diff,
    scenes.answers,
    scenes.trying,
    scenes.template,
    scenes.new_template,
    scenes.new_run,
    scenes.method,
    scenes.models,
    scenes.settings,
)
RACERS = ("gpo.max_steps=4", "gpo.candidates_per_step=4", "gradsum.iterations=2", "gradsum.train_rows=12")


async def scores(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A run of GPO."""
    app.open_project("sums-race/gpo")
    await until_seen(pilot, "Stopped", "rows of rows.jsonl")


async def scored_rows(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The prompts of a round, row by row."""
    await scores(app, pilot)
    await pilot.press("a")
    await until_seen(pilot, "won:lost", "The answer is")


async def race(_: SpotuiApp, pilot: Pilot[None]) -> None:
    """Three methods as one table."""
    await until_seen(pilot, "sums-race/gpo")
    await pilot.press("c")
    await until_seen(pilot, "Row by row")


async def race_rows(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Two of them, row by row."""
    await race(app, pilot)
    await pilot.press("c")
    await until_seen(pilot, "The difference is", "expected")


def raced_workspace(folder: Path) -> Workspace:
    """A workspace in which three methods have raced."""
    (folder / "rows.jsonl").write_text(rows(120))
    (folder / "sums.yaml").write_text(template())
    with ModelServerProcess(folder / "log", "--reply", "tests.row_model:adding") as model:
        words = ["race", "sums.yaml", "--base-url", model.base_url, "--model", "small-model", "--yes"]
        for one in RACERS:
            words += ["--set", one]
        subprocess.run([sys.executable, "-m", "spotui", *words], cwd=folder, check=True, capture_output=True)
    return Workspace(locations.workspace_dir())


async def _take(scene: scenes.Scene, workspace: Workspace, path: Path) -> None:
    app = SpotuiApp(workspace)
    async with app.run_test(size=SIZE) as pilot:
        await scene(app, pilot)
        await pilot.pause()
        path.write_text(app.export_screenshot(title="spotui"))


def main() -> None:
    """Take them all, each in a folder of its own."""
    pictures: list[tuple[scenes.Scene, Callable[[Path], Workspace]]] = []
    pictures += [(scene, scenes.recorded_workspace) for scene in RECORDED]
    pictures += [(scene, raced_workspace) for scene in (scores, scored_rows, race, race_rows)]
    for scene, workspace_in in pictures:
        path = ROOT / "docs" / "screens" / f"{scene.__name__}.svg"
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            move_in(patch, Path(folder))
            os.chdir(folder)
            scenes.settle_in(patch)
            asyncio.run(_take(scene, workspace_in(Path(folder)), path))
            os.chdir(ROOT)


if __name__ == "__main__":
    main()
