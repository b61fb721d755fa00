"""The rows of a template, read with all that the template says of them."""

from pathlib import Path

from spotui.dataset import Dataset, Row, load_dataset, slot_names
from spotui.engine import Question
from spotui.metrics import JUDGE, Metric, make_metric
from spotui.template import Template
from spotui.template.scoring import metric_of, source_of


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
    metric = metric_for(template, folder)
    return load_dataset(
        source_of(template),
        folder,
        qa=[(one.question, one.answer) for one in template.qa],
        slots=slot_names(template.prompt),
        check=metric.fault if metric else _nothing,
        seed=seed,
    )


def questions_of(template: Template, rows: Dataset | None) -> list[Question]:
    """What a run's questions are drawn from: the rows that prompts are written from, or the template's own.

    Args:
        template: The template.
        rows: Its rows, if they were read.
    """
    if rows is not None and template.data is not None:
        return [Question(row.question, "\n".join(row.references), row) for row in rows.train]
    return [Question(one.question, one.answer) for one in template.qa]


def metric_for(template: Template, folder: Path) -> Metric | None:
    """The metric of a template, or None when it names none, or the judge.

    Raises:
        TemplateError: What it says of it is wrong.
        MetricError: It cannot be made.
    """
    choice = metric_of(template)
    return make_metric(choice, folder) if choice and choice.name != JUDGE else None


def _nothing(row: Row) -> str:  # noqa: ARG001 - without a metric, nothing is wrong with any row
    return ""
