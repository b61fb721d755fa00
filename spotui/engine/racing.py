"""Racing: candidates are asked block by block, and one that has fallen behind is asked no more rows.

After each block the candidates are compared on the rows that they have all been asked, in an order that the
run's seed draws for the round. The rule `paired` drops those that are behind the last one to be kept by a
one-sided test of the differences row by row; `halving` drops the worse half. Whoever is left is asked all
rows. A decision waits for the whole block, so no order of arrival can change it, and a resumed run, which
finds the calls in its journal, decides the same.
"""

import math
import random
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from spotui.domain.statistics import most_ahead
from spotui.engine.score import Scorer, Sheet, read_sheets
from spotui.engine.task import Candidate, RowSet, Scored
from spotui.settings.values import Racing

LEVEL: Final = 0.2
"""How likely one test drops a candidate that is as good as the one it is compared with."""

FEWEST_ROWS: Final = 8
"""Rows of a block at least: on fewer, one answer more or less decides."""

MOST_BLOCKS: Final = 6
"""Blocks of a race at most: each is a time at which all wait for the slowest answer."""


class Standing(msgspec.Struct, frozen=True):
    """How a candidate stands in a race.

    Attributes:
        position: Which candidate.
        length: Characters of its prompt; of two with the same mean the shorter one is ahead.
        marks: On the rows that all have been asked, in the same order for all.
    """

    position: int
    length: int
    marks: tuple[float | None, ...]

    @property
    def rank(self) -> tuple[bool, float, int, int]:
        """What standings are ordered by, the best first; one without any mark is the last."""
        known = [mark for mark in self.marks if mark is not None]
        mean = math.fsum(known) / len(known) if known else 0.0
        return not known, -mean, self.length, self.position

    def is_behind(self, other: "Standing", rows: int) -> bool:
        """Whether it is worse than another by a paired one-sided test, or has no mark at all.

        Args:
            other: The other.
            rows: All rows of the race.
        """
        if all(mark is None for mark in self.marks):
            return True
        differences = [
            mine - theirs
            for mine, theirs in zip(self.marks, other.marks, strict=True)
            if mine is not None and theirs is not None
        ]
        return most_ahead(differences, LEVEL, rows) < 0


def checkpoints(rule: Racing, candidates: int, keep: int, rows: int) -> Iterator[int]:
    """After how many rows each block ends; the last block ends with the last row.

    Args:
        rule: How candidates are dropped.
        candidates: How many race.
        keep: How many are asked all rows at least.
        rows: How many rows there are.
    """
    if rule == "paired" and candidates > keep:
        block = max(FEWEST_ROWS, math.ceil(rows / MOST_BLOCKS))
        yield from range(block, rows, block)
    elif rule == "halving" and candidates > keep:
        halvings = math.ceil(math.log2(candidates / keep))
        ends = {max(FEWEST_ROWS, math.ceil(rows / 2**left)) for left in range(halvings, 0, -1)}
        yield from sorted(end for end in ends if end < rows)[1 - MOST_BLOCKS :]
    yield rows


def most_saved(rule: Racing, candidates: int, keep: int, rows: int) -> int:
    """Answers that a race saves at most: everybody who may be dropped is dropped as early as possible.

    Args:
        rule: How candidates are dropped.
        candidates: How many race.
        keep: How many are asked all rows at least.
        rows: How many rows there are.
    """
    saved, left = 0, candidates
    for end in checkpoints(rule, candidates, keep, rows):
        stay = min(left, keep if rule == "paired" else max(keep, math.ceil(left / 2)))
        saved += (left - stay) * (rows - end)
        left = stay
    return saved


def left_in_race(rule: Racing, standings: Sequence[Standing], keep: int, rows: int) -> list[int]:
    """The places of those that are asked more rows, in the order of their places.

    Args:
        rule: How candidates are dropped.
        standings: How they stand, in any order.
        keep: How many stay at least.
        rows: All rows of the race.
    """
    order = sorted(standings, key=lambda one: one.rank)
    if rule == "halving":
        stay = order[: max(keep, math.ceil(len(order) / 2))]
    else:
        stay = order[:keep]
        stay += [one for one in order[keep:] if not one.is_behind(stay[-1], rows)]
    return sorted(one.position for one in stay)


async def race(
    scorer: Scorer, number: int, candidates: Sequence[Candidate], rows: RowSet, keep: int
) -> list[Scored]:
    """Score several prompts on the same rows, and stop asking those that have fallen behind.

    Args:
        scorer: Asks and marks, and has the rule.
        number: The round that asks.
        candidates: The prompts.
        rows: The rows.
        keep: How many of them are asked all rows at least.

    Returns:
        One a candidate, in their order; the score of one that was dropped is partial.

    Raises:
        Halted: The run ends here.
        ValueError: None is to be kept.
    """
    if keep < 1:
        raise ValueError(f"A race keeps at least 1 candidate, not {keep}.")
    sheets = scorer.enter(number, candidates, rows)
    entrants = list(sheets.values())
    racing = list(range(len(entrants)))
    order = list(rows.positions)
    random.Random(f"{scorer.seed}/race/{number}").shuffle(order)  # noqa: S311 - reproducible on purpose
    ends = list(checkpoints(scorer.racing, len(entrants), keep, len(rows)))
    if len(ends) == 1:
        order = list(rows.positions)
    begin = 0
    for end in ends:
        if len(racing) <= keep:
            end = len(rows)  # noqa: PLW2901 - nobody can be dropped any more, so there is nothing to wait for
        asked = [one for place in racing if (one := entrants[place]).scored is None]
        await scorer.fill(number, asked, rows, order[begin:end])
        if (begin := end) == len(rows):
            break
        standings = [_standing(place, entrants[place], order[:end]) for place in racing]
        left = left_in_race(scorer.racing, standings, keep, len(rows))
        for dropped in sorted({*racing}.difference(left)):
            if entrants[dropped].scored is None:
                scorer.close_sheet(number, entrants[dropped], rows)
        racing = left
    return read_sheets(sheets, candidates)


def _standing(index: int, sheet: Sheet, asked: Sequence[int]) -> Standing:
    return Standing(index, len(sheet.candidate.prompt), tuple(map(sheet.grade, asked)))
