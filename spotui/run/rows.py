"""The rows of a template, read with all that the template says of them."""

from pathlib import Path
from typing import Final

from spotui.dataset import Dataset, Row, load_dataset, slot_names
from spotui.engine import Question
from spotui.metrics import JUDGE, Metric, MetricChoice, make_metric
from spotui.template import Template
from spotui.template.scoring import has_file, metric_of, source_of

_OF_ONE_ANSWER: Final = ("number", "math", "multiple_choice", "yes_no", "label", "json", "word_list")
"""Metrics of tasks in which two different answers contradict each other."""


def read_rows(template: Template, folder: Path, *, seed: int = 0) -> Dataset:
    """Read, check and split a template's rows.

    Args:
        template: What the rows are for.
        folder: Where it lies: the paths of its files begin there, and its own metric may lie there.
        seed: The run's.

    Raises:
        TemplateError: What it says of rows or scores is wrong.
        MetricError: Its metric cannot be made.
        DataError: A row cannot be used.
    """
    metric, choice = metric_for(template, folder), metric_of(template)
    return load_dataset(
        source_of(template),
        folder,
        qa=[(one.question, one.answer) for one in template.qa],
        slots=slots_of(template),
        check=metric.fault if metric else _nothing,
        takes_objects=_takes_objects(choice),
        several_answers=_takes_several(choice),
        seed=seed,
    )


def questions_of(template: Template, rows: Dataset | None, *, filled: bool = True) -> list[Question]:
    """The questions of a run: the rows that prompts are written from, or those in the template.

    Args:
        template: The template.
        rows: Its rows, if they were read.
        filled: Whether the prompt's slots are filled in either case; runs of the first edition filled them
            in rows only.
    """
    if rows is not None and template.data is not None:
        shown = slot_names(template.prompt) if filled else frozenset()
        return [
            Question(row.question, "\n".join(row.references), row, _context(row, shown)) for row in rows.train
        ]
    return [Question(one.question, one.answer, Row(one.question) if filled else None) for one in template.qa]


def slots_of(template: Template) -> frozenset[str]:
    """The slots of a template's prompt: columns of its data file, or the question where it lists questions.

    Other names in braces are text in a template that lists questions.
    """
    names = slot_names(template.prompt)
    return names if has_file(template) else names & {"question"}


def _context(row: Row, shown: frozenset[str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in row.slots.items() if name in shown)


def metric_for(template: Template, folder: Path) -> Metric | None:
    """The metric of a template, or None when it names none, or the judge.

    Raises:
        TemplateError: What it says of it is wrong.
        MetricError: It cannot be made.
    """
    choice = metric_of(template)
    return make_metric(choice, folder) if choice and choice.name != JUDGE else None


def _takes_objects(choice: MetricChoice | None) -> bool:
    """Whether something can compare an answer with an object: a model, JSON values, or a custom function."""
    if choice is None or choice.name in (JUDGE, "json") or ":" in choice.name:
        return True
    return choice.inner is not None and _takes_objects(choice.inner)


def _takes_several(choice: MetricChoice | None) -> bool:
    """Whether rows that differ in their answers alone can all be right, as texts can and classes cannot."""
    innermost = choice
    while innermost is not None and innermost.inner is not None:
        innermost = innermost.inner
    return innermost is None or innermost.name not in _OF_ONE_ANSWER


def _nothing(row: Row) -> str:  # noqa: ARG001 - without a metric, nothing is wrong with any row
    return ""
