"""What a decision rule is: which ballots to ask for, when a duel is decided, and how it ends."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from spotui.judging.ballots import Ballot
from spotui.judging.votes import Choice

Verdict = Literal["win", "loss", "tie", "undecided", "void"]

Votes = Mapping[int, Choice]
"""The judge's votes so far, by the number of their ballot; they may arrive in any order."""


class Rule(Protocol):
    """A function of the votes alone, never of the order they arrive in.

    So a duel that was cut off and is taken up again ends as it would have. People's votes come on top of the
    judge's, whenever they are cast.
    """

    @property
    def ballots(self) -> Sequence[Ballot]:
        """Every ballot that may have to be asked, in order."""
        ...

    def wanted(self, votes: Votes, people: Sequence[Choice]) -> Sequence[Ballot]:
        """The ballots to be out now, those on their way included; none once it is decided."""
        ...

    def is_decided(self, votes: Votes, people: Sequence[Choice]) -> bool:
        """Whether no vote that is missing can change who is kept."""
        ...

    def verdict(self, votes: Votes, people: Sequence[Choice]) -> Verdict:
        """How the duel ends, once it is decided."""
        ...
