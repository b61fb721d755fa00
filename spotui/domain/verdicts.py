"""The words for votes, verdicts and outcomes; each is spelled here and nowhere else."""

from typing import Final, Literal

Order = Literal["AB", "BA"]
"""AB shows a judge the best's answers as A and the candidate's as B; BA the other way round."""

Side = Literal["best", "candidate"]
"""Whose answers."""

Choice = Literal["win", "loss", "tie", "void"]
"""What one vote says of the candidate; void where it makes no choice."""

Preference = Literal["win", "loss", "tie"]
"""What a person's vote says of the candidate."""

Decisive = Literal["win", "loss"]
"""The verdict that a person sets in place of the judge's."""

Verdict = Literal["win", "loss", "tie", "undecided", "void"]
"""How a duel ends."""

Outcome = Literal["seed", "win", "lead", "loss", "tie", "undecided", "refused", "void"]
"""How a round ends: the first one brings the seed, and a gate of the method may refuse a candidate. A lead is
the best score so far, by less than the A/A floor: the search continues from it, and it is no win."""

BEST_SO_FAR: Final[frozenset[Outcome]] = frozenset({"seed", "win", "lead"})
"""The outcomes of rounds whose prompt became the best."""

StopReason = Literal[
    "finished", "budget", "patience", "target", "perfect", "stopped", "failed", "unmarked", "waiting"
]
"""Why a run ended; one that is waiting has left its calls with a provider, as a batch."""
