"""Takes the pictures of every screen and records the demo of the README: `python docs/take_screenshots.py`.

Names of pictures take only those, `demo` among them: `python docs/take_screenshots.py run home demo`.
To add one, write a scene and name it in `PICTURES`. They show recorded runs that ship with spotui or with
its tests, and a copy that was broken off; where prompts are scored, a race on sums that is run for them
against the model server of the tests.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest
from textual.pilot import Pilot

ROOT = Path(__file__).resolve().parents[1]
SIZE, WIDE = (120, 36), (190, 50)
sys.path.insert(0, str(ROOT))

from record_demo import record_demo  # noqa: E402

from spotui import lang  # noqa: E402 - only found once the path is set
from spotui.settings import locations  # noqa: E402 - only found once the path is set
from spotui.settings.resources import tour_dir  # noqa: E402
from spotui.tui.app import SpotuiApp  # noqa: E402
from spotui.tui.home.templates_panel import TemplatesPanel  # noqa: E402
from spotui.workspace.projects import Workspace  # noqa: E402
from tests.command_line import move_in  # noqa: E402
from tests.model_server import ModelServerProcess  # noqa: E402
from tests.row_model import rows, template  # noqa: E402
from tests.tui import scenes  # noqa: E402
from tests.tui.piloting import until_seen  # noqa: E402
from tests.tui.settling import settling  # noqa: E402

RACERS = ("gpo.max_steps=4", "gpo.candidates_per_step=4", "gradsum.iterations=2", "gradsum.train_rows=12")
RUN = "support-reply"
DEMO = "demo"


async def home(_: SpotuiApp, pilot: Pilot[None]) -> None:
    """The projects with what each is worth, and the templates."""
    await until_seen(pilot, RUN, scenes.PROJECT, "interrupted", "chinese-idioms")


async def run(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A run that has finished, at a glance."""
    await home(app, pilot)
    app.open_project(RUN)
    await until_seen(pilot, "finished", "Stopped")


async def run_wide(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The same run where six panels have room."""
    await run(app, pilot)


async def lineage(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """Which prompt was made from which."""
    await run(app, pilot)
    await pilot.press("8")
    await pilot.pause()


async def reasons(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What the judge gives as a reason again and again."""
    await run(app, pilot)
    await pilot.press("9")
    await pilot.pause()


async def diff(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What the best has that the seed has not, on the whole screen."""
    await run(app, pilot)
    await pilot.press("3", "d", "v", "z")
    await until_seen(pilot, "one next step")


async def answers(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The answers of a round beside those it had to beat."""
    await run(app, pilot)
    await pilot.press("a")
    await until_seen(pilot, "against")


async def tour(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """The tour, with a caption."""
    await home(app, pilot)
    await pilot.press("t")
    await until_seen(pilot, "Round 1", "1/13")


async def scores(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A run of GPO."""
    app.open_project("sums-race/gpo")
    await until_seen(pilot, "Stopped", "72 test rows")


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


async def welcome(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What can be used here, and the way to a first run."""
    await home(app, pilot)
    await pilot.press("w")
    await until_seen(pilot, "1  A model", "qwen2.5")


async def new_race(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """What a race would take, before it is started."""
    await home(app, pilot)
    app.screen.query_one(TemplatesPanel).select_named("navigate")
    await pilot.press("tab", "c")
    await until_seen(pilot, "Expected, one after another:", "gradsum  ")


async def run_chinese(app: SpotuiApp, pilot: Pilot[None]) -> None:
    """A run in Chinese."""
    await until_seen(pilot, RUN)
    await app.use_language("zh_CN")
    await until_seen(pilot, "项目")
    app.open_project(RUN)
    await until_seen(pilot, "已停止：")


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


def recorded_workspace(folder: Path) -> Workspace:
    """A workspace with the runs of the tour and of the tests, and one that was broken off."""
    workspace = scenes.recorded_workspace(folder)
    shutil.copytree(tour_dir(), workspace.root / RUN)
    return workspace


class Picture(NamedTuple):
    """A picture that the documents show.

    Attributes:
        scene: What leads to it; the picture has its name.
        workspace: Makes what the app opens.
        size: In cells.
    """

    scene: scenes.Scene
    workspace: Callable[[Path], Workspace] = recorded_workspace
    size: tuple[int, int] = SIZE


PICTURES = (
    Picture(home),
    Picture(run),
    Picture(run_wide, size=WIDE),
    Picture(lineage),
    Picture(reasons),
    Picture(diff),
    Picture(answers),
    Picture(tour),
    Picture(welcome),
    Picture(new_race),
    Picture(run_chinese),
    Picture(scenes.trying, scenes.recorded_workspace),
    Picture(scenes.template, scenes.recorded_workspace),
    Picture(scenes.new_template, scenes.recorded_workspace),
    Picture(scenes.importing, scenes.recorded_workspace),
    Picture(scenes.new_run, scenes.recorded_workspace),
    Picture(scenes.method, scenes.recorded_workspace),
    Picture(scenes.models, scenes.recorded_workspace),
    Picture(scenes.settings, scenes.recorded_workspace),
    Picture(scores, raced_workspace),
    Picture(scored_rows, raced_workspace),
    Picture(race, raced_workspace),
    Picture(race_rows, raced_workspace),
)
"""All of them; those with one workspace are beside each other."""


async def _take(one: Picture, workspace: Workspace) -> None:
    app = SpotuiApp(workspace)
    async with app.run_test(size=one.size) as pilot:
        await one.scene(app, pilot)
        await pilot.pause()
        path = ROOT / "docs" / "screens" / f"{one.scene.__name__}.svg"
        path.write_text(app.export_screenshot(title="spotui"))


def main() -> int:
    """Take those that were named, or all, the demo last.

    Returns:
        The exit code: 1 when one could not be taken; the others are.
    """
    wanted = [one for one in PICTURES if not sys.argv[1:] or one.scene.__name__ in sys.argv[1:]]
    faults = 0
    for make, pictures in groupby(wanted, key=lambda one: one.workspace):
        with tempfile.TemporaryDirectory(prefix="s-") as kept, pytest.MonkeyPatch.context() as patch:
            move_in(patch, Path(kept))
            os.chdir(kept)
            original = make(Path(kept)).root
            for one in pictures:
                with (
                    tempfile.TemporaryDirectory(prefix="s-") as folder,
                    pytest.MonkeyPatch.context() as inner,
                ):
                    move_in(inner, Path(folder))
                    os.chdir(folder)
                    scenes.settle_in(inner)
                    root = shutil.copytree(original, Path(folder) / "workspace")
                    try:
                        with settling():
                            asyncio.run(_take(one, Workspace(root)))
                    except Exception as error:  # noqa: BLE001 - one screen that has changed spoils no other
                        sys.stderr.write(f"{one.scene.__name__}: {error}\n")
                        sys.stderr.flush()
                        faults += 1
                    lang.use()
                    os.chdir(ROOT)
    if DEMO in sys.argv[1:] or not sys.argv[1:]:
        record_demo()
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
