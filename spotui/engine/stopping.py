"""The conditions that end a run before its rounds are done."""

import msgspec

from spotui.domain.verdicts import StopReason
from spotui.lang import _


class Stopping(msgspec.Struct, frozen=True):
    """The conditions of one run, each None when there is none.

    Attributes:
        patience: Rounds in a row without a win or a lead: a lead moves the search, though it proves nothing.
        target_wins: Wins.
    """

    patience: int | None = None
    target_wins: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is any condition."""
        return self.patience is not None or self.target_wins is not None

    def reached(self, ended: int, wins: int, best: int) -> tuple[StopReason, str] | None:
        """The condition that holds, with the reason as a sentence.

        Args:
            ended: The last round that ended.
            wins: How many rounds after the seed have won.
            best: The round whose prompt is the best so far.
        """
        if self.target_wins is not None and wins >= self.target_wins:
            return "target", _("The target is reached: {rounds} won.", rounds=_rounds(wins))
        idle = ended - best
        if self.patience is not None and idle >= self.patience:
            return "patience", _("No win in {rounds} in a row.", rounds=_rounds(idle))
        return None


def _rounds(count: int) -> str:
    return f"{count} round" + ("" if count == 1 else "s")
