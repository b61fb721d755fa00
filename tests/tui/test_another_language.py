"""Another language reaches every screen that is open, from the settings and from the palette."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui import lang
from spotui.settings.language import saved_language
from spotui.tui.app import SpotuiApp
from spotui.tui.settings_screen import SettingsScreen
from spotui.workspace.projects import Workspace
from tests.command_line import move_in
from tests.tui.piloting import drive, until, until_seen
from tests.tui.projects import finished


@pytest.fixture(autouse=True)
def english_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    move_in(monkeypatch, tmp_path)
    monkeypatch.setenv("LC_ALL", "C")
    lang.use()
    yield
    lang.use()


def test_home_a_run_and_the_settings_change_at_once_and_back(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "data" / "workspace")
    finished(workspace, "sea")

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        app.open_project("sea")
        await until_seen(pilot, "finished", "Stopped: finished")
        await pilot.press("f10")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        field = app.screen.query_one("#default-language Input", Input)
        field.focus()
        field.value = "zh_CN"
        await pilot.press("enter")
        await until_seen(pilot, "设置")
        await until(pilot, lambda: app.focused is app.screen.query_one("#default-language Input", Input))
        await pilot.press("escape")
        await until_seen(pilot, "已完成", "已停止：", "轮次")
        await pilot.press("escape")
        await until_seen(pilot, "项目", "模板", "weekly-report")
        assert saved_language() == "zh_CN"
        await pilot.press("ctrl+p")
        await pilot.press(*"English")
        await until_seen(pilot, "全部用English显示")
        await pilot.press("enter")
        await until_seen(pilot, "Projects", "Templates", "finished")
        assert saved_language() == "en"

    drive(tmp_path, journey, workspace=workspace)
