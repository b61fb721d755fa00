"""Files of labels: each form that people write them in, and every fault with its fix."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.rows import Row
from spotui.templates.data.labels_file import Label, ids_of, read_labels
from spotui.templates.data.record import DataError

FOLDER = TemporaryDirectory()
ROWS = ids_of([Row("Why?", file="why.yaml", line=1), Row("How?", ("So.",), file="why.yaml", line=2)])


def read(folder: Path, *records: object, name: str = "labels.jsonl") -> list[Label]:
    path = folder / name
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    return read_labels(path, ROWS, owner="why.yaml")


def test_preferences_of_each_form(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {"question": "Why?", "a": "x", "b": "y", "label": "A"},
        {"Prompt": "Why?", "Response_A": "x", "Response_B": "y", "winner": "model_b", "category": "facts"},
        {"id": 2, "first": "x", "second": "y", "preferred": "tie", "reference": "ignored"},
        {"question": "Why?", "chosen": "good", "rejected": "bad", "expected": "R"},
    )
    assert [one.preferred for one in found[:3]] == ["first", "second", "tie"]
    assert (found[1].kind, found[1].row.question, found[1].where) == ("facts", "Why?", "labels.jsonl, line 2")
    assert (found[2].row.question, found[2].row.references) == ("How?", ("So.",))
    last = found[3]
    assert (last.first if last.preferred == "first" else last.second) == "good"
    assert last.row.references == ("R",)


def test_chosen_answers_are_on_either_side(tmp_path: Path) -> None:
    found = read(tmp_path, *({"question": "Q", "chosen": f"good {n}", "rejected": "bad"} for n in range(40)))
    assert 10 < sum(one.preferred == "first" for one in found) < 30


def test_marks_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("question,answer,mark,kind\nWhy?,x,1,facts\nWhy?,y,fail,\nWhy?,z,0.25,form\n")
    found = read_labels(path, ROWS, owner="why.yaml")
    assert [(one.first, one.second, one.mark, one.kind) for one in found] == [
        ("x", None, 1.0, "facts"),
        ("y", None, 0.0, ""),
        ("z", None, 0.25, "form"),
    ]


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (
            {"id": 17, "a": "x", "b": "y", "label": "a"},
            "no row with the id 17. Its ids are 1, 2.",
        ),
        ({"id": "why.yaml:3", "answer": "x", "mark": 1}, "Did you mean why.yaml:"),
        ({"a": "x", "b": "y", "label": "a"}, "neither a question nor the id of one"),
        ({"question": "Q", "a": "x", "b": "y", "label": "c"}, "The label c is neither a, b nor tie."),
        ({"question": "Q", "a": "x", "b": "y"}, "no label that says which answer is better"),
        ({"question": "Q", "a": "x", "label": "a"}, "One of the two answers is missing."),
        ({"question": "Q", "mark": 1}, "There is no answer."),
        ({"question": "Q", "answer": "x"}, "There is no mark."),
        ({"question": "Q", "answer": "x", "mark": 7}, "The mark 7 is not between 0 and 1."),
        ({"question": "Q", "answer": "x", "mark": "nan"}, "The mark nan is not between 0 and 1."),
    ],
)
def test_a_label_that_cannot_be_used_is_named_with_its_fix(
    tmp_path: Path, record: dict[str, object], what: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, {"question": "Q", "a": "x", "b": "y", "label": "a"}, record)
    assert "labels.jsonl, line 2" in str(caught.value)
    assert what in str(caught.value)


def test_a_file_as_a_whole_can_be_wrong(tmp_path: Path) -> None:
    pair, mark = (
        {"question": "Q", "a": "x", "b": "y", "label": "a"},
        {"question": "Q", "answer": "x", "mark": 1},
    )
    with pytest.raises(DataError, match="both preferences and marks"):
        read(tmp_path, pair, mark)
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\x00\x01")
    (tmp_path / "labels.txt").write_text("x")
    for name in ("empty.jsonl", "bytes.jsonl", "labels.txt"):
        with pytest.raises(DataError, match=name):
            read_labels(tmp_path / name, ROWS, owner="why.yaml")


NAMES = st.sampled_from(["id", "question", "a", "b", "label", "mark", "answer", "chosen", "rejected"])
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=3), max_size=2)
    | st.sampled_from(["a", "tie", "pass"])
)


@given(st.lists(st.dictionaries(NAMES, VALUES), min_size=1, max_size=4))
def test_any_record_is_a_label_or_a_fault(records: list[dict[str, object]]) -> None:
    path = Path(FOLDER.name) / "any.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    try:
        found = read_labels(path, ROWS, owner="why.yaml")
    except DataError:
        pass
    else:
        assert all(0 <= (one.mark or 0) <= 1 for one in found)
        assert all((one.second is None) == (one.preferred is None) for one in found)
