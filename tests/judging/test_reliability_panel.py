"""What several judges' votes say about them."""

import pytest

from spotui.domain.verdicts import Choice
from spotui.judging.reliability import Cast, Panel, Reliability

LETTERS: dict[str, Choice] = {"w": "win", "l": "loss", "t": "tie", "v": "void"}


def duel(**votes: str) -> list[Cast]:
    return [
        Cast("AB" if place % 2 == 0 else "BA", LETTERS[one], judge)
        for judge, cast in votes.items()
        for place, one in enumerate(cast)
    ]


def test_one_judge_alone_is_no_panel() -> None:
    panel = Panel().after([Cast("AB", "win"), Cast("BA", "loss")])
    assert panel.together == Reliability().after([Cast("AB", "win"), Cast("BA", "loss")])
    assert (panel.compared, panel.agreement, panel.agreement_interval) == (0, None, None)


def test_judges_agree_when_they_choose_the_same_side() -> None:
    panel = Panel()
    for votes in (
        {"x": "ww", "y": "ww"},
        {"x": "ww", "y": "ll"},
        {"x": "wl", "y": "ww"},
        {"x": "l", "y": "lt"},
    ):
        panel = panel.after(duel(**votes))
    assert (panel.compared, panel.agreed) == (3, 2)  # who is of two minds chooses no side
    assert panel.agreement == pytest.approx(2 / 3)
    assert (panel.together.votes, panel.together.pairs, panel.together.flips) == (15, 6, 1)


def test_only_the_judge_with_a_fault_is_named() -> None:
    panel = Panel()
    for _ in range(6):
        panel = panel.after(duel(good="ww", biased="lw"))
    assert panel.faults == {("biased", "position")}
    assert panel.warning.startswith("biased: This judge decides by position: in 6 of 6 pairs")
