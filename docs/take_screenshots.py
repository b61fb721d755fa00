"""Takes the README's pictures of every screen: `python docs/take_screenshots.py`.

They show the recorded run that ships with spotui, and a copy of it that was broken off, as the app shows them.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SIZE = (120, 36)
sys.path.insert(0, str(ROOT))

from spotui.tui.app import SpotuiApp  # noqa: E402 - only found once the path is set
from tests.command_line import move_in  # noqa: E402
from tests.tui import scenes  # noqa: E402

PICTURES = (
    scenes.home,
    scenes.run,
    scenes.diff,
    scenes.answers,
    scenes.trying,
    scenes.template,
    scenes.new_run,
    scenes.models,
    scenes.settings,
)


async def _take(scene: scenes.Scene, path: Path) -> None:
    app = SpotuiApp(scenes.recorded_workspace(Path.cwd()))
    async with app.run_test(size=SIZE) as pilot:
        await scene(app, pilot)
        await pilot.pause()
        path.write_text(app.export_screenshot(title="spotui"))


def main() -> None:
    """Take them all, each in a folder of its own."""
    for scene in PICTURES:
        path = ROOT / "docs" / "screens" / f"{scene.__name__}.svg"
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            move_in(patch, Path(folder))
            os.chdir(folder)
            scenes.settle_in(patch)
            asyncio.run(_take(scene, path))
            os.chdir(ROOT)
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
