"""The marks that a custom metric gave: kept in the journal, so that it is asked once for each answer.

A custom metric may take minutes or cost money, and where a run is only watched again it must not run at all.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Protocol

import msgspec

from spotui.dataset import Row
from spotui.workspace.lines import AnyLine, Line, MarkLine


class MarkJournal(Protocol):
    """Where marks are kept; a project's journal is one."""

    def lines(self) -> Iterator[AnyLine]:
        """Every line from the first to the last."""
        ...

    def append(self, line: Line) -> None:
        """Keep a line for good."""
        ...


class RecordedMarks:
    """Marks by what they were given for.

    Args:
        journal: Where they are kept; None keeps them for as long as this lives.
        with_failures: Whether a failure of the metric is kept like a mark, so that a resumed run goes the
            same way; otherwise the metric is asked again in the next session.
    """

    def __init__(self, journal: MarkJournal | None = None, *, with_failures: bool = True) -> None:
        self._journal = journal
        self._with_failures = with_failures
        self._marks: dict[str, MarkLine] | None = None

    def find(self, of: str, metric: str | None) -> MarkLine | None:
        """The mark that was given before.

        Args:
            of: What it was given for, as `mark_id` says it.
            metric: The SHA-256 of the metric's file; None takes the mark of any version of it.
        """
        line = self._known.get(of)
        return line if line is not None and metric in (None, line.metric) else None

    def keep(self, line: MarkLine) -> None:
        """Keep a mark.

        Raises:
            JournalError: It cannot be written.
        """
        if self._journal is not None and (self._with_failures or line.mark is not None):
            self._journal.append(line)
        self._known[line.of] = line

    @property
    def _known(self) -> dict[str, MarkLine]:
        if self._marks is None:
            lines = () if self._journal is None else self._journal.lines()
            self._marks = {line.of: line for line in lines if isinstance(line, MarkLine)}
        return self._marks


def mark_id(name: str, answer: str, row: Row) -> str:
    """A hash of everything that a custom metric sees.

    Args:
        name: The metric in the template.
        answer: What it marks.
        row: The row; where it is in its file makes no difference.
    """
    seen = msgspec.json.encode([name, row.question, row.references, sorted(row.slots.items()), answer])
    return blake2b(seen, digest_size=16).hexdigest()
