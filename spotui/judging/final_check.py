"""The final check: the best prompt against the seed, question by question, and what that is worth."""

from collections.abc import Sequence

import msgspec

from spotui.domain.verdicts import Choice
from spotui.judging.reliability import WinRate, win_rate
from spotui.judging.votes import pooled

CHANCE = 0.5
"""The win rate of two prompts that are equally good."""


def row_verdict(choices: Sequence[Choice]) -> Choice:
    """One question's verdict: a side has to have it in either order, or there is no difference.

    Args:
        choices: The votes on it, in both orders.
    """
    if len(set(choices)) == 1:
        return choices[0]
    return "tie"


class Checked(msgspec.Struct, frozen=True):
    """The verdicts of all questions, from the best prompt's side."""

    rows: tuple[Choice, ...]

    @property
    def outcome(self) -> Choice:
        """Win when it is better on more questions than it is worse on, tie when on as many."""
        return pooled(self.rows)

    @property
    def rate(self) -> WinRate | None:
        """Its share of the questions on which there is a difference, with a 95% interval."""
        return win_rate(self.rows)

    @property
    def headline(self) -> str:
        """What the check found, as a sentence or two."""
        wins, losses = self.rows.count("win"), self.rows.count("loss")
        same = len(self.rows) - wins - losses
        if self.rate is None:
            what = f"no difference on {_questions(len(self.rows))}"
            if self.outcome == "void":
                return "The final check brought no verdict: no vote could be read."
        else:
            low, high = self.rate.interval
            what = (
                f"better than the seed on {wins} of {_questions(len(self.rows))}, worse on {losses}"
                + (f", no difference on {same}" if same else "")
                + f": it wins {self.rate.rate:.0%} ({low:.0%} to {high:.0%})"
            )
        if self.outcome != "win":
            return f"No improvement: {what}."
        chance = (
            " That may still be chance." if self.rate is not None and self.rate.interval[0] <= CHANCE else ""
        )
        return f"{what[0].upper()}{what[1:]}.{chance}"


def _questions(count: int) -> str:
    return f"{count} question" + ("" if count == 1 else "s")
