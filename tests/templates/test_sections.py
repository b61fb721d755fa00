"""What a template says of rows and scores: checked in the file, and read for a run."""

from collections.abc import Callable

import msgspec
import pytest

from spotui.metrics.choose import MetricChoice
from spotui.templates.data.source import DataSource
from spotui.templates.model import Template, TemplateError
from spotui.templates.read import check_text, parse_template
from spotui.templates.sections import criteria_of, metric_of, source_of

HEAD = "prompt: p\nrequirements: r\n"
QA = "qa:\n  - question: q\n"

GOOD = f"""\
{HEAD}data:
  path: rows.csv
  columns:
    question: input
    answer: [one, two]
  split: {{train: 48, eval: 48}}
metric:
  name: number
  tolerance: 0.5
criteria:
  - Short.
  - Kind.
"""


def test_what_is_right_is_read() -> None:
    assert check_text(GOOD) == []
    found = parse_template(GOOD)
    columns = {"question": ("input",), "answer": ("one", "two")}
    assert source_of(found) == DataSource(path="rows.csv", columns=columns, split={"train": 48, "eval": 48})
    assert metric_of(found) == MetricChoice("number", {"tolerance": 0.5})
    assert criteria_of(found) == ("Short.", "Kind.")


def test_what_is_not_said_is_nothing() -> None:
    found = parse_template(f"{HEAD}{QA}data: None\nmetric:\ncriteria: None\n")
    assert (source_of(found), metric_of(found), criteria_of(found)) == (DataSource(), None, ())


def test_one_criterion_needs_no_list() -> None:
    assert criteria_of(parse_template(f"{HEAD}{QA}criteria: Kind.\n")) == ("Kind.",)


@pytest.mark.parametrize(
    ("text", "key", "line", "word"),
    [
        (f"{HEAD}data: [a.csv]\n", "data", 3, "path of a file"),
        (f"{HEAD}data: 7\n", "data", 3, "path of a file"),
        (f"{HEAD}data:\n  train: a.csv\n", "data", 3, "There are no rows for eval"),
        (f"{HEAD}data:\n  path: a.csv\n  limit: 0\n", "data.limit", 5, "whole number"),
        (f"{HEAD}data:\n  path: a.csv\n  colums: {{}}\n", "data.colums", 5, "not a key"),
        (
            f"{HEAD}data:\n  path: a.csv\n  columns:\n    answer: 0\n",
            "data.columns.answer",
            6,
            "name of a column",
        ),
        (
            f"{HEAD}data:\n  path: a.csv\n  split:\n    train: 1\n    dev: 1\n",
            "data.split.dev",
            7,
            "Unknown split",
        ),
        (f"{HEAD}{QA}data:\n  split: {{train: 0.5}}\n", "data.split", 6, "nothing of eval"),
        (f"{HEAD}{QA}metric: exakt\n", "metric", 5, "Unknown metric `exakt`"),
        (f"{HEAD}{QA}metric: {{name: regex}}\n", "metric", 5, "needs `pattern`"),
        (
            f"{HEAD}{QA}metric:\n  name: tag\n  tag: a\n  metric: x\n",
            "metric.metric",
            8,
            "Unknown metric `x`",
        ),
        (f"{HEAD}{QA}criteria: [a, 5]\n", "criteria", 5, "Criterion 2"),
        (f"{HEAD}{QA}criteria: {{a: b}}\n", "criteria", 5, "Criterion 1"),
    ],
)
def test_what_is_wrong_is_one_error_with_its_key_and_line(text: str, key: str, line: int, word: str) -> None:
    (problem,) = check_text(text)
    assert (problem.severity, problem.key, problem.line) == ("error", key, line)
    assert word in problem.what
    assert problem.hint.endswith((".", "?"))


@pytest.mark.parametrize(
    ("key", "read"), [("data", source_of), ("metric", metric_of), ("criteria", criteria_of)]
)
def test_a_template_made_in_python_is_checked_when_it_is_used(
    key: str, read: Callable[[Template], object]
) -> None:
    made = msgspec.convert({"prompt": "p", key: [7]}, Template)
    with pytest.raises(TemplateError) as caught:
        read(made)
    assert caught.value.problems[0].key == key
