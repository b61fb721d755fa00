"""Ranking by comparisons (Bradley and Terry, 1952): how strong each is, from who beat whom how often."""

import math
from collections.abc import Mapping
from typing import Final

Wins = Mapping[tuple[int, int], float]
"""How often the first of a pair beat the second."""

PRIOR: Final = 0.5
"""Wins that either side of every compared pair is given: one that never lost would be infinitely strong."""

_STEPS: Final = 10_000
_CLOSE: Final = 1e-10


def strengths(wins: Wins, *, prior: float = PRIOR) -> dict[int, float]:
    """The strengths under which these wins are the most likely, in nats; the lowest number has 0.

    The chance that one beats another is the logistic function of the difference. Found by Hunter's minorize-
    maximize steps (Annals of Statistics 32, 2004, section 3).

    Args:
        wins: Wins of one over the other; a tie is half a win for either.
        prior: Wins added to both sides of every pair that was compared; with 0 it is the plain maximum.

    Raises:
        ValueError: There is no finite maximum: somebody beat or lost to all they are compared with.
    """
    pairs = {tuple(sorted(pair)) for pair, count in wins.items() if count}
    won: dict[int, float] = {}
    games: dict[int, dict[int, float]] = {}
    for one, other in pairs:
        for first, second in ((one, other), (other, one)):
            won[first] = won.get(first, 0.0) + wins.get((first, second), 0.0) + prior
            games.setdefault(first, {})[second] = (
                wins.get((first, second), 0.0) + wins.get((second, first), 0.0) + 2 * prior
            )
    if not won:
        return {}
    if any(count == 0 or count == sum(games[one].values()) for one, count in won.items()):
        raise ValueError("somebody always won or always lost, so there is no finite maximum")
    found = dict.fromkeys(won, 1.0)
    for _ in range(_STEPS):
        after = {
            one: count / sum(played / (found[one] + found[other]) for other, played in games[one].items())
            for one, count in won.items()
        }
        scale = math.exp(sum(map(math.log, after.values())) / len(after))
        after = {one: value / scale for one, value in after.items()}
        change = max(abs(math.log(after[one] / found[one])) for one in found)
        found = after
        if change < _CLOSE:
            break
    base = math.log(found[min(found)])
    return {one: math.log(value) - base for one, value in sorted(found.items())}
