"""One thing in a run's log."""

from dataclasses import dataclass, field
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


@dataclass
class Log:
    """The entries of a log.

    Attributes:
        entries: In the order they began, without those that gave way.
        first: The position of the first of them, counted from the run's first entry.
        changed: Positions of entries that changed since somebody last took them away with `take_changes`.
    """

    entries: list[Entry] = field(default_factory=list)
    first: int = 0
    changed: set[int] = field(default_factory=set)

    def take_changes(self) -> set[int]:
        """The positions of entries that are new or changed since the last time."""
        taken, self.changed = self.changed, set()
        return {position for position in taken if position >= self.first}

    @property
    def end(self) -> int:
        """The position after the last entry."""
        return self.first + len(self.entries)

    def entry(self, position: int) -> Entry:
        """The entry at a position."""
        return self.entries[position - self.first]

    def add(self, entry: Entry) -> int:
        """Put an entry at the end; returns its position."""
        position = self.end
        self.changed.add(position)
        self.entries.append(entry)
        return position

    def change(self, position: int) -> Entry:
        """The entry at a position, which counts as changed."""
        self.changed.add(position)
        return self.entry(position)

    def drop(self, count: int) -> None:
        """Let the oldest entries go."""
        del self.entries[:count]
        self.first += count
