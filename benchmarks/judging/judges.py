"""Judges whose faults are known, and duels that they decide by chance."""

import random
from collections.abc import Callable
from typing import Literal

import msgspec

from spotui.domain.verdicts import Choice, Order
from spotui.judging.decision import Rule

Quality = Literal["better", "equal", "worse"]
"""What the candidate is in truth."""


class JudgeModel(msgspec.Struct, frozen=True):
    """A judge as chances, each from 0 to 1.

    Attributes:
        accuracy: A vote that looks at the answers is right, when one side is better.
        bias: A vote does not look at the answers, and goes to what is shown first.
        ties: A vote goes to neither side.
        voids: A reply makes no choice; it is asked for once more.
        shared: All votes of a duel have the same opinion on the answers: correlated noise, which no number of
            votes averages out.
    """

    accuracy: float = 0.8
    bias: float = 0.0
    ties: float = 0.0
    voids: float = 0.0
    shared: float = 0.0

    @property
    def calls_a_ballot(self) -> float:
        """Calls that one ballot takes on average."""
        return 1 + self.voids

    def opinions(self, quality: Quality) -> list[tuple[float, float]]:
        """How the judge may see the answers of one duel: the chance of it, and that of a vote to win then."""
        right = {"better": self.accuracy, "equal": 0.5, "worse": 1 - self.accuracy}[quality]
        return [(self.shared * right, 1.0), (self.shared * (1 - right), 0.0), (1 - self.shared, right)]

    def ballot(self, opinion: float, order: Order) -> dict[Choice, float]:
        """The chance of each vote; a void moves a duel as a tie does.

        Args:
            opinion: The chance that a vote that looks at the answers is for the candidate.
            order: Whether the candidate is shown last, AB, or first, BA.
        """
        void = self.voids**2
        chooses = (1 - void) * (1 - self.ties)
        win = self.bias * (order == "BA") + (1 - self.bias) * opinion
        return {
            "win": chooses * win,
            "loss": chooses * (1 - win),
            "tie": (1 - void) * self.ties,
            "void": void,
        }


class Character(msgspec.Struct, frozen=True):
    """What a rule makes of one quality of candidates: how often it wins, and calls and waves on average.

    A wave is as many votes as are asked at once: the round waits so often for the length of a reply.
    """

    accepted: float
    calls: float
    waves: float


def simulate(
    rule: Callable[[random.Random], Rule], judge: JudgeModel, quality: Quality, duels: int, seed: int
) -> Character:
    """Hold duels as a run does: ask what the rule wants, until it has decided.

    Args:
        rule: Makes the rule of one duel; it may draw orders by chance.
        judge: Who votes.
        quality: Of every candidate.
        duels: How many.
        seed: Of everything that is by chance.
    """
    chance = random.Random(seed)
    opinions = judge.opinions(quality)
    won, calls, waves = 0, 0, 0
    for _ in range(duels):
        one = rule(chance)
        opinion = chance.choices([says for _, says in opinions], [weight for weight, _ in opinions])[0]
        votes: dict[int, Choice] = {}
        while wanted := one.wanted(votes, ()):
            waves += 1
            for ballot in wanted:
                chances = judge.ballot(opinion, ballot.order)
                votes[ballot.index] = chance.choices(list(chances), list(chances.values()))[0]
                calls += 1 + (chance.random() < judge.voids)
        won += one.verdict(votes, ()) == "win"
    return Character(won / duels, calls / duels, waves / duels)
