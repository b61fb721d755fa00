"""What ends a run before its last round."""

from collections.abc import Sequence

import msgspec

from spotui.workspace.lines import StopReason


class Stopping(msgspec.Struct, frozen=True):
    """The conditions of one run, each None when there is none.

    Attributes:
        patience: Rounds in a row without a win.
        target_wins: Wins.
    """

    patience: int | None = None
    target_wins: int | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is any condition."""
        return self.patience is not None or self.target_wins is not None

    def reached(self, ended: int, wins: Sequence[int]) -> tuple[StopReason, str] | None:
        """The condition that holds, with the reason as a sentence.

        Args:
            ended: The last round that ended.
            wins: The rounds after the seed that won, the last one last.
        """
        if self.target_wins is not None and len(wins) >= self.target_wins:
            return "target", f"The target is reached: {_rounds(len(wins))} won."
        idle = ended - (wins[-1] if wins else 1)
        if self.patience is not None and idle >= self.patience:
            return "patience", f"No win in {_rounds(idle)} in a row."
        return None


def _rounds(count: int) -> str:
    return f"{count} round" + ("" if count == 1 else "s")
