"""What the final check is worth."""

import pytest

from spotui.domain.verdicts import Choice
from spotui.judging.final_check import Checked, paired, row_verdict
from spotui.judging.reliability import interval

LETTERS: dict[str, Choice] = {"w": "win", "l": "loss", "t": "tie", "v": "void"}


def choices(letters: str) -> tuple[Choice, ...]:
    return tuple(LETTERS[letter] for letter in letters)


@pytest.mark.parametrize(
    ("votes", "verdict"),
    [
        ("ww", "win"),
        ("ll", "loss"),
        ("wl", "tie"),
        ("wt", "tie"),
        ("wv", "tie"),
        ("vv", "void"),
        ("w", "win"),
    ],
)
def test_a_side_must_have_a_question_in_both_orders(votes: str, verdict: str) -> None:
    assert row_verdict(choices(votes)) == verdict


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [("wwl", "win"), ("wl", "tie"), ("tt", "tie"), ("llw", "loss"), ("vv", "void"), ("wvv", "win")],
)
def test_more_questions_won_than_lost_is_an_improvement(rows: str, outcome: str) -> None:
    assert Checked(choices(rows)).outcome == outcome


def test_the_headline_is_the_win_rate_with_its_interval() -> None:
    check = Checked(choices("wwwwwwwwtl"))
    assert check.rate is not None
    assert check.rate.interval == interval(8, 9)
    assert check.headline == (
        "Improvement: better than the seed on 8 of 10 questions, worse on 1, no difference on 1: "
        "win rate 89% (95% CI 57% to 98%)."
    )


def test_a_rate_that_may_be_even_odds_is_said_to_be_chance() -> None:
    said = Checked(choices("wwl")).headline
    assert "worse on 1, no difference on 0: win rate 67% (95% CI 21% to 94%)." in said
    assert said.endswith("That may still be chance.")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "wll",
            (
                "No improvement: better than the seed on 1 of 3 questions, worse on 2, no difference on 0: "
                "win rate 33% (95% CI 6% to 79%)."
            ),
        ),
        ("t", "No improvement: no difference on 1 question."),
        ("vv", "The final check brought no verdict: no vote could be read."),
    ],
)
def test_no_improvement_is_said_as_such(rows: str, said: str) -> None:
    assert Checked(choices(rows)).headline == said


def test_verdicts_compare_on_the_scale_of_win_rates() -> None:
    sure = paired(["win"] * 30)
    assert (sure.difference, sure.wins) == (0.5, 30)
    assert 0.4 < sure.interval.low < sure.interval.high <= 0.5
    mixed = paired(["win", "loss", "tie", "void"])
    assert (mixed.difference, mixed.wins, mixed.losses, mixed.ties, mixed.left_out) == (0.0, 1, 1, 1, 1)
    assert mixed.interval.low < -0.25
