"""The last row: the most particular keys, and always the one that tells all of them."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from spotui.tui.app import SpotuiApp
from spotui.tui.home.templates_panel import TemplatesPanel
from spotui.tui.key_screens import KeysScreen
from spotui.tui.page import KeyHints
from tests.command_line import move_in
from tests.tui.piloting import LARGE, SMALL, drive, seen, until, until_seen


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path)


@pytest.mark.parametrize("size", [SMALL, LARGE, (30, 24)])
def test_the_key_that_tells_all_of_them_is_always_at_the_end(tmp_path: Path, size: tuple[int, int]) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "open", "? keys")
        last = seen(app).splitlines()[-1]
        assert len(last) == size[0] - 1
        assert last.endswith("  ? keys")
        await pilot.click(KeyHints, offset=(size[0] - 3, 0))
        await until(pilot, lambda: isinstance(app.screen, KeysScreen))

    drive(tmp_path, journey, size)


def test_a_hint_that_is_clicked_does_what_it_says(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, "n new run")
        await pilot.click(KeyHints, offset=(seen(app).splitlines()[-1].index("new run"), 0))
        await until(pilot, lambda: app.screen.query_one(TemplatesPanel).has_focus)

    drive(tmp_path, journey)
