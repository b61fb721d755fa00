"""One thing in a run's log."""

from dataclasses import dataclass
from typing import Literal

TAIL_KEPT = 400
"""Characters of a reply under way that are kept to be shown; the whole reply comes with its event."""

Kind = Literal[
    "round", "proposal", "answer", "vote", "verdict", "trouble", "notice", "calls", "past", "note", "beam"
]
Tone = Literal["plain", "heading", "best", "win", "loss", "tie", "void", "warning", "error"]


@dataclass(slots=True)
class Entry:
    """One thing in the log.

    Attributes:
        round: The round it belongs to, or in which it happened; 0 before the first.
        kind: What it is; `calls` is one line for all calls of a kind.
        title: What it is, in a word or two.
        facts: Tokens, seconds and the like.
        text: The modification, the answer, the reason.
        aside: What is worth less attention: the question, the optimizer's reasoning.
        tone: How it went.
        began: When its call went out, seconds since 1970; None once nothing is under way.
        retry_at: When the next try will be made; 0 when none is due.
        streamed: The last characters of the reply under way.
    """

    round: int
    kind: Kind
    title: str
    facts: str = ""
    text: str = ""
    aside: str = ""
    tone: Tone = "plain"
    began: float | None = None
    retry_at: float = 0.0
    streamed: str = ""
