"""The vote that measured likelihoods make."""

import pytest

from spotui.judging.decision import compare_likelihoods


@pytest.mark.parametrize(
    ("candidate", "choice"),
    [
        ((-1.0, -2.0), "tie"),
        ((-0.9, -1.9), "win"),
        ((-1.1, -2.1), "loss"),
        ((-0.99, -1.99), "tie"),
        ((-0.5, -2.45), "win"),
        ((-0.5, -2.49), "tie"),
    ],
)
def test_likelihoods_differ_by_their_mean_and_by_more_than_the_margin(
    candidate: tuple[float, float], choice: str
) -> None:
    assert compare_likelihoods((-1.0, -2.0), candidate, margin=0.02) == choice


def test_likelihoods_of_different_questions_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="shorter"):
        compare_likelihoods((-1.0, -2.0), (-1.0,), margin=0.02)
