"""What every metric is, and what it gives."""

from typing import Generic, Protocol, TypeVar

import msgspec

from spotui.dataset import Row
from spotui.errors import SpotuiError

Value = TypeVar("Value")


class MetricError(SpotuiError):
    """A metric that cannot be used, or that failed on an answer; no answer is wrong because of it."""


class Mark(msgspec.Struct, frozen=True):
    """What one answer is worth.

    Attributes:
        value: 0 is wrong, 1 is right.
        read: What was read out of the answer and compared, or None when there was nothing to read.
    """

    value: float
    read: str | None = None


class Metric(Protocol):
    """One way to score answers."""

    def mark(self, answer: str, row: Row) -> Mark:
        """What an answer is worth.

        Raises:
            MetricError: The metric failed, which says nothing about the answer.
        """
        ...

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored, one sentence, or an empty text."""
        ...


class Comparing(Generic[Value]):
    """A metric that reads a value out of the answer and out of the references; one match is enough."""

    wanted = "an answer"
    """What a reference has to hold, for an error."""

    def read(self, answer: str, row: Row) -> Value | None:
        """The value an answer gives, or None when it gives none."""
        raise NotImplementedError

    def read_reference(self, reference: str) -> Value | None:
        """The value of a reference, or None when it is none."""
        raise NotImplementedError

    def equal(self, found: Value, expected: Value) -> bool:
        """Whether the answer is right."""
        return found == expected

    def shown(self, found: Value) -> str:
        """The value as a person reads it."""
        return str(found)

    def mark(self, answer: str, row: Row) -> Mark:
        """1 when the value in the answer is that of any reference, else 0."""
        found = self.read(answer, row)
        if found is None:
            return Mark(0.0)
        expected = map(self.read_reference, row.references)
        right = any(one is not None and self.equal(found, one) for one in expected)
        return Mark(float(right), self.shown(found))

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        if what := no_reference(row):
            return what
        wrong = next((one for one in row.references if self.read_reference(one) is None), None)
        return "" if wrong is None else f"The answer {shown(wrong)} is not {self.wanted}."


def no_reference(row: Row) -> str:
    """What is wrong with a row that has nothing to compare with."""
    return "" if row.references else "The row has no answer to compare with."


def shown(text: str) -> str:
    """A text in quotes, on one line and not too long."""
    line = " ".join(text[:200].split())
    return f"“{line if len(line) <= 40 else line[:39] + '…'}”"
