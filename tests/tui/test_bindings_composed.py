"""What a screen can give the focus to is known without showing it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from spotui.tui.app import SpotuiApp
from spotui.tui.bindings import widget_types, widgets_of
from tests.command_line import move_in
from tests.tui import scenes
from tests.tui.piloting import drive

SCENES = (scenes.home, scenes.run, scenes.answers, scenes.trying, scenes.template, scenes.new_run)


@pytest.mark.parametrize("scene", [*SCENES, scenes.models, scenes.settings], ids=lambda one: one.__name__)
def test_whatever_takes_the_focus_on_a_screen_is_among_what_it_composes(
    scene: Callable[[SpotuiApp, Pilot[None]], Awaitable[None]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    move_in(monkeypatch, tmp_path)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await scene(app, pilot)
        kinds = set(widgets_of(type(app.screen)))
        shown = {type(one) for one in app.screen.query(Widget) if one.can_focus}
        assert shown
        assert shown <= kinds

    drive(tmp_path, journey, workspace=scenes.recorded_workspace(tmp_path))


def test_every_screen_is_looked_at() -> None:
    screens = [kind for kind in widget_types() if issubclass(kind, Screen)]
    assert len(screens) > 10
    assert all(widgets_of(screen) for screen in screens if "compose" in vars(screen))
