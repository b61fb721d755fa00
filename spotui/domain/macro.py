"""Means over tasks: the macro mean, and whether one contender's is higher than another's.

Two intervals answer two questions. The one over rows takes the tasks as they are: would other rows of
the same tasks show it? The one over tasks takes them as a draw: would other tasks like these show it? Three
tasks say little about that, and their interval is as wide as that.
"""

import math
from collections.abc import Sequence
from functools import cache
from statistics import fmean, stdev

import msgspec

from spotui.domain.statistics import CONFIDENCE, Interval, compare, smoothed, z_of


class MacroGain(msgspec.Struct, frozen=True):
    """Two contenders on the same tasks, from the side of the first.

    Attributes:
        difference: Of their macro means, -1..1.
        over_rows: Where it lies for all rows of these tasks.
        over_tasks: Where it lies for tasks like these; None with one task.
        tasks: On how many tasks both were measured.
        won: Tasks on which the first has the higher mean.
        lost: Tasks on which it has the lower one.
    """

    difference: float
    over_rows: Interval
    over_tasks: Interval | None
    tasks: int
    won: int
    lost: int

    @property
    def is_settled(self) -> bool:
        """Whether the interval over rows leaves no doubt which one is higher on these tasks."""
        return 0 not in self.over_rows


def macro_gain(
    tasks: Sequence[Sequence[float]], *, seed: int = 0, confidence: float = CONFIDENCE
) -> MacroGain:
    """The difference of two macro means, paired row by row within each task.

    Args:
        tasks: For each task the differences of marks, one a row, -1..1; tasks without rows do not count.
        seed: The one of the bootstrap where there is one task with graded marks.
        confidence: 0..1, without its ends.
    """
    known = [rows for rows in tasks if rows]
    if not known:
        return MacroGain(0.0, Interval(-1.0, 1.0), None, 0, 0, 0)
    means = [math.fsum(rows) / len(rows) for rows in known]
    difference = fmean(means)
    won, lost = sum(one > 0 for one in means), sum(one < 0 for one in means)
    if len(known) == 1:
        zeros = [0.0] * len(known[0])
        rows = compare(zeros, known[0], seed=seed, confidence=confidence).interval
        return MacroGain(difference, rows, None, 1, won, lost)
    within = math.sqrt(math.fsum(smoothed(rows)[1] ** 2 for rows in known)) / len(known)
    half = z_of(confidence) * within
    # Few tasks may agree by chance: the error is never taken to be smaller than that of their rows.
    between = max(within, stdev(means) / math.sqrt(len(known)))
    wide = _t(confidence, len(known) - 1) * between
    return MacroGain(
        difference,
        _clipped(difference - half, difference + half),
        _clipped(difference - wide, difference + wide),
        len(known),
        won,
        lost,
    )


def _clipped(low: float, high: float) -> Interval:
    return Interval(max(-1.0, low), min(1.0, high))


@cache
def _t(confidence: float, freedom: int) -> float:
    """The quantile of Student's distribution that leaves out as much on either side."""
    low, high = 0.0, 1000.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if _inside(middle, freedom) < confidence else (low, middle)
    return (low + high) / 2


def _inside(t: float, freedom: int) -> float:
    """The probability of Student's distribution between -t and t, by its finite series."""
    angle = math.atan2(t, math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    if freedom == 1:
        return 2 * angle / math.pi
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term
    for step in range(2 + odd, freedom - 1, 2):
        term *= (step - 1) / step * cosine * cosine
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total
