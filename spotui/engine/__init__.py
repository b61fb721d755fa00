"""The verbs that methods are written in: propose, execute, judge, score.

A method knows no file, no provider and no screen: it opens rounds and calls their verbs.
"""

from spotui.engine.asking import together
from spotui.engine.engine import Engine
from spotui.engine.propose import fold
from spotui.engine.round import Round
from spotui.engine.scored_round import ScoredRound, words_changed
from spotui.engine.task import (
    Candidate,
    Duel,
    Question,
    RowOutcome,
    RowSet,
    Scored,
    Splits,
    Task,
    Trial,
    format_answers,
    format_references,
)

__all__ = [
    "Candidate",
    "Duel",
    "Engine",
    "Question",
    "Round",
    "RowOutcome",
    "RowSet",
    "Scored",
    "ScoredRound",
    "Splits",
    "Task",
    "Trial",
    "fold",
    "format_answers",
    "format_references",
    "together",
    "words_changed",
]
