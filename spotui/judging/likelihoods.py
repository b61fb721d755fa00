"""The verdict of the judge that measures how likely answers are."""

import math
from collections.abc import Sequence

from spotui.judging.votes import Choice


def compare_likelihoods(best: Sequence[float], candidate: Sequence[float], margin: float) -> Choice:
    """Whose answers have more evidence for them, question by question, as one vote.

    Args:
        best: The evidence for each of the best's answers, one a question.
        candidate: The same for the candidate's, in the same order.
        margin: The mean difference below which it is a tie.

    Returns:
        Void when a figure is missing or infinite, so that nothing can be compared.
    """
    difference = sum(new - old for old, new in zip(best, candidate, strict=True)) / len(best)
    if not math.isfinite(difference):
        return "void"
    if abs(difference) < margin:
        return "tie"
    return "win" if difference > 0 else "loss"
