"""Every screen at three sizes, as text: what a person sees, in files that can be read and compared.

After a change that is meant: `pytest tests/tui/test_snapshots.py --snapshot-update`, and read what changed.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.pilot import Pilot

from spotui.tui.app import SpotuiApp
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.tui import scenes, scored_scenes
from tests.tui.piloting import drive, seen

SIZES = ((80, 24), (120, 40), (200, 60))
SCENES = (
    scenes.home,
    scenes.run,
    scenes.rounds,
    scenes.diff,
    scenes.answers,
    scenes.trying,
    scenes.template,
    scenes.new_rows,
    scenes.importing,
    scenes.new_template,
    scenes.filtered,
    scenes.new_run,
    scenes.method,
    scenes.models,
    scenes.settings,
    scenes.keys,
)

SCORED_SCENES = (
    scored_scenes.run_of_gpo,
    scored_scenes.rounds_of_gpo,
    scored_scenes.rows_of_gpo,
    scored_scenes.shown_to_gpo,
    scored_scenes.run_of_gradsum,
    scored_scenes.shown_to_gradsum,
    scored_scenes.a_race,
    scored_scenes.race_rows,
    scored_scenes.new_race,
)


class Screens(SingleFileSnapshotExtension):
    """A text file for every screen."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def screen(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """What the screen looked like."""
    return snapshot.use_extension(Screens)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder of one's own, and a clock that stands still."""
    zone = time.tzname
    move_in(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
    scenes.settle_in(monkeypatch)
    yield
    monkeypatch.undo()
    time.tzset()
    assert time.tzname == zone


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_it_looks_as_it_did(scene: scenes.Scene, screen: SnapshotAssertion, tmp_path: Path) -> None:
    look_at(scene, screen, scenes.recorded_workspace(tmp_path))


@pytest.mark.parametrize("scene", SCORED_SCENES, ids=lambda scene: scene.__name__)
def test_scores_look_as_they_did(scene: scenes.Scene, screen: SnapshotAssertion, tmp_path: Path) -> None:
    look_at(scene, screen, scored_scenes.scored_workspace(tmp_path))


async def still(app: SpotuiApp, pilot: Pilot[None]) -> str:
    """The screen once it stays as it is: some of it is read from files in the meantime."""
    look, again = "", seen(app)
    while look != again:
        await pilot.pause(0.15)
        look, again = again, seen(app)
    return look


def look_at(scene: scenes.Scene, screen: SnapshotAssertion, workspace: Workspace) -> None:
    """Open a screen in a terminal that then becomes larger twice."""
    looks: dict[str, str] = {}

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await scene(app, pilot)
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            looks[f"{width}x{height}"] = await still(app, pilot) + "\n"

    drive(workspace.root.parent, journey, SIZES[0], workspace=workspace)
    for size, look in looks.items():
        assert look == screen(name=size)
