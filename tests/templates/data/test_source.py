"""What a template may say under `data`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.errors import KeyFault
from spotui.templates.data.source import DataSource, read_source

FILE = {"path": "rows.jsonl"}


def faults(data: object, *, has_questions: bool = False) -> list[KeyFault]:
    return read_source(data, has_questions=has_questions)[1]


def test_a_path_alone_is_a_source() -> None:
    assert read_source(" rows.csv ", has_questions=False) == (DataSource(path="rows.csv"), [])


def test_everything_that_can_be_said() -> None:
    data = {
        "path": "more.csv",
        "test": "test.jsonl",
        "format": "csv",
        "delimiter": ";",
        "columns": {"question": "input", "answer": ["first", "second"], "context": "passage"},
        "split": {"train": 20, "eval": 30},
        "limit": 60,
    }
    source, wrong = read_source(data, has_questions=False)
    assert wrong == []
    assert source == DataSource(
        path="more.csv",
        files={"test": "test.jsonl"},
        format="csv",
        delimiter=";",
        columns={"question": ("input",), "answer": ("first", "second"), "context": ("passage",)},
        split={"train": 20, "eval": 30},
        limit=60,
    )
    assert source.drawn == ("train", "eval")


def test_files_for_train_and_eval_need_no_path() -> None:
    assert faults({"train": "a.jsonl", "eval": "b.jsonl"}) == []


def test_a_template_with_questions_may_say_how_to_split_them() -> None:
    split = {"split": {"train": 0.5, "eval": 0.5, "test": 0}}
    assert faults(split, has_questions=True) == []
    assert [one.path for one in faults(split)] == [()]


@pytest.mark.parametrize(
    ("data", "path", "word"),
    [
        (7, (), "path of a file"),
        (["a.jsonl"], (), "path of a file"),
        ("  ", (), "path of a file"),
        ({}, (), "no rows"),
        ({"train": "a.jsonl"}, (), "eval"),
        ({"paht": "rows.jsonl", **FILE}, ("paht",), "not a key"),
        ({"path": 3}, ("path",), "path of a file"),
        ({**FILE, "format": "docx"}, ("format",), "not a format"),
        ({**FILE, "delimiter": "ab"}, ("delimiter",), "one character"),
        ({**FILE, "delimiter": '"'}, ("delimiter",), "one character"),
        ({**FILE, "columns": "input"}, ("columns",), "which column"),
        ({**FILE, "columns": {"question": 0}}, ("columns", "question"), "its number, counted from 1"),
        ({**FILE, "columns": {"question": True}}, ("columns", "question"), "name of a column"),
        ({**FILE, "columns": {"question": ["a", "b"]}}, ("columns", "question"), "name of a column"),
        ({**FILE, "columns": {"answer": []}}, ("columns", "answer"), "name of a column"),
        ({**FILE, "header": "no"}, ("header",), "true or false"),
        ({**FILE, "allow_overlap": 1}, ("allow_overlap",), "true or false"),
        ({**FILE, "encoding": "latin-99"}, ("encoding",), "name of a text encoding"),
        ({**FILE, "encoding": "base64"}, ("encoding",), "name of a text encoding"),
        ({**FILE, "encoding": 8}, ("encoding",), "name of a text encoding"),
        ({**FILE, "sheet": 1}, ("sheet",), "name of a sheet"),
        ({**FILE, "rows": []}, ("rows",), "key of the list"),
        ({**FILE, "labels": "No"}, ("labels",), "what each value"),
        ({**FILE, "labels": {}}, ("labels",), "what each value"),
        ({**FILE, "labels": [[]]}, ("labels", "0"), "a text"),
        ({**FILE, "options": []}, ("options",), "column with the options"),
        ({**FILE, "options": {"a": 1}}, ("options",), "column with the options"),
        ({**FILE, "columns": {"my slot": "a"}}, ("columns", "my slot"), "name of a slot"),
        ({**FILE, "split": 0.5}, ("split",), "how many rows"),
        ({**FILE, "split": {"train": 0.5, "dev": 0.5}}, ("split", "dev"), "Unknown split"),
        ({**FILE, "split": {"train": 0.5}}, ("split",), "nothing of eval"),
        ({**FILE, "split": {"train": 0.5, "eval": 0}}, ("split", "eval"), "no row"),
        ({**FILE, "split": {"train": 0.5, "eval": -1}}, ("split", "eval"), "neither"),
        ({**FILE, "split": {"train": 0.5, "eval": 1.5}}, ("split", "eval"), "neither"),
        ({**FILE, "split": {"train": 0.5, "eval": float("nan")}}, ("split", "eval"), "neither"),
        ({**FILE, "split": {"train": True, "eval": 0.5}}, ("split", "train"), "neither"),
        ({**FILE, "split": {"train": 0.5, "eval": 0.6}}, ("split",), "add up to 1.1"),
        ({**FILE, "split": {"train": 48, "eval": 0.6}}, ("split",), "mixes"),
        (
            {**FILE, "test": "t.csv", "split": {"train": 4, "eval": 4, "test": 4}},
            ("split", "test"),
            "separate file",
        ),
        ({**FILE, "limit": 0}, ("limit",), "whole number"),
        ({**FILE, "limit": 2.5}, ("limit",), "whole number"),
        ({**FILE, "limit": True}, ("limit",), "whole number"),
    ],
)
def test_a_mistake_is_reported_once_with_its_key_and_its_hint(
    data: object, path: tuple[str, ...], word: str
) -> None:
    (fault,) = faults(data)
    assert fault.path == path
    assert word in fault.what
    assert fault.hint.endswith((".", "?"))


def test_a_misspelt_key_is_recognised() -> None:
    (fault,) = faults({**FILE, "colums": {}})
    assert fault.hint == "Did you mean `columns`?"


KEYS = ["path", "train", "eval", "test", "format", "delimiter", "columns", "split", "limit", "question"]
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.sampled_from(KEYS), inner)
    ),
    max_leaves=8,
)


@given(PLAIN, st.booleans())
def test_whatever_is_written_is_read_or_told(data: object, has_questions: bool) -> None:
    source, wrong = read_source(data, has_questions=has_questions)
    assert wrong or source.path or len(source.files) >= 2 or has_questions
