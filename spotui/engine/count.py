"""Counting the votes of a duel."""

from collections.abc import Callable

from spotui.engine.decisions import Inbox
from spotui.events import Event, VoteCast
from spotui.judging.tally import Tally
from spotui.workspace.lines import VoteRecord


class Count:
    """The votes of one duel as they come in, each told as an event.

    Args:
        number: The round.
        ballots: How many are asked for.
        emit: Told of every vote; None for a duel that is no round's.
    """

    def __init__(self, number: int, ballots: int, emit: Callable[[Event], None] | None) -> None:
        self.tally = Tally(ballots)
        self.votes: list[VoteRecord] = []
        self.round = number
        self._emit = emit

    def add_all(self, inbox: Inbox) -> None:
        """Count what has arrived so far."""
        while not inbox.empty():
            self.add(*inbox.get_nowait())

    def add(self, vote: VoteRecord, index: int) -> None:
        """Count a vote; a person's comes on top of the ballots."""
        self.votes.append(vote)
        if vote.voter == "human":
            self.tally.add_extra(vote.choice)
        else:
            self.tally.add(vote.choice)
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
