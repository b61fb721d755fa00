"""The headline never claims a gain that may be noise, and says what is left."""

import pytest
from hypothesis import given

from spotui.domain.events import (
    Event,
    FinalCheckFinished,
    FinalTest,
    LimitsChanged,
    RoundStarted,
    SpendingChanged,
)
from spotui.domain.verdicts import Choice
from spotui.view.headline import budget, gain, seconds_left
from tests.view.at_a_glance import SCORED, VOTED, scored_round, voted_round
from tests.view.test_picture import ANY_EVENTS, painted

HALF, ALL = [1, 0] * 4, [1] * 8
NINE_WINS: tuple[Choice, ...] = ("win",) * 9
SEED = scored_round(1, "seed", 1, *HALF)


def test_before_there_is_a_result_it_says_so() -> None:
    assert gain(painted()).texts[-1] == "no result yet"
    assert gain(painted(VOTED, *voted_round(1, "seed", 1))).texts[-1] == "no gain yet"
    alone = gain(painted(SCORED, *SEED))
    assert alone.texts[0] == "The seed scores 50.0 (95% CI 21.5 to 78.5); no candidate is better yet."


def test_points_are_a_gain_only_beyond_the_floor_and_with_an_interval_above_0() -> None:
    small = gain(painted(SCORED, *SEED, *scored_round(2, "win", 2, 1, 1, *HALF[2:])))
    assert not small.is_beyond_noise
    assert small.texts[0].startswith("Best so far: round 2. No gain beyond noise yet: +12.5 points (95% CI -")
    assert small.texts[-1] == "no gain beyond noise yet"

    seed, better = scored_round(1, "seed", 1, *[0] * 20, *ALL), scored_round(2, "win", 2, *[1] * 20, *ALL)
    large = gain(painted(SCORED, *seed, *better))
    assert large.is_beyond_noise
    assert large.texts[0].startswith("Best: round 2, +71.4 points over the seed (95% CI ")
    assert large.texts[0].endswith("on 28 rows that it was chosen by")
    assert large.texts[-1].startswith("+71.4 points (95% CI ")


def test_a_test_on_unseen_rows_counts_more_than_the_rows_it_was_chosen_by() -> None:
    seed, better = scored_round(1, "seed", 1, *[0] * 20), scored_round(2, "win", 2, *[1] * 20)
    tested = FinalTest(
        best=2,
        rows=40,
        seed_score=0.5,
        seed_interval=(0.3, 0.7),
        best_score=0.55,
        best_interval=(0.4, 0.7),
        difference=0.05,
        difference_interval=(-0.1, 0.2),
        floor=0.1,
    )
    found = gain(painted(SCORED, *seed, *better, tested))
    assert not found.is_beyond_noise
    assert "+5.0 points (95% CI -10.0 to 20.0) on 40 unseen rows" in found.texts[0]


@pytest.mark.parametrize(("wins", "is_gain"), [(1, False), (5, False), (9, True)])
def test_a_duel_against_the_seed_is_a_gain_once_its_interval_is_above_one_half(
    wins: int, is_gain: bool
) -> None:
    votes: list[Choice] = ["win"] * wins
    found = gain(painted(VOTED, *voted_round(1, "seed", 1), *voted_round(2, "win", 2, *votes, "loss")))
    assert found.is_beyond_noise == is_gain
    assert ("No gain beyond noise yet" in found.texts[0]) != is_gain
    assert "against the seed (95% CI " in found.texts[0]


def test_a_duel_against_a_later_best_says_nothing_about_the_seed_and_a_final_check_does() -> None:
    rounds = [
        VOTED,
        *voted_round(1, "seed", 1),
        *voted_round(2, "win", 2, *NINE_WINS),
        *voted_round(3, "win", 3, *NINE_WINS, before=2),
    ]
    found = gain(painted(*rounds))
    assert not found.is_beyond_noise
    assert "after 2 won duels; it has not been compared with the seed yet" in found.texts[0]

    check = FinalCheckFinished(
        best=3, outcome="win", headline="", questions=20, win_rate=0.9, win_interval=(0.6, 0.97)
    )
    checked = gain(painted(*rounds, check))
    assert checked.is_beyond_noise
    assert checked.texts[0] == "Best: round 3, win rate 90% against the seed (95% CI 60 to 97)"
    none = FinalCheckFinished(best=3, outcome="tie", headline="", questions=3)
    assert "no difference from the seed on any question" in gain(painted(*rounds, none)).texts[0]


def test_the_budget_is_that_of_calls_else_the_nearest_limit_else_the_rounds() -> None:
    spent = SpendingChanged(calls=30, prompt_tokens=900, completion_tokens=0, cost_usd=0.9, seconds=60.0)
    rounds = [VOTED, *voted_round(1, "seed", 1), *voted_round(2, "loss", 1), spent]

    def shown(**limits: float) -> tuple[str, float, str]:
        found = budget(painted(*rounds, LimitsChanged(changes=dict(limits))))
        assert found is not None
        return found.name, round(found.share, 2), found.text

    assert shown() == ("rounds", 0.33, "2 of 6")
    assert shown(usd=1.0, tokens=9000) == ("cost", 0.9, "$0.9000 of $1.00")
    assert shown(usd=1.0, calls=60) == ("calls", 0.5, "30 of 60")
    assert shown(minutes=2) == ("time", 0.5, "1:00 of 2:00")
    assert budget(painted()) is None


def test_the_time_left_ends_with_the_budget() -> None:
    spent = SpendingChanged(calls=30, prompt_tokens=9, completion_tokens=0, cost_usd=0.0, seconds=60.0)
    rounds = [VOTED, *voted_round(1, "seed", 1), *voted_round(2, "loss", 1), RoundStarted(round=3), spent]
    assert seconds_left(painted(*rounds)) == 40.0
    assert seconds_left(painted(*rounds, LimitsChanged(changes={"calls": 40}))) == 20.0
    assert seconds_left(painted(*rounds, LimitsChanged(changes={"minutes": 1}))) == 0.0
    assert seconds_left(painted()) is None


@given(ANY_EVENTS)
def test_any_events_have_a_headline(events: list[Event]) -> None:
    picture = painted(*events)
    assert all(gain(picture).texts)
    assert (found := budget(picture)) is None or found.share <= 1
    assert (left := seconds_left(picture)) is None or left >= 0 or left != left
