"""What a run is worth, said without claiming more than is known."""

from typing import Any

import pytest

from spotui.domain.events import FinalCheckFinished, FinalCheckSkipped, RunStopped
from spotui.view.picture import Picture, worth


def stopped(**changes: Any) -> RunStopped:
    fields = {"reason": "finished", "cause": "", "best": 3, "improved": True, "rounds": 5, "prompt": "p"}
    return RunStopped(**{**fields, **changes})


def check(**changes: Any) -> FinalCheckFinished:
    fields = {"best": 3, "outcome": "win", "headline": "Better on 4 of 5 questions.", "questions": 5}
    return FinalCheckFinished(**{**fields, **changes})


def test_a_win_in_the_rounds_alone_is_no_proof() -> None:
    said = worth(Picture(), stopped())
    assert said.startswith("Best: round 3.")
    assert "it was not checked against the seed" in said


def test_the_final_check_says_what_the_best_is_worth() -> None:
    assert worth(Picture(check=check()), stopped()) == "Best: round 3. Better on 4 of 5 questions."


def test_a_check_that_was_skipped_says_why() -> None:
    said = worth(Picture(check=FinalCheckSkipped(best=3, why="The budget is spent.")), stopped())
    assert said.startswith("Best: round 3. It won its duel, and was not checked against the seed: ")
    assert said.endswith("The budget is spent.")


def test_a_check_without_a_difference_keeps_the_seed() -> None:
    found = check(outcome="tie", headline="No difference on 5 questions.")
    said = worth(Picture(check=found), stopped(best=1, improved=False))
    assert said == "No difference on 5 questions. The seed prompt is kept."


def test_a_check_that_a_person_has_overruled_says_nothing_any_more() -> None:
    said = worth(Picture(check=check()), stopped(best=1, improved=False))
    assert said == "No improvement: the seed prompt is still the best."


def test_no_improvement_is_a_result() -> None:
    told = worth(Picture(), stopped(best=1, improved=False))
    assert told == "No improvement: the seed prompt is still the best."


@pytest.mark.parametrize("rounds", [0, 1])
def test_before_a_round_after_the_seed_nothing_is_known(rounds: int) -> None:
    told = worth(Picture(), stopped(reason="stopped", best=1, improved=False, rounds=rounds))
    assert told == "No round after the seed has ended yet."
