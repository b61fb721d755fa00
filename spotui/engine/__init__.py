"""The verbs that methods are written in: propose, execute, judge, score.

A method knows no file, no provider and no screen: it opens rounds and calls their verbs.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spotui.engine.asking import together
    from spotui.engine.engine import Engine
    from spotui.engine.propose import fold
    from spotui.engine.round import Round, words_changed
    from spotui.engine.scored_round import ScoredRound
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

_HOMES = {
    "Candidate": "spotui.engine.task",
    "Duel": "spotui.engine.task",
    "Engine": "spotui.engine.engine",
    "Question": "spotui.engine.task",
    "Round": "spotui.engine.round",
    "RowOutcome": "spotui.engine.task",
    "RowSet": "spotui.engine.task",
    "Scored": "spotui.engine.task",
    "ScoredRound": "spotui.engine.scored_round",
    "Splits": "spotui.engine.task",
    "Task": "spotui.engine.task",
    "Trial": "spotui.engine.task",
    "fold": "spotui.engine.propose",
    "format_answers": "spotui.engine.task",
    "format_references": "spotui.engine.task",
    "together": "spotui.engine.asking",
    "words_changed": "spotui.engine.round",
}

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


def __getattr__(name: str) -> object:
    """Import a verb when it is first used: who reads a meta-prompt needs no event loop."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'spotui.engine' has no attribute {name!r}")
