"""Counting the votes of a duel."""

from collections.abc import Callable, Sequence

from spotui.engine.decisions import Inbox
from spotui.engine.task import Duel
from spotui.events import Event, VoteCast
from spotui.judging.ballots import Ballot
from spotui.judging.people import Counted, PersonsVote, count_people
from spotui.judging.rule import Rule
from spotui.judging.votes import Choice
from spotui.workspace.lines import VoteRecord


class Count:
    """The votes of one duel as they come in, each told as an event.

    Args:
        number: The round.
        rule: What they are counted by.
        questions: How many questions the duel is about.
        emit: Told of every vote.
    """

    def __init__(self, number: int, rule: Rule, questions: int, emit: Callable[[Event], None]) -> None:
        self.round = number
        self._rule = rule
        self._questions = questions
        self._emit = emit
        self._votes: dict[int, VoteRecord] = {}
        self._people: list[VoteRecord] = []

    @property
    def is_decided(self) -> bool:
        """Whether no vote that is missing can change who is kept."""
        people = self._counted()
        return people.decision is not None or self._rule.is_decided(self._choices(), people.choices)

    @property
    def wanted(self) -> Sequence[Ballot]:
        """The ballots to be out now."""
        people = self._counted()
        return () if people.decision else self._rule.wanted(self._choices(), people.choices)

    def duel(self) -> Duel:
        """How it ended: the judge's votes by their numbers, then people's."""
        votes = (*(vote for _, vote in sorted(self._votes.items())), *self._people)
        people = self._counted()
        return Duel(people.decision or self._rule.verdict(self._choices(), people.choices), votes)

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
        self._emit(
            VoteCast(
                round=self.round,
                index=index,
                choice=vote.choice,
                order=vote.order,
                reason=vote.reason,
                voter=vote.voter,
                model=vote.model,
                question=vote.question,
                outranks=vote.outranks,
            )
        )

    def _choices(self) -> dict[int, Choice]:
        return {index: vote.choice for index, vote in self._votes.items()}

    def _counted(self) -> Counted:
        votes = [PersonsVote(vote.choice, vote.question, vote.outranks) for vote in self._people]
        return count_people(votes, self._questions)
