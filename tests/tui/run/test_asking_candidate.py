"""Changing a candidate by hand."""

from textual.pilot import Pilot
from textual.widgets import TextArea

from spotui.tui.run.asking import CandidateScreen
from tests.tui.asking import ask
from tests.tui.piloting import until_seen


def make() -> CandidateScreen:
    return CandidateScreen(3, "Answer [/b].\nWell.", "Ask for [more/].")


def test_the_text_is_taken_as_it_stands() -> None:
    async def edit(pilot: Pilot[None]) -> None:
        await until_seen(pilot, "Candidate of round 3", "Ask for [more/].", "Answer [/b].")
        await pilot.press("down", "end", "enter", *"Now", "ctrl+s")

    assert ask(make, edit) == "Answer [/b].\nWell.\nNow"


def test_escape_leaves_it_as_it_was() -> None:
    async def leave(pilot: Pilot[None]) -> None:
        await pilot.press("x", "escape")

    assert ask(make, leave) is None


def test_a_candidate_without_a_text_is_not_taken() -> None:
    async def empty(pilot: Pilot[None]) -> None:
        area = pilot.app.screen.query_one(TextArea)
        area.text = " \n"
        await pilot.press("ctrl+s")
        await until_seen(pilot, "A candidate without a text")
        area.text = "Say."
        await pilot.press("ctrl+s")

    assert ask(make, empty) == "Say."
