"""Counting votes until the outcome is settled."""

from collections.abc import Sequence
from typing import Literal

from spotui.judging.votes import Choice

Verdict = Literal["win", "loss", "tie", "void"]


class Tally:
    """Strict majority of all ballots: the candidate wins with more than half of them, or the best stays.

    A tie or a void stays in the count of ballots, so it never helps the candidate: were a void taken out, a
    judge that only likes a position could win through the one that is left over.

    Args:
        ballots: How many are asked for.
    """

    def __init__(self, ballots: int) -> None:
        self.ballots = ballots
        self.choices: list[Choice] = []

    def add(self, choice: Choice) -> None:
        """Count one vote."""
        self.choices.append(choice)

    def add_extra(self, choice: Choice) -> None:
        """Count a vote beyond those asked for, such as a person's."""
        self.ballots += 1
        self.add(choice)

    @property
    def wins(self) -> int:
        """Votes for the candidate."""
        return self.choices.count("win")

    @property
    def losses(self) -> int:
        """Votes for the best."""
        return self.choices.count("loss")

    @property
    def decided(self) -> bool:
        """Whether the votes still out cannot change whether the candidate wins."""
        most = self.wins + self.ballots - len(self.choices)
        return 2 * self.wins > self.ballots or 2 * most <= self.ballots

    @property
    def verdict(self) -> Verdict:
        """What the votes so far say."""
        if 2 * self.wins > self.ballots:
            return "win"
        if all(choice == "void" for choice in self.choices):
            return "void"
        return "loss" if self.losses > self.wins else "tie"


def compare_likelihoods(best: Sequence[float], candidate: Sequence[float], margin: float) -> Verdict:
    """The verdict of the likelihood judge: whose answers have more evidence for them, question by question.

    Args:
        best: The evidence for each of the best's answers, one a question.
        candidate: The same for the candidate's, in the same order.
        margin: The mean difference below which it is a tie.
    """
    difference = sum(new - old for old, new in zip(best, candidate, strict=True)) / len(best)
    if abs(difference) < margin:
        return "tie"
    return "win" if difference > 0 else "loss"
