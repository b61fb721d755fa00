"""How sure a score is, and whether one prompt scores better than another on the same rows.

Scores are means over rows of marks in 0..1. The same marks and seed give the same figures, bit by bit.
"""

import math
import random
import sys
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

import msgspec

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 2000

FEWEST_RESAMPLED: Final = 30
"""Below this many rows a bootstrap is too sure of itself."""

MOST_RESAMPLED: Final = 300
"""Above this many rows a mean is as good as normal, and a bootstrap only takes longer."""


class Interval(msgspec.Struct, frozen=True):
    """Where a figure lies with the confidence that was asked for; both ends belong to it."""

    low: float
    high: float

    def __contains__(self, figure: float) -> bool:
        return self.low <= figure <= self.high


class Score(msgspec.Struct, frozen=True):
    """A prompt's score.

    Attributes:
        mean: Over the rows that have a mark, 0..1; 0 when none has.
        interval: Where the score on all rows of this kind lies.
        rows: How many have a mark.
        left_out: How many have none, because their call failed; they are not wrong.
    """

    mean: float
    interval: Interval
    rows: int
    left_out: int = 0


class Comparison(msgspec.Struct, frozen=True):
    """Two prompts on the same rows, from the side of the new one.

    Attributes:
        difference: Its mean mark less the old one's, -1..1.
        interval: Where the difference on all rows of this kind lies.
        wins: Rows that it does better.
        losses: Rows that it does worse.
        ties: Rows without a difference.
        p: How likely chance alone would part wins and losses at least so far (exact two-sided sign test;
            for marks of 0 and 1 this is McNemar's test).
        left_out: Rows that one of the two has no mark for.
        floor: The A/A floor: the least difference that is more than equally good prompts usually show here,
            see `noise_floor`.
    """

    difference: float
    interval: Interval
    wins: int
    losses: int
    ties: int
    p: float
    left_out: int = 0
    floor: float = 0.0

    @property
    def is_beyond_floor(self) -> bool:
        """Whether the new one is better by the A/A floor or more."""
        return self.difference >= self.floor - _CLOSE

    @property
    def is_settled(self) -> bool:
        """Whether the interval leaves no doubt which one is better."""
        return 0 not in self.interval


def score(marks: Sequence[float | None], *, seed: int = 0, confidence: float = CONFIDENCE) -> Score:
    """The mean of some marks with its interval.

    Marks of 0 and 1 get Wilson's interval. Others get a bootstrap's, or, where there are few, Wilson's again:
    it is too wide then, as no marks between 0 and 1 spread more than those of 0 and 1 with the same mean.

    Args:
        marks: One a row, 0..1; None for a row that errored.
        seed: The run's.
        confidence: 0..1, without its ends.
    """
    known = [mark for mark in marks if mark is not None]
    rows = len(known)
    mean = math.fsum(known) / rows if rows else 0.0
    is_graded = any(mark not in (0, 1) for mark in known)
    if is_graded and rows >= FEWEST_RESAMPLED:
        interval = _of_mean(known, seed, confidence)
        interval = Interval(max(0.0, interval.low), min(1.0, interval.high))
    else:
        interval = wilson(mean * rows, rows, confidence)
    return Score(mean, interval, rows, len(marks) - rows)


def compare(
    old: Sequence[float | None],
    new: Sequence[float | None],
    *,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Two prompts on the same rows, row by row.

    Marks of 0 and 1 get the interval of Bonett and Price (2012), others a bootstrap's over the pairs, or,
    where there are few, that of Bonett and Price again, which is too wide then.

    Args:
        old: The marks of the one, None for a row that errored.
        new: The marks of the other, in the same order.
        seed: The run's.
        confidence: 0..1, without its ends.

    Raises:
        ValueError: There are not as many of the one as of the other.
    """
    pairs = [
        (before, after)
        for before, after in zip(old, new, strict=True)
        if before is not None and after is not None
    ]
    differences = [after - before for before, after in pairs]
    rows = len(differences)
    wins, losses = sum(one > 0 for one in differences), sum(one < 0 for one in differences)
    is_graded = any(one not in (-1, 0, 1) for one in differences)
    if is_graded and rows >= FEWEST_RESAMPLED:
        interval = _of_mean(differences, seed, confidence)
    else:
        interval = _bonett_price(differences, confidence)
    return Comparison(
        difference=math.fsum(differences) / rows if rows else 0.0,
        interval=Interval(max(-1.0, interval.low), min(1.0, interval.high)),
        wins=wins,
        losses=losses,
        ties=rows - wins - losses,
        p=sign_test(wins, losses),
        left_out=len(old) - rows,
        floor=noise_floor(differences, confidence),
    )


def most_ahead(differences: Sequence[float], level: float, rows: int) -> float:
    """The mean difference on some rows that a one-sided test still allows, when a part of them is known.

    The normal bound after one more win and one more loss (Bonett and Price), narrower the fewer rows are
    left, as what is known of a finite set is certain.

    Args:
        differences: On the rows that are known, which are drawn at random.
        level: How likely the mean of rows without a difference may be found below 0, 0..0.5.
        rows: How many there are in all, the known ones included.
    """
    left = max(0, rows - len(differences)) / rows if rows else 0.0
    mean, error = smoothed(differences)
    return mean + z_of(1 - 2 * level) * error * math.sqrt(left)


HARM: Final = 0.2
"""How often a prompt that is as good must fall as far behind by chance for its lag to pass as noise. A win
has to be rarer than one time in 20; giving up a better prompt for a cheaper one takes more care."""


def is_behind(old: Sequence[float | None], new: Sequence[float | None]) -> bool:
    """Whether a prompt has lost more on the same rows than equally good prompts lose one time in five.

    Args:
        old: The marks of the one, None for a row that errored.
        new: The marks of the other, in the same order.

    Raises:
        ValueError: There are not as many of the one as of the other.
    """
    pairs = zip(old, new, strict=True)
    differences = [after - before for before, after in pairs if before is not None and after is not None]
    wins, losses = sum(one > 0 for one in differences), sum(one < 0 for one in differences)
    if not differences or binomial_tail(losses, wins + losses, 0.5) <= HARM:
        return True
    if wins + losses < FEWEST_DIFFERING or max(map(abs, differences)) == 1:
        return False
    spread = math.sqrt(math.fsum(one * one for one in differences))
    return math.fsum(differences) < -z_of(1 - 2 * HARM) * spread - _CLOSE


FEWEST_DIFFERING: Final = 6
"""Fair coins fall all on the same side more often than one time in 20, if there are fewer than this."""

_CLOSE: Final = 1e-9


def noise_floor(differences: Sequence[float], confidence: float = CONFIDENCE) -> float:
    """The A/A floor: how far two scores on these rows have to be apart to be more than noise.

    If two prompts are equally good, a row that one of them does better could as well be one that the other
    does better: each row that differs is a fair coin. The floor is the least difference that such coins
    reach or exceed, either way, at most one time in 20. With fewer than 6 differing rows nothing is that
    rare, and the floor is that of 6 rows.

    Args:
        differences: The mark of one prompt less that of the other, one a row that both have a mark for.
        confidence: 0..1, without its ends.

    Returns:
        A difference of scores; above 1 where no difference on so few rows could be more than noise.
    """
    sizes = [abs(one) for one in differences if one]
    rows = max(1, len(differences))
    if len(sizes) < FEWEST_DIFFERING:
        return FEWEST_DIFFERING * (math.fsum(sizes) / len(sizes) if sizes else 1.0) / rows
    if max(sizes) - min(sizes) <= _CLOSE:
        return sizes[0] * _rare_surplus(len(sizes), confidence) / rows
    return z_of(confidence) * math.sqrt(math.fsum(size * size for size in sizes)) / rows


@lru_cache(maxsize=256)
def _rare_surplus(coins: int, confidence: float) -> int:
    """The least surplus of one side that so many fair coins show at most as often as the rest allows."""
    heads = -(-coins // 2)
    while heads < coins and sign_test(heads, coins - heads) > 1 - confidence:
        heads += 1
    return 2 * heads - coins


def wilson(right: float, rows: int, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's interval of a proportion; the whole range when there is no row.

    Args:
        right: Rows that are right, 0..rows; the sum of their marks when they are graded.
        rows: How many there are.
        confidence: 0..1, without its ends.
    """
    if rows == 0:
        return Interval(0.0, 1.0)
    z, share = z_of(confidence), right / rows
    scale = 1 + z * z / rows
    centre = (share + z * z / (2 * rows)) / scale
    half = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)) / scale
    low = 0.0 if right <= 0 else max(0.0, centre - half)
    return Interval(low, 1.0 if right >= rows else min(1.0, centre + half))


def sign_test(wins: int, losses: int) -> float:
    """The chance that fair coins part as far as this, either way: 1 when nothing was won or lost."""
    return min(1.0, 2 * binomial_tail(max(wins, losses), wins + losses, 0.5))


@lru_cache(maxsize=256)  # a judge's record is asked for several times a round
def binomial_tail(hits: int, of: int, rate: float) -> float:
    """The probability of so many hits or more, for any number of tries.

    The terms are built from their logarithms: the number of ways alone is more than a float can hold from
    1,030 tries on. They are summed outwards, from the largest, until the rest makes no difference.

    Args:
        hits: How often it happened.
        of: How often it could have.
        rate: How probable a hit is, 0..1 without its ends.
    """
    if hits <= 0:
        return 1.0
    if hits <= of * rate:
        return 1.0 - binomial_tail(of - hits + 1, of, 1 - rate)
    if hits > of:
        return 0.0
    ways = math.lgamma(of + 1) - math.lgamma(hits + 1) - math.lgamma(of - hits + 1)
    term = math.exp(ways + hits * math.log(rate) + (of - hits) * math.log1p(-rate))
    total, odds = 0.0, rate / (1 - rate)
    while term > total * sys.float_info.epsilon:
        total += term
        term *= (of - hits) / (hits + 1) * odds
        hits += 1
    return min(1.0, total)


def _of_mean(values: Sequence[float], seed: int, confidence: float) -> Interval:
    """A bootstrap's percentiles, or the normal interval where there are many values."""
    if len(values) > MOST_RESAMPLED:
        mean = math.fsum(values) / len(values)
        spread = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
        half = z_of(confidence) * math.sqrt(spread / len(values))
        return Interval(mean - half, mean + half)
    rng = random.Random(f"{seed}/bootstrap")  # noqa: S311 - reproducible on purpose
    count = len(values)
    means = sorted(math.fsum(rng.choices(values, k=count)) / count for _ in range(RESAMPLES))
    outside = round((1 - confidence) / 2 * RESAMPLES)
    return Interval(means[outside], means[-1 - outside])


def _bonett_price(differences: Sequence[float], confidence: float) -> Interval:
    """The normal interval of the mean difference after one more win and one more loss."""
    mean, error = smoothed(differences)
    half = z_of(confidence) * error
    return Interval(mean - half, mean + half)


def smoothed(differences: Sequence[float]) -> tuple[float, float]:
    """The mean difference and its standard error after one more win and one more loss."""
    rows = len(differences) + 2
    mean = math.fsum(differences) / rows
    spread = (math.fsum(one * one for one in differences) + 2) / rows - mean * mean
    return mean, math.sqrt(spread / rows)


@cache
def z_of(confidence: float) -> float:
    """The normal quantile that leaves out as much on either side."""
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + confidence) / 2)
