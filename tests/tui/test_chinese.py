"""The main screens in Chinese, in a small terminal: translated, and nothing of it is cut."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from spotui import lang
from spotui.tui.app import SpotuiApp
from spotui.tui.home.projects_panel import ProjectsPanel
from spotui.tui.page import KeyHints
from spotui.tui.settings_screen import SettingsScreen
from spotui.tui.table_view import TableView
from tests.command_line import move_in
from tests.tui import scenes
from tests.tui.piloting import SMALL, drive, seen, until, until_seen


@pytest.fixture(autouse=True)
def chinese(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Chinese, in a place of its own."""
    move_in(monkeypatch, tmp_path, SPOTUI_LANG="zh_CN")
    monkeypatch.chdir(tmp_path)
    lang.use()
    yield
    monkeypatch.undo()
    lang.use()


def hold(app: SpotuiApp, *texts: str) -> None:
    """Everything is there, and what is written in Chinese is whole."""
    shown = seen(app)
    assert [text for text in texts if text not in shown] == []
    assert [line for line in shown.splitlines() if cell_len(line) > SMALL[0]] == []
    for table in app.screen.query(TableView):
        if not (table.is_on_screen and table.keys):
            continue
        titles = table.render_line(0).text
        for column, width in zip(
            table._columns, table._widths(table.scrollable_content_region.width), strict=True
        ):
            if width and column.title:
                assert lang._(column.title) in titles
    for hints in app.screen.query(KeyHints):
        assert re.search(r"[\u4e00-\u9fff]", hints.render().plain)
        assert not re.search(r"\b(quit|keys|back|choose|resume|export)\b", hints.render().plain)


def test_home_a_new_run_a_run_and_the_settings(tmp_path: Path) -> None:
    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await until_seen(pilot, scenes.PROJECT, "已中断", "已完成", "chinese-idioms")
        hold(app, "项目", "模板", "状态", "轮", "自带")
        await pilot.press("tab", "enter")
        await until_seen(pilot, "预计：", "评审：")
        hold(app, "的新运行", "名称", "预算")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query(ProjectsPanel))
        app.open_project(scenes.PROJECT)
        await until_seen(pilot, "已完成", "日志")
        hold(app, "模板", "差异", "轮次")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query(ProjectsPanel))
        await pilot.press("comma")
        await until(pilot, lambda: isinstance(app.screen, SettingsScreen))
        await until_seen(pilot, "主题", "最大轮数", "深色")
        hold(app, "深色", "默认值")

    workspace = scenes.recorded_workspace(tmp_path)
    drive(tmp_path, journey, SMALL, workspace=workspace)
