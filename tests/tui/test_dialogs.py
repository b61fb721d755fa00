"""A question that one key answers."""

import pytest
from textual.pilot import Pilot

from spotui.tui.dialogs import Choice, QuestionScreen
from tests.tui.asking import ask
from tests.tui.piloting import until_seen

CHOICES = (Choice("txt 3", "t", "as a text [/b]"), Choice("all", "a", "everything"))


def answer(*keys: str) -> str | None:
    async def press(pilot: Pilot[None]) -> None:
        await pilot.press(*keys)

    return ask(make, press)


def make() -> QuestionScreen:
    return QuestionScreen("Take [/b] along?", CHOICES, "It costs [nothing/].")


@pytest.mark.parametrize(
    ("keys", "given"),
    [
        (["t"], "txt 3"),
        (["a"], "all"),
        (["enter"], "txt 3"),
        (["down", "enter"], "all"),
        (["escape"], ""),
        (["z", "escape"], ""),
    ],
)
def test_a_key_the_cursor_or_escape_answers(keys: list[str], given: str) -> None:
    assert answer(*keys) == given


@pytest.mark.parametrize("size", [(80, 24), (40, 8)])
def test_it_tells_what_there_is_to_know_and_fits(size: tuple[int, int]) -> None:
    async def look(pilot: Pilot[None]) -> None:
        await until_seen(
            pilot, "Take [/b] along?", "It costs [nothing/].", "t  as a text [/b]", "a  everything"
        )
        await pilot.press("escape")

    ask(make, look, size)


def test_a_click_answers() -> None:
    async def click(pilot: Pilot[None]) -> None:
        await pilot.click("OptionList", offset=(4, 1))

    assert ask(make, click) == "all"
