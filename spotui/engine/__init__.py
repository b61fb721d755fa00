"""The verbs that methods are written in: propose, execute, judge.

A method knows no file, no provider and no screen: it opens rounds and calls their verbs.
"""

from spotui.engine.engine import Engine
from spotui.engine.round import Round
from spotui.engine.task import Candidate, Duel, Question, Task, Trial, format_answers, format_references

__all__ = [
    "Candidate",
    "Duel",
    "Engine",
    "Question",
    "Round",
    "Task",
    "Trial",
    "format_answers",
    "format_references",
]
