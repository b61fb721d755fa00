"""The verdict of the judge whose first token is weighed: how probable it finds either letter."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from spotui.judging.ballots import Order
from spotui.judging.votes import Choice

CLEAR: Final = math.log(0.6 / 0.4)
"""The mean log-odds below which it is a tie: a side must be found 60% probable over both orders."""

_FRAME = " \t\r\n\"'`*_().:<>▁Ġ"
"""What tokenizers and models put around a letter."""


def read_odds(alternatives: Sequence[tuple[str, float]]) -> float | None:
    """How much more probable A is than B as the first token, in nats; None when neither is among them.

    A letter that is not among them is less probable than all that are: it gets the least of these.

    Args:
        alternatives: The likeliest first tokens with their log-probabilities.
    """
    found: dict[str, list[float]] = {"A": [], "B": []}
    for token, logprob in alternatives:
        if (letter := token.strip(_FRAME).upper()) in found and math.isfinite(logprob):
            found[letter].append(logprob)
    if not any(found.values()):
        return None
    least = min(logprob for _, logprob in alternatives if math.isfinite(logprob))
    first, second = (_sum(logprobs) if logprobs else least for logprobs in found.values())
    return first - second


def for_candidate(odds: float, order: Order) -> float:
    """Odds for A, told from the candidate's side."""
    return -odds if order == "AB" else odds


def compare_odds(of_orders: Mapping[Order, Sequence[float]]) -> Choice:
    """The verdict over both orders: what a taste for a position adds in one, it takes in the other.

    Args:
        of_orders: Log-odds for the candidate in each order, one a question or one for the set.
    """
    means = [sum(odds) / len(odds) for odds in of_orders.values() if odds]
    if len(means) < len(of_orders):
        return "void"
    mean = sum(means) / len(means)
    if abs(mean) < CLEAR:
        return "tie"
    return "win" if mean > 0 else "loss"


def _sum(logprobs: Sequence[float]) -> float:
    most = max(logprobs)
    return most + math.log(sum(math.exp(one - most) for one in logprobs))
