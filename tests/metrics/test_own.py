"""Metrics of the user's own."""

import sys
from pathlib import Path

import pytest

from spotui.metrics import MetricError
from tests.metrics.marking import fault, mark

MODULE = """\
import json

def length(answer, row):
    return min(1, len(answer) / len(row.question))

def right(answer, row):
    return answer in row.references

def broken(answer, row):
    return json.loads(answer)

class Rules:
    @staticmethod
    def strict(answer, row):
        return False

LIMIT = 3
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_rules.py").write_text(MODULE)
    monkeypatch.delitem(sys.modules, "my_rules", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


def test_a_function_beside_the_template_scores(folder: Path) -> None:
    before = list(sys.path)
    assert mark("my_rules:length", "ab", question="abcd", folder=folder).value == 0.5
    assert mark("my_rules:right", "x", "x", folder=folder).value == 1
    assert mark("my_rules:Rules.strict", "x", "x", folder=folder).value == 0
    assert fault("my_rules:right", folder=folder) == ""
    assert sys.path == before


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("my_rules:lenght", "lenght"),
        ("no_such_rules:right", "no_such_rules"),
        ("my_rules:LIMIT", "no function"),
    ],
)
def test_a_function_that_is_not_there_is_told(folder: Path, place: str, word: str) -> None:
    with pytest.raises(MetricError, match=word):
        mark(place, "x", folder=folder)


@pytest.mark.parametrize(
    ("answer", "word"),
    [("no json", "JSONDecodeError"), ("7", "returned 7"), ("NaN", "returned nan"), ('"1"', "returned '1'")],
)
def test_a_function_that_fails_says_nothing_about_the_answer(folder: Path, answer: str, word: str) -> None:
    with pytest.raises(MetricError, match=word) as caught:
        mark("my_rules:broken", answer, folder=folder)
    assert "rows.jsonl, line 7" in caught.value.what


def test_a_module_that_raises_is_told(folder: Path) -> None:
    (folder / "raising.py").write_text("raise OSError('no disk')")
    with pytest.raises(MetricError, match="OSError: no disk"):
        mark("raising:right", "x", folder=folder)
