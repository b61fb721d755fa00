"""Counting the votes of a duel."""

from collections.abc import Callable, Sequence

from spotui.events import Event, VoteCast
from spotui.judging.ballots import Ballot
from spotui.judging.tally import Tally
from spotui.workspace.lines import VoteRecord


class Count:
    """The votes of one duel as they come in, each told as an event.

    Args:
        number: The round.
        ballots: What is asked for.
        emit: Told of every vote.
    """

    def __init__(self, number: int, ballots: Sequence[Ballot], emit: Callable[[Event], None]) -> None:
        self.ballots = ballots
        self.tally = Tally(len(ballots))
        self.votes: list[VoteRecord] = []
        self._round = number
        self._emit = emit

    def add(self, vote: VoteRecord, index: int) -> None:
        """Count a vote; a person's comes on top of the ballots."""
        self.votes.append(vote)
        if vote.voter == "human":
            self.tally.add_extra(vote.choice)
        else:
            self.tally.add(vote.choice)
        self._emit(
            VoteCast(
                round=self._round,
                index=index,
                choice=vote.choice,
                order=vote.order,
                reason=vote.reason,
                voter=vote.voter,
            )
        )
