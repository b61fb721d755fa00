"""What a run is worth, said without claiming more than is known."""

from typing import Any

import pytest

from spotui.events import HeldOutFinished, RunStopped
from spotui.view.picture import Picture
from spotui.view.worth import worth


def stopped(**changes: Any) -> RunStopped:
    fields = {"reason": "finished", "cause": "", "best": 3, "improved": True, "rounds": 5, "prompt": "p"}
    return RunStopped(**{**fields, **changes})


def test_a_win_in_the_rounds_alone_is_no_proof() -> None:
    said = worth(Picture(), stopped())
    assert said.startswith("Best: round 3.")
    assert "it was not checked against the seed" in said


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("win", "it wins"),
        ("loss", "it loses"),
        ("tie", "a tie"),
        ("void", "no verdict"),
        ("undecided", "undecided"),
    ],
)
def test_questions_that_no_round_has_seen_say_more(outcome: Any, said: str) -> None:
    held_out = HeldOutFinished(best=3, outcome=outcome, questions=2, wins=1, losses=0)
    told = worth(Picture(held_out=held_out), stopped())
    assert (
        told == f"Best: round 3. On 2 held-out questions against the seed: {said} (1 vote for it, 0 against)."
    )


def test_no_improvement_is_a_result() -> None:
    told = worth(Picture(), stopped(best=1, improved=False))
    assert told == "No improvement: the seed prompt is still the best."


@pytest.mark.parametrize("rounds", [0, 1])
def test_before_a_round_after_the_seed_nothing_is_known(rounds: int) -> None:
    told = worth(Picture(), stopped(reason="stopped", best=1, improved=False, rounds=rounds))
    assert told == "No round after the seed has ended yet."
