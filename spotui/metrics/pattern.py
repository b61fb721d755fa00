"""Looks for a pattern of the user's own."""

from typing import Final

from spotui.dataset import Row
from spotui.metrics.mark import Mark, MetricError, no_reference, shown
from spotui.metrics.texts import tokens

SECONDS: Final = 1.0
"""How long a search may take; some patterns would go on for ever on some answers."""


class Pattern:
    """A regular expression, as Python's `re` and the `regex` package have it.

    With groups, the last match counts: what its group `answer` holds, or else the first group that took part
    in it, is compared with the references without case, punctuation and white space. Without groups, an
    answer is right when the pattern is found in it.

    Args:
        pattern: The expression.

    Raises:
        MetricError: It is none.
    """

    def __init__(self, pattern: str) -> None:
        import regex

        try:
            self._pattern = regex.compile(pattern)
        except regex.error as error:
            what = f"The pattern {shown(pattern)} of the metric is broken: {error}."
            raise MetricError(what, "Correct it, or test it on an answer first.") from None

    def mark(self, answer: str, row: Row) -> Mark:
        """Whether the pattern is there, and its group what is expected.

        Raises:
            MetricError: The search took too long.
        """
        found = None
        try:
            for found in self._pattern.finditer(answer, timeout=SECONDS):  # noqa: B007 - the last one counts
                pass
        except TimeoutError:
            what = f"The pattern of the metric takes more than {SECONDS:g} s on an answer to {row.place}."
            raise MetricError(what, "Write it so that it need not try so many ways.") from None
        if found is None:
            return Mark(0.0)
        if not self._pattern.groups:
            return Mark(1.0, found[0])
        groups = [found["answer"]] if "answer" in self._pattern.groupindex else found.groups()
        read = next((group for group in groups if group), "")
        return Mark(float(tokens(read) in map(tokens, row.references)), read)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return no_reference(row) if self._pattern.groups else ""
