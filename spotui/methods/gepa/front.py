"""GEPA's pool of prompts and its Pareto front over the eval rows (algorithm 2 of the paper)."""

import random
from collections.abc import Sequence
from itertools import groupby
from operator import ge
from typing import NamedTuple

from spotui.domain.events import BlockItem
from spotui.engine import Scored


class Member(NamedTuple):
    """A prompt of the pool.

    Attributes:
        name: The round that added it, with a letter from the second one of a round on.
        scored: The prompt, scored on every eval row.
        marks: Its marks; a row that errored is worse than a wrong one, as it says nothing for the prompt.
        parents: The names of those it was made from.
        ancestors: The names of all that it descends from.
    """

    name: str
    scored: Scored
    marks: tuple[float, ...]
    parents: tuple[str, ...]
    ancestors: frozenset[str]

    @property
    def prompt(self) -> str:
        """The prompt itself."""
        return self.scored.prompt


def child(number: int, index: int, scored: Scored, parents: Sequence[Member] = ()) -> Member:
    """A new member of the pool.

    Args:
        number: The round that adds it.
        index: How many the round has added before.
        scored: The prompt, scored on every eval row.
        parents: What it was made from; nothing for the seed.
    """
    letter = chr(ord("a") + index) if index < 26 else f"-{index + 1}"
    name = f"{number}{letter if index else ''}"
    marks = tuple(-1.0 if mark is None else mark for mark in scored.marks)
    names = tuple(dict.fromkeys(one.name for one in parents))
    ancestors = frozenset(names).union(*(one.ancestors for one in parents))
    return Member(name, scored, marks, names, ancestors)


def front_of(pool: Sequence[Member]) -> list[Member]:
    """The prompts that are best on some row, alone or with others, and that no other one dominates.

    Whoever is not in the front of a pool is never in that of a larger one.
    """
    best = [max(marks) for marks in zip(*(one.marks for one in pool), strict=True)]
    leading = [one for one in pool if _led(one, best)]
    return [one for one in leading if not any(dominates(other, one) for other in leading)]


def dominates(first: Member, second: Member) -> bool:
    """Whether a prompt is as good on every row, and better on some."""
    return first.marks != second.marks and all(map(ge, first.marks, second.marks))


def rows_led(front: Sequence[Member]) -> dict[str, list[int]]:
    """The rows, from 1, on which each prompt of the front is best, alone or with others."""
    best = [max(marks) for marks in zip(*(one.marks for one in front), strict=True)]
    return {one.name: _led(one, best) for one in front}


def sample(front: Sequence[Member], *, seed: str) -> Member:
    """A prompt of the front, as probable as it is best on many rows."""
    led = rows_led(front)
    weights = [len(led[one.name]) for one in front]
    return random.Random(seed).choices(front, weights)[0]  # noqa: S311 - reproducible on purpose


def items(front: Sequence[Member]) -> list[BlockItem]:
    """The front as the log shows it: each prompt with its name, where it came from, and the rows it leads."""
    led = rows_led(front)
    shown = []
    for one in sorted(front, key=lambda one: -one.scored.score.mean):
        interval, facts = one.scored.score.interval, {"prompt": one.name}
        if one.parents:
            facts["from"] = "+".join(one.parents)
        facts[f"best on {len(led[one.name])} rows:"] = ranges(led[one.name])
        mean = one.scored.score.mean
        shown.append(
            BlockItem(one.prompt, mean, interval.low, interval.high, one.scored.score.rows, {**facts})
        )
    return shown


def ranges(numbers: Sequence[int]) -> str:
    """Rising numbers in short: 1-3, 7."""
    runs = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        inside = [number for _, number in run]
        runs.append(f"{inside[0]}-{inside[-1]}" if len(inside) > 1 else f"{inside[0]}")
    return ", ".join(runs)


def _led(member: Member, best: Sequence[float]) -> list[int]:
    return [
        row for row, (mark, top) in enumerate(zip(member.marks, best, strict=True), 1) if mark >= top >= 0
    ]
