"""Marks answers as a run does: the metric made from what a template says."""

from pathlib import Path

from spotui.domain.rows import Row
from spotui.metrics.choose import make_metric, read_choice
from spotui.metrics.mark import Mark


def mark(metric: object, answer: str, *references: str, question: str = "?", folder: Path = Path()) -> Mark:
    """What an answer is worth."""
    choice, faults = read_choice(metric)
    assert choice is not None, faults
    return make_metric(choice, folder).mark(answer, Row(question, references, file="rows.jsonl", line=7))


def fault(metric: object, *references: str, folder: Path = Path()) -> str:
    """What is wrong with a row of these references."""
    choice, faults = read_choice(metric)
    assert choice is not None, faults
    return make_metric(choice, folder).fault(Row("?", references))
