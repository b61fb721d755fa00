"""Changing what a run may use."""

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from spotui.tui.run.asking import Limit, LimitsScreen
from tests.tui.asking import ask
from tests.tui.piloting import seen, until, until_seen

IN_FORCE: dict[str, Limit] = {"rounds": 10, "usd": 0.5, "tokens": None, "calls": 1000, "minutes": None}


def changed(typed: dict[str, str], *, proposed: dict[str, Limit] | None = None) -> dict[str, Limit] | None:
    async def type_in(pilot: Pilot[None]) -> None:
        for field, text in typed.items():
            pilot.app.screen.query_one(f"#{field}", Input).value = text
        await pilot.press("enter")

    return ask(lambda: LimitsScreen("Limits of [/b]", IN_FORCE, proposed, "What [/x]?"), type_in)


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ({}, {}),
        ({"rounds": "20"}, {"rounds": 20}),
        ({"usd": " 1.25 ", "tokens": "5000"}, {"usd": 1.25, "tokens": 5000}),
        ({"usd": "", "calls": ""}, {"usd": None, "calls": None}),
        ({"usd": "0.50", "minutes": ""}, {}),
        ({"concurrency": "3"}, {"concurrency": 3}),
    ],
)
def test_only_what_was_changed_is_given_back(typed: dict[str, str], given: dict[str, Limit]) -> None:
    assert changed(typed) == given


def test_what_is_proposed_counts_as_changed() -> None:
    assert changed({}, proposed={"rounds": 20}) == {"rounds": 20}


WRONG = [
    ("rounds", "ten", "Rounds in all must be a whole number."),
    ("rounds", "", "Rounds in all must be more than 0."),
    ("rounds", "2.5", "Rounds in all must be a whole number."),
    ("usd", "a lot", "Budget, USD must be a number or empty."),
    ("usd", "nan", "Budget, USD must be more than 0."),
    ("usd", "inf", "Budget, USD must be more than 0."),
    ("tokens", "-5", "Budget, tokens must be more than 0."),
    ("calls", "0", "Budget, calls must be more than 0."),
    ("concurrency", "x", "Calls at once must be a whole number or empty."),
]


def test_what_is_wrong_is_said_at_its_field_and_can_be_fixed() -> None:
    async def type_in(pilot: Pilot[None]) -> None:
        for field, text, why in WRONG:
            box = pilot.app.screen.query_one(f"#{field}", Input)
            before = box.value
            box.value = text
            await pilot.press("enter")
            await until_seen(pilot, why)
            await until(pilot, lambda box=box: box.has_focus)  # type: ignore[misc]
            box.value = before
            await until(pilot, lambda why=why: why not in seen(pilot.app))  # type: ignore[misc]
        await pilot.press("enter")

    assert ask(lambda: LimitsScreen("Limits", IN_FORCE), type_in) == {}


def test_escape_changes_nothing_and_arrows_go_from_field_to_field() -> None:
    async def leave(pilot: Pilot[None]) -> None:
        await until_seen(pilot, "Rounds in all", "no limit", "the limit of each endpoint", "0.5")
        await pilot.press("down", "down")
        await until(pilot, lambda: pilot.app.focused and pilot.app.focused.id == "tokens")
        await pilot.press("up", "9")
        await pilot.press("escape")

    assert ask(lambda: LimitsScreen("Limits", IN_FORCE), leave) is None
