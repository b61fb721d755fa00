"""Scores what stands in a tag, with another metric."""

from spotui.dataset import Row
from spotui.metrics.mark import Mark, Metric
from spotui.tags import last_tagged


class Tag:
    """What stands in the last complete pair of a tag, scored by another metric; without one, 0.

    Args:
        tag: The tag's name, as `answer` for `<answer>`.
        inner: The other metric.
    """

    def __init__(self, tag: str, inner: Metric) -> None:
        self._tag = tag
        self._inner = inner

    def mark(self, answer: str, row: Row) -> Mark:
        """What the content of the tag is worth."""
        content = last_tagged(answer, self._tag)
        return Mark(0.0) if content is None else self._inner.mark(content, row)

    def fault(self, row: Row) -> str:
        """Why a row cannot be scored."""
        return self._inner.fault(row)
