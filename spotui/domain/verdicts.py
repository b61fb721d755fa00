"""The words for votes, verdicts and outcomes; each is spelled here and nowhere else."""

from typing import Literal

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

Outcome = Literal["seed", "win", "loss", "tie", "undecided", "refused", "void"]
"""How a round ends: the first one brings the seed, and a gate of the method may refuse a candidate."""

StopReason = Literal["finished", "budget", "patience", "target", "perfect", "stopped", "failed", "unmarked"]
"""Why a run ended."""
