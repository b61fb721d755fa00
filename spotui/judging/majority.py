"""Strict majority of a fixed number of ballots: the reference's rule."""

from collections.abc import Sequence

from spotui.judging.ballots import Ballot, alternating
from spotui.judging.rule import Verdict, Votes
from spotui.judging.votes import Choice


class Majority:
    """All ballots are asked at once; the candidate wins with more than half of them, or the best stays.

    A tie or a void stays in the count of ballots, so it never helps the candidate: were a void taken out, a
    judge that only likes a position could win through the one that is left over. A person's vote is one
    ballot more.

    Args:
        ballots: What is asked for.
    """

    def __init__(self, ballots: Sequence[Ballot]) -> None:
        self.ballots = tuple(ballots)

    def wanted(self, votes: Votes, people: Sequence[Choice]) -> Sequence[Ballot]:
        """All that are missing, until it is decided."""
        if self.is_decided(votes, people):
            return ()
        return [ballot for ballot in self.ballots if ballot.index not in votes]

    def is_decided(self, votes: Votes, people: Sequence[Choice]) -> bool:
        """Whether the votes still out cannot change whether the candidate wins."""
        ballots = len(self.ballots) + len(people)
        wins = _all(votes, people).count("win")
        most = wins + len(self.ballots) - len(votes)
        return 2 * wins > ballots or 2 * most <= ballots

    def verdict(self, votes: Votes, people: Sequence[Choice]) -> Verdict:
        """What the votes so far say."""
        choices = _all(votes, people)
        if 2 * choices.count("win") > len(self.ballots) + len(people):
            return "win"
        if all(choice == "void" for choice in choices):
            return "void"
        return "loss" if choices.count("loss") > choices.count("win") else "tie"


class Weighed:
    """A verdict that was measured, as one ballot; a person's vote is one ballot more.

    Args:
        choice: What was measured.
    """

    def __init__(self, choice: Choice) -> None:
        self.ballots: tuple[Ballot, ...] = ()
        self._measured: Votes = {0: choice}
        self._majority = Majority(alternating(1))

    def wanted(self, votes: Votes, people: Sequence[Choice]) -> Sequence[Ballot]:  # noqa: ARG002 - a rule's
        """Nothing: it has been measured."""
        return ()

    def is_decided(self, votes: Votes, people: Sequence[Choice]) -> bool:  # noqa: ARG002 - a rule's
        """It is."""
        return True

    def verdict(self, votes: Votes, people: Sequence[Choice]) -> Verdict:  # noqa: ARG002 - a rule's
        """What was measured, and what people say."""
        return self._majority.verdict(self._measured, people)


def _all(votes: Votes, people: Sequence[Choice]) -> list[Choice]:
    return [*votes.values(), *people]
