"""How often a search calls a prompt better that is not: by any difference, and by the A/A floor.

`python -m benchmarks.floor` plants rows of different difficulty and prompts whose true scores are known, lets
the best of 8 candidates a round go on for 5 rounds, and counts the runs that end with a win. It measures the
rule and no model: the marks are drawn.
"""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from spotui.domain.statistics import compare

RUNS = 400
ROUNDS = 5
CANDIDATES = 8
GAINS = (0.0, 0.1, 0.2, 0.3)
SIZES = (20, 48, 100)


class Wins(NamedTuple):
    """Runs that end with a win, of all.

    Attributes:
        any_difference: Where every better score is a win.
        floor: Where a win is ahead of the last prompt that won by the A/A floor or more.
    """

    any_difference: float
    floor: float


def marks(rng: random.Random, difficulties: Sequence[float], gain: float) -> list[float | None]:
    """The marks of one prompt: it answers each row right with the row's probability, raised by the gain."""
    return [float(rng.random() < min(1.0, one + gain)) for one in difficulties]


def search(rng: random.Random, rows: int, gain: float) -> tuple[bool, bool]:
    """Whether a run has a win by either rule; its candidates are all better than the seed by the gain."""
    difficulties = [rng.uniform(0.1, 0.7) for _ in range(rows)]
    winner = best = marks(rng, difficulties, 0.0)
    is_better = has_won = False
    for _ in range(ROUNDS):
        found = [marks(rng, difficulties, gain) for _ in range(CANDIDATES)]
        top = max(found, key=_total)
        if _total(top) <= _total(best):
            continue
        best, is_better = top, True
        if compare(winner, top).is_beyond_floor:
            winner, has_won = top, True
    return is_better, has_won


def _total(one: Sequence[float | None]) -> float:
    return sum(mark or 0.0 for mark in one)


def measured(rows: int, gain: float) -> Wins:
    """The shares of runs that end with a win."""
    rng = random.Random(f"{rows}/{gain}")
    found = [search(rng, rows, gain) for _ in range(RUNS)]
    return Wins(*(sum(column) / RUNS for column in zip(*found, strict=True)))


def lines() -> Iterator[str]:
    """The table."""
    yield f"{RUNS} runs, {ROUNDS} rounds of {CANDIDATES} candidates; runs with a win"
    yield f"{'eval rows':>9}  {'true gain':>9}  {'any difference':>14}  {'A/A floor':>9}"
    for rows in SIZES:
        for gain in GAINS:
            found = measured(rows, gain)
            yield f"{rows:>9}  {gain:>9.0%}  {found.any_difference:>14.0%}  {found.floor:>9.0%}"


if __name__ == "__main__":
    for line in lines():
        print(line)
