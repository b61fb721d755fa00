"""Questions that people paste: lists, tables, and texts of several lines."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.templates.pasted import pasted_file, pasted_questions


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        (" \n\t\n", []),
        ("Why?\n  How?  \n", [("Why?", ""), ("How?", "")]),
        ("1. Why?\n2) How?\n(3) When?", [("Why?", ""), ("How?", ""), ("When?", "")]),
        ("- Why?\n\n* How?", [("Why?", ""), ("How?", "")]),
        ("- Why?\nHow?", [("- Why?", ""), ("How?", "")]),  # no list
        ("2. Add it.", [("2. Add it.", "")]),
        (
            "Dear shop,\nwhere is it?\n \nHello\nagain",
            [("Dear shop,\nwhere is it?", ""), ("Hello\nagain", "")],
        ),
        ("2 + 2\t4\n3 + 3 => 6\na → b => c", [("2 + 2", "4"), ("3 + 3", "6"), ("a", "b => c")]),
        ("if x=>y\n=> 4", [("if x=>y", ""), ("=> 4", "")]),
        ("Why?\r\nHow?\r\n", [("Why?", ""), ("How?", "")]),
    ],
)
def test_what_is_pasted_becomes_questions(text: str, rows: list[tuple[str, str]]) -> None:
    assert [(row.question, row.answer) for row in pasted_questions(text)] == rows


@given(st.lists(st.text(st.characters(codec="utf-8", categories=("L", "Nd", "P", "Zs")), min_size=1)))
def test_no_word_is_lost(lines: list[str]) -> None:
    rows = pasted_questions("\n".join(f"x {line}" for line in lines))
    assert all(row.question for row in rows)
    words = " ".join(f"{row.question} {row.answer}" for row in rows).split()
    expected = " ".join(f"x {line}" for line in lines).split()
    assert [word for word in words if word not in ("=>", "→")] == [
        word for word in expected if word not in ("=>", "→")
    ]


def test_the_path_of_a_file_with_rows_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "my rows.csv"
    file.write_text("question,answer\n1+1,2\n")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder.csv").mkdir()
    for text in ("my rows.csv", " ~/my rows.csv\n", f"'{file}'", str(file)):
        assert pasted_file(text) == file
    for text in (
        "",
        "other.csv",
        "notes.txt",
        "folder.csv",
        "my rows.csv\nWhy?",
        "a\0.csv",
        "~nobody-x/a.csv",
    ):
        assert pasted_file(text) is None
