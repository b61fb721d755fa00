"""The captions of the tour: each comes when the run is there, and not before the last one could be read."""

from pathlib import Path

import pytest
from textual.content import Content
from textual.pilot import Pilot

from spotui import lang
from spotui.tui.answers_screen import AnswersScreen
from spotui.tui.app import SpotuiApp
from spotui.tui.home.screen import HomeScreen
from spotui.tui.tour import CAPTIONS, TourScreen
from spotui.view.picture import Picture
from tests.command_line import move_in
from tests.tui.piloting import SMALL, drive, seen, until, until_seen, until_told


def test_captions_follow_the_run_and_keys_skip_and_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spotui.tui.run.client.SPEED", 0)
    monkeypatch.setattr("spotui.tui.tour.READ_SECONDS", 1e9)
    move_in(monkeypatch, tmp_path)

    async def journey(app: SpotuiApp, pilot: Pilot[None]) -> None:
        await pilot.press("t")
        await until_seen(pilot, f"1/{len(CAPTIONS)}  The task", "were written by hand", "esc leave the tour")
        screen = app.screen
        assert isinstance(screen, TourScreen)
        await until(pilot, lambda: screen._client.picture.stopped is not None)
        await pilot.press("4")  # a panel whose Enter opens the answers
        for number, one in enumerate(CAPTIONS[1:], 2):
            await until_seen(pilot, "⏎ next caption", "esc leave the tour")
            await pilot.press("enter")
            await until_told(pilot, f"{number}/{len(CAPTIONS)} {one.title}", *one.text.split(". ")[:1])
        assert "…" not in "".join(seen(app).splitlines()[-5:-1])
        assert "next caption" not in seen(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, AnswersScreen))
        await pilot.press("escape", "2", "slash", "x", "enter")
        await until_seen(pilot, f"{len(CAPTIONS)}/{len(CAPTIONS)}", "only lines with “x”")
        assert "leave the tour" not in seen(app)  # Escape shows the whole log first
        await pilot.press("escape")
        await until_seen(pilot, "esc leave the tour")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))

    drive(tmp_path, journey, SMALL)


def test_no_caption_is_ahead_of_the_run_and_none_is_left_out() -> None:
    from spotui.settings.resources import tour_dir
    from spotui.view.retell import retell
    from spotui.workspace.history import read_history
    from spotui.workspace.projects import Project

    tour = Project(tour_dir(), "tour")
    picture, due = Picture(), [0] * len(CAPTIONS)
    for number, event in enumerate(retell(tour, read_history(tour)), 1):
        picture.apply(event)
        for index, one in enumerate(CAPTIONS):
            if not due[index] and one.is_due(picture):
                due[index] = number
    assert due == sorted(due)
    assert due[0] == 1
    assert all(due)
    assert due[1] > 1


@pytest.mark.parametrize("language", lang.languages())
def test_every_caption_fits_into_a_terminal_of_40_by_12(language: str) -> None:
    lang.use(language)
    try:
        heights = [Content(lang._(one.text)).get_height({}, 40 - 2) for one in CAPTIONS]
    finally:
        lang.use()
    assert max(heights) <= 8 - 1, "the end of it is cut: one of its eight lines is the edge"
