"""The verdict out of the probability of either letter."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.verdicts import Order
from spotui.judging.decision import compare_odds, for_candidate, read_odds

odds = st.floats(-20, 20)


@pytest.mark.parametrize(
    ("alternatives", "expected"),
    [
        ([("A", -0.1), ("B", -2.5)], 2.4),
        ([(" B", -0.2), ("The", -1.0), ("a", -3.0)], -2.8),
        ([("A", -1.0), (" A", -1.0), ("**B", -1.0)], math.log(2)),
        ([("A", -0.1), ("tie", -5.0)], 4.9),  # B is less probable than all that are told
        ([("tie", -0.1), ("Answer", -3.0)], None),
        ([], None),
    ],
)
def test_the_letters_are_found_among_the_likeliest_tokens(
    alternatives: list[tuple[str, float]], expected: float | None
) -> None:
    assert read_odds(alternatives) == (None if expected is None else pytest.approx(expected))


@given(odds)
def test_a_taste_for_a_position_cancels_out(taste: float) -> None:
    assert compare_odds({"AB": [for_candidate(taste, "AB")], "BA": [for_candidate(taste, "BA")]}) == "tie"


@given(odds, st.floats(0.5, 10), st.sampled_from([1, -1]))
def test_what_the_judge_finds_in_the_answers_is_left(taste: float, worth: float, side: int) -> None:
    found: dict[Order, list[float]] = {"AB": [side * worth - taste], "BA": [side * worth + taste]}
    assert compare_odds(found) == ("win" if side > 0 else "loss")


def test_an_order_without_odds_is_no_verdict() -> None:
    assert compare_odds({"AB": [9.0], "BA": []}) == "void"
