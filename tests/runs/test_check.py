"""Everything that is wrong with a template's text, and what can be read all the same."""

from pathlib import Path

import pytest

from spotui.runs.check import check
from spotui.settings.resources import examples
from spotui.templates.model import TemplateError
from spotui.templates.sections import source_of
from tests.command_line import TEMPLATE


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_the_examples_are_read_whole(path: Path) -> None:
    checked = check(path.read_text())
    assert not checked.errors
    assert checked.template is not None
    assert checked.has_whole_rows


def test_an_empty_text_is_an_empty_template_with_one_error() -> None:
    for text in ("", "\n", "# later\n"):
        checked = check(text)
        assert checked.errors == 1
        assert checked.template is not None
        assert checked.template.prompt == ""


@pytest.mark.parametrize("text", ["prompt: [a", "- prompt: x\n", "a: &a [*a]\n", "just a text"])
def test_what_is_no_template_has_none(text: str) -> None:
    checked = check(text)
    assert checked.errors
    assert checked.template is None


@pytest.mark.parametrize(
    ("rows", "whole"),
    [
        ("qa:\n  - question: a\n  - question: b\n", True),
        ("qa:\n  - question: a\n  - just a text\n", False),
        ("qa:\n  - question: a\n  - question: [b]\n", False),
        ("qa:\n  question: a\n", False),
        ("qa: why?\n", False),
        ("qa:\n", True),
        ("", True),
    ],
)
def test_a_question_that_cannot_be_read_keeps_the_list_from_being_changed(rows: str, whole: bool) -> None:
    assert check(f"prompt: a\nrequirements: b\n{rows}").has_whole_rows is whole


def test_problems_of_roles_and_method_stand_among_the_others_by_line() -> None:
    text = (
        "method: spoo\n"
        + TEMPLATE.replace("count: None", "count: 0")
        + "models:\n  executor:\n    modle: m\n"
    )
    problems = check(text).problems
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    assert [problem.key for problem in problems] == ["method", "count", "models"]
    assert problems[-1].line == text.count("\n")
    assert "Did you mean model?" in problems[-1].hint


HEAD = "requirements: Right.\nqa:\n  - question: Who?\n"
DATA = "requirements: Right.\ndata:\n  path: rows.jsonl\n  columns:\n    question: input\n"


@pytest.mark.parametrize(
    ("text", "severity", "key", "line", "words"),
    [
        (f"prompt: 'Answer {{{{question}}}}'\n{HEAD}", "warning", "prompt", 1, "Write `{question}` if"),
        (f"prompt: |\n  Think.\n\n  Then $question\n{HEAD}", "warning", "prompt", 4, "single braces"),
        (f"prompt: '{{% if x %}}a'\n{HEAD}", "warning", "prompt", 1, "Write the text out"),
        (f"prompt: 'About {{topic}}'\n{HEAD}", "warning", "prompt", 1, "under `qa` fill only `{question}`"),
        (f"prompt: a\n{DATA}    anwser: b\n", "error", "data.columns.anwser", 7, "Did you mean `answer`?"),
        (f"prompt: '{{ctx}}'\n{DATA}    cxt: b\n", "error", "data.columns.cxt", 7, "Did you mean `ctx`?"),
        (f"prompt: a\n{DATA}    id: b\n", "warning", "data.columns.id", 7, "Write `{id}` in the prompt"),
    ],
)
def test_a_slot_that_is_none_is_named(text: str, severity: str, key: str, line: int, words: str) -> None:
    (problem,) = check(text).problems
    assert (problem.severity, problem.key, problem.line) == (severity, key, line)
    assert words in f"{problem.what} {problem.hint}"


@pytest.mark.parametrize(
    "text",
    [
        f"prompt: 'Answer {{question}} as {{\"a\": 1}}'\n{HEAD}",
        f"prompt: 'Read {{ctx}}'\n{DATA}    ctx: b\n    answer: c\n",
        f"prompt: a\n{DATA}    tests: b\nmetric: checks.py:passes\n",
    ],
)
def test_a_slot_that_is_one_is_not_named(text: str) -> None:
    assert check(text).problems == ()


def test_a_run_refuses_misspelt_columns_too() -> None:
    template = check(f"prompt: a\n{DATA}    anwser: b\n").template
    assert template is not None
    with pytest.raises(
        TemplateError, match=r"`anwser` is not a slot of the prompt\. Did you mean `answer`\?"
    ):
        source_of(template)
