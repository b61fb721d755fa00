"""The final check: the best prompt against the seed, question by question, and what that is worth."""

from collections.abc import Sequence
from typing import Final

import msgspec

from spotui.domain.statistics import Comparison, Interval, compare
from spotui.domain.verdicts import Choice
from spotui.judging.reliability import WinRate, win_rate
from spotui.judging.votes import pooled
from spotui.lang import _, join, ngettext

CHANCE = 0.5
"""The win rate of two prompts that are equally good."""


_NET: Final[dict[Choice, float | None]] = {"win": 1.0, "tie": 0.0, "loss": -1.0, "void": None}


def paired(choices: Sequence[Choice]) -> Comparison:
    """How two prompts compare by the verdict on each question, on the scale of win rates.

    A question won counts 1 and one lost -1, so the interval is that of Bonett and Price, which is as wide as
    it should be for a few questions, and where all of them are ties. Half of that is how far the win rate,
    with ties as half a win, lies above one half.

    Args:
        choices: The verdicts from the second prompt's side; void for a question that cannot be compared.
    """
    nets = [_NET[one] for one in choices]
    net = compare([0.0] * len(nets), nets)
    ends = Interval(net.interval.low / 2, net.interval.high / 2)
    return msgspec.structs.replace(net, difference=net.difference / 2, interval=ends, floor=net.floor / 2)


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
            if self.outcome == "void":
                return _("The final check brought no verdict: no vote could be read.")
            return ngettext(
                "No improvement: no difference on {n} question.",
                "No improvement: no difference on {n} questions.",
                len(self.rows),
            )
        low, high = self.rate.interval
        figures = ngettext(
            "better than the seed on {wins} of {n} question, worse on {losses}, no difference on {same}: "
            "win rate {rate:.0%} (95% CI {low:.0%} to {high:.0%})",
            "better than the seed on {wins} of {n} questions, worse on {losses}, no difference on {same}: "
            "win rate {rate:.0%} (95% CI {low:.0%} to {high:.0%})",
            len(self.rows),
            wins=wins,
            losses=losses,
            same=same,
            rate=self.rate.rate,
            low=low,
            high=high,
        )
        if self.outcome != "win":
            return _("No improvement: {figures}.", figures=figures)
        chance = _("That may still be chance.") if low <= CHANCE else ""
        return join(_("Improvement: {figures}.", figures=figures), chance)
