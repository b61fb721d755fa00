"""Counting the votes of a duel."""

from collections.abc import Callable, Sequence

from spotui.engine.decisions import Inbox
from spotui.engine.task import Duel
from spotui.events import Event, VoteCast
from spotui.judging.ballots import Ballot
from spotui.judging.rule import Rule
from spotui.judging.votes import Choice
from spotui.workspace.lines import VoteRecord


class Count:
    """The votes of one duel as they come in, each told as an event.

    Args:
        number: The round.
        rule: What they are counted by.
        emit: Told of every vote; None for a duel that is no round's.
    """

    def __init__(self, number: int, rule: Rule, emit: Callable[[Event], None] | None) -> None:
        self.round = number
        self._rule = rule
        self._emit = emit
        self._votes: dict[int, VoteRecord] = {}
        self._people: list[VoteRecord] = []

    @property
    def is_decided(self) -> bool:
        """Whether no vote that is missing can change who is kept."""
        return self._rule.is_decided(*self._choices())

    @property
    def wanted(self) -> Sequence[Ballot]:
        """The ballots to be out now."""
        return self._rule.wanted(*self._choices())

    def duel(self) -> Duel:
        """How it ended: the judge's votes by their numbers, then people's."""
        votes = (*(vote for _, vote in sorted(self._votes.items())), *self._people)
        return Duel(self._rule.verdict(*self._choices()), votes)

    def add_all(self, inbox: Inbox) -> None:
        """Count what has arrived so far."""
        while not inbox.empty():
            self.add(*inbox.get_nowait())

    def add(self, vote: VoteRecord, index: int) -> None:
        """Count a vote; a person's comes on top of the ballots."""
        if vote.voter == "human":
            self._people.append(vote)
        else:
            self._votes[index] = vote
        if self._emit is None:
            return
        self._emit(
            VoteCast(
                round=self.round,
                index=index,
                choice=vote.choice,
                order=vote.order,
                reason=vote.reason,
                voter=vote.voter,
            )
        )

    def _choices(self) -> tuple[dict[int, Choice], list[Choice]]:
        votes = {index: vote.choice for index, vote in self._votes.items()}
        return votes, [vote.choice for vote in self._people]
