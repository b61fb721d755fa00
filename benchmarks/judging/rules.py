"""The rules that are compared, each as it is held and as it is computed."""

import random
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.judging import exact
from benchmarks.judging.judges import Character, JudgeModel, Quality
from spotui.judging.decision import BALANCED, THOROUGH, Boundaries, Majority, Rule, Sequential
from spotui.judging.votes import alternating, coin_flips

QUALITIES: tuple[Quality, ...] = ("better", "equal", "worse")


class Contender(NamedTuple):
    """A rule in the comparison.

    Attributes:
        name: As it is printed.
        rule: Makes the rule of one duel.
        character: The same without chance.
    """

    name: str
    rule: Callable[[random.Random], Rule]
    character: Callable[[JudgeModel, Quality], Character]


def _sequential(name: str, boundaries: Boundaries) -> Contender:
    return Contender(
        name,
        lambda _: Sequential(boundaries),
        lambda judge, quality: exact.sequential(boundaries, judge, quality),
    )


def _coin_flips(name: str, ballots: int) -> Contender:
    return Contender(
        name,
        lambda chance: Majority(coin_flips(ballots, chance)),
        lambda judge, quality: exact.majority([None] * ballots, judge, quality),
    )


CONTENDERS = (
    _coin_flips("one vote (the paper's Algorithm 1)", 1),
    _coin_flips("reference: four coin flips", 4),
    Contender(
        "fixed 2+2, strict majority",
        lambda _: Majority(alternating(4)),
        lambda judge, quality: exact.majority([one.order for one in alternating(4)], judge, quality),
    ),
    _sequential("balanced (default)", BALANCED),
    _sequential("thorough", THOROUGH),
)
