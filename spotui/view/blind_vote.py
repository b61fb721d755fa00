"""A person's vote on two sets of answers without knowing whose they are, and what became of it."""

from dataclasses import dataclass
from typing import Literal

from spotui.events import CommandRefused
from spotui.view.figures import verdict
from spotui.view.picture import Picture, RoundPicture

Side = Literal["left", "right", "tie"]
Choice = Literal["win", "loss", "tie"]


@dataclass(frozen=True)
class BlindVote:
    """One vote.

    Attributes:
        round: Whose candidate was compared with the best.
        side: Which answers are better.
        is_swapped: Whether the candidate's stood at the left.
        sent_at: When it was sent to the run, seconds since 1970; None when it could not be.
    """

    round: int
    side: Side
    is_swapped: bool
    sent_at: float | None = None

    @property
    def choice(self) -> Choice:
        """What it says of the candidate."""
        if self.side == "tie":
            return "tie"
        return "win" if (self.side == "right") != self.is_swapped else "loss"

    @property
    def verdict(self) -> Literal["win", "loss"]:
        """The verdict that keeps the prompt it prefers; a tie keeps the best."""
        return "win" if self.choice == "win" else "loss"

    def agrees(self, one: RoundPicture) -> bool:
        """Whether the verdict has kept the prompt that it prefers."""
        return (one.outcome == "win") == (self.choice == "win")


def is_open(picture: Picture, number: int) -> bool:
    """Whether a vote on a round may still be counted in its duel; the run itself knows for sure."""
    one = picture.rounds.get(number)
    return one is not None and number > 1 and one.outcome is None and picture.stopped is None


def what_it_was(vote: BlindVote, best: str, candidate: str) -> str:
    """Whose answers were preferred."""
    left, right = (candidate, best) if vote.is_swapped else (best, candidate)
    if vote.side == "tie":
        return f"You found them equal. Left was {left}; right was {right}."
    chosen, other = (left, right) if vote.side == "left" else (right, left)
    return f"You chose {vote.side}: that was {chosen}. The other was {other}."


def what_became_of_it(vote: BlindVote, picture: Picture) -> str:
    """Whether it counts, and why not."""
    one = picture.rounds[vote.round]
    if vote.sent_at is not None:
        if any(cast.voter == "human" and cast.at >= vote.sent_at for cast in one.votes):
            return "It is counted with the judge's votes."
        if one.outcome is None and not _refused(vote, picture):
            return "It is on its way to the run."
    if one.outcome is None:
        return "It cannot be counted: the round has no verdict, and no duel is open for votes."
    shown = verdict(one.outcome, one.judged)
    if vote.agrees(one):
        return f"The verdict is {shown}, which keeps the same prompt."
    return f"The verdict is {shown}, which keeps the other prompt; it came before your vote."


def _refused(vote: BlindVote, picture: Picture) -> bool:
    return any(
        isinstance(notice, CommandRefused) and notice.command == "vote" and notice.at >= (vote.sent_at or 0)
        for notice in picture.notices
    )
