"""Data files as people have them: whatever tool wrote them, the rows are found."""

import gzip
import io
import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import ipc, parquet

from spotui.domain.rows import Row
from spotui.metrics.choose import MetricChoice, make_metric
from spotui.templates.data import tables as tables_module
from spotui.templates.data.data_file import TextFile
from spotui.templates.data.load import Dataset, load_dataset
from spotui.templates.data.record import DataError
from spotui.templates.data.source import read_source

WANTED = [("Q0?", ("0",)), ("Q1?", ("1",)), ("Q2?", ("2",))]
RECORDS = [{"question": question, "answer": answer} for question, (answer,) in WANTED]


def load(
    folder: Path, data: object, content: object = None, name: str = "rows.json", **options: Any
) -> Dataset:
    """The rows of a template that says this under `data`, beside a file with that content."""
    if content is not None:
        raw = content if isinstance(content, str | bytes) else json.dumps(content)
        (folder / name).write_bytes(raw.encode() if isinstance(raw, str) else raw)
    found, faults = read_source(data, has_questions=False)
    assert not faults, faults
    return load_dataset(found, folder, **options)


def rows(dataset: Dataset) -> list[Row]:
    return sorted(dataset.train + dataset.eval + dataset.test, key=lambda row: (row.line, row.question))


def asked(dataset: Dataset) -> list[tuple[str, tuple[str, ...]]]:
    return [(row.question, row.references) for row in rows(dataset)]


def why_not(folder: Path, data: object, content: object, name: str = "rows.json", **options: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(folder, data, content, name, **options)
    (fault,) = caught.value.faults
    return str(fault)


# Shapes of JSON.


def index(value: Any) -> dict[str, Any]:
    return {str(number): each for number, each in enumerate(value)}


QUESTIONS, ANSWERS = [row["question"] for row in RECORDS], [row["answer"] for row in RECORDS]


@pytest.mark.parametrize(
    "document",
    [
        RECORDS,
        {"name": "a task", "keywords": ["x"], "metrics": ["y"], "examples": RECORDS},
        {"features": [{"name": "question"}], "examples": RECORDS},
        index(RECORDS),
        {"question": QUESTIONS, "answer": ANSWERS, "id": [1, 2, 3]},
        {"question": index(QUESTIONS), "answer": index(ANSWERS)},
        {"columns": ["question", "answer"], "index": [0, 1, 2], "data": [list(r.values()) for r in RECORDS]},
        {"schema": {"fields": [{"name": "index"}]}, "data": [{"index": 0, **row} for row in RECORDS]},
    ],
    ids=["records", "big-bench", "described", "index", "list", "columns", "split", "table"],
)
def test_the_rows_of_a_document_are_found(tmp_path: Path, document: object) -> None:
    assert asked(load(tmp_path, "rows.json", document)) == WANTED
    assert asked(load(tmp_path, "rows.jsonl", json.dumps(document, indent=1), "rows.jsonl")) == WANTED


def test_json_under_the_other_name_is_read(tmp_path: Path) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in RECORDS)
    assert asked(load(tmp_path, "rows.json", lines)) == WANTED
    pretty = "\n".join(json.dumps(row, indent=2) for row in RECORDS)
    assert asked(load(tmp_path, "rows.json", pretty)) == WANTED
    assert asked(load(tmp_path, "rows.jsonl", pretty, "rows.jsonl")) == WANTED
    assert asked(load(tmp_path, "rows.jsonl", json.dumps(RECORDS), "rows.jsonl")) == WANTED
    found = load(tmp_path, "rows.jsonl", "\n\n" + json.dumps(RECORDS, indent=1), "rows.jsonl")
    assert [row.line for row in rows(found)] == [4, 8, 12]


def test_lists_for_each_split_are_the_splits(tmp_path: Path) -> None:
    document = {"train": RECORDS, "validation": [{"question": "v", "answer": "1"}], "test": RECORDS[:1]}
    found = load(tmp_path, "rows.json", document)
    assert [[row.question for row in part] for part in (found.train, found.eval, found.test)] == [
        ["Q1?", "Q2?"],
        ["v"],
        ["Q0?"],
    ]
    assert found.notices == ("rows.json, line 1 asks the same as line 1, and is left out.",)


def test_a_document_without_a_list_for_eval_has_it_drawn_from_train(tmp_path: Path) -> None:
    more = [{"question": f"m{number}", "answer": "x"} for number in range(8)]
    found = load(tmp_path, "rows.json", {"train": more, "test": RECORDS})
    assert sorted(map(len, (found.train, found.eval))) == [4, 4]
    assert len(found.test) == 3
    data = {"path": "rows.json", "split": {"train": 6, "eval": 2}}
    assert [len(load(tmp_path, data).train), len(load(tmp_path, data).eval)] == [6, 2]


def test_a_list_can_be_chosen_and_its_surroundings_come_along(tmp_path: Path) -> None:
    squad = {
        "version": "2",
        "data": [
            {
                "title": "Towers",
                "paragraphs": [
                    {
                        "context": f"Tower {n} is red.",
                        "qas": [{"question": f"Q{n}?", "answers": [{"text": "red", "answer_start": 11}]}],
                    }
                    for n in range(3)
                ],
            }
        ],
    }
    data = {"path": "rows.json", "rows": "data.paragraphs.qas", "columns": {"answer": "answers.text"}}
    found = load(tmp_path, data, squad, slots={"context", "title"})
    first = rows(found)[0]
    assert (first.question, first.references) == ("Q0?", ("red",))
    assert first.slots == {"context": "Tower 0 is red.", "title": "Towers"}
    viewer = {"rows": [{"row_idx": 1, "row": row} for row in RECORDS], "features": [{"x": 1}, {"x": 2}]}
    assert asked(load(tmp_path, {"path": "rows.json", "rows": "rows.row"}, viewer)) == WANTED
    splits = {"train": RECORDS, "test": [{"question": "t"}]}
    assert asked(load(tmp_path, {"path": "rows.json", "rows": "train"}, splits)) == WANTED
    lines = "".join(json.dumps({"batch": [row]}) + "\n" for row in RECORDS)
    assert asked(load(tmp_path, {"path": "r.jsonl", "rows": "batch"}, lines, "r.jsonl")) == WANTED


def test_a_document_with_several_lists_names_them(tmp_path: Path) -> None:
    problem = why_not(tmp_path, "rows.json", {"a": [{"x": 1}], "b": [{"y": 2}]})
    assert "holds 2 lists: `a`, `b`. Name the one with the rows, e.g. `rows: a`." in problem
    problem = why_not(tmp_path, "rows.json", {"data": {"items": RECORDS, "n": 3}})
    assert problem.endswith("Name the one with the rows, e.g. `rows: data.items`.")
    problem = why_not(tmp_path, {"path": "rows.json", "rows": "data.itms"}, {"data": {"items": []}})
    assert "no key `itms` on the way to `rows: data.itms`. The keys are `items`." in problem
    problem = why_not(tmp_path, {"path": "rows.json", "rows": "x"}, [{"y": 1}, {"y": 2}])
    assert "no key `x`" in problem
    splits = {"train": RECORDS, "test": [{"question": "t"}]}
    problem = why_not(tmp_path, {"path": "rows.json", "split": {"train": 1, "eval": 1, "test": 1}}, splits)
    assert "The file has a list of rows for test already." in problem
    assert "not a table" not in why_not(tmp_path, {"path": "r.csv", "rows": "x"}, "question\na\n", "r.csv")


def test_rows_without_names_are_numbered(tmp_path: Path) -> None:
    values = [list(row.values()) for row in RECORDS]
    data = {"path": "rows.json", "columns": {"question": 1, "answer": 2}}
    assert asked(load(tmp_path, data, values)) == WANTED
    lines = "".join(json.dumps(row) + "\n" for row in values)
    assert asked(load(tmp_path, {**data, "path": "r.jsonl"}, lines, "r.jsonl")) == WANTED
    named = [["question", "answer"], *values]
    assert asked(load(tmp_path, {"path": "rows.json", "header": True}, named)) == WANTED
    assert "e.g. `columns: {question: 1, answer: 2}`" in why_not(tmp_path, "rows.json", values)


# Values.


def test_nan_and_infinity_matter_only_where_they_are_used(tmp_path: Path) -> None:
    text = json.dumps([{**row, "score": float("nan"), "most": float("inf")} for row in RECORDS])
    assert asked(load(tmp_path, "rows.json", text)) == WANTED
    text = text.replace('"1"', "NaN").replace('"2"', "-Infinity")
    assert [answers for _, answers in asked(load(tmp_path, "rows.json", text))] == [("0",), (), ("-inf",)]


@pytest.mark.parametrize("where", ["question", "answer", "note", "unused"])
def test_half_of_a_character_is_refused_with_its_line_where_it_is_used(tmp_path: Path, where: str) -> None:
    records = [{**dict.fromkeys(("question", "answer", "note", "unused"), f"x{n}")} for n in range(3)]
    records[1][where] = "bad \ud83d here"
    lines = "".join(json.dumps(record) + "\n" for record in records)
    if where == "unused":
        assert len(asked(load(tmp_path, "r.jsonl", lines, "r.jsonl", slots={"note"}))) == 3
    else:
        problem = why_not(tmp_path, "r.jsonl", lines, "r.jsonl", slots={"note"})
        assert problem.startswith("r.jsonl, line 2: There is half of a character (\\ud83d) in the text.")
    whole = lines.replace("\\ud83d", "\\ud83d\\ude00")
    found = rows(load(tmp_path, "r.jsonl", whole, "r.jsonl", slots={"note"}))[1]
    assert where == "unused" or "bad 😀 here" in (found.question, *found.references, found.slots["note"])


def test_a_dotted_name_reaches_into_objects_lists_and_cells(tmp_path: Path) -> None:
    records = [
        {"fields": {"input": row["question"]}, "a.b": 1, "answers": {"text": [row["answer"], "or"]}}
        for row in RECORDS
    ]
    data = {"path": "rows.json", "columns": {"question": "fields.input", "answer": "answers.text"}}
    wanted = [(question, (answer, "or")) for question, (answer,) in WANTED]
    assert asked(load(tmp_path, data, records)) == wanted
    first = {**data, "columns": {"question": "fields.input", "answer": "answers.text.0", "x": "a.b"}}
    assert asked(load(tmp_path, first, records)) == WANTED
    assert rows(load(tmp_path, first))[0].slots == {"x": "1"}

    def table(write: Any) -> str:
        out = io.StringIO()
        for one in records:
            cells = [write(one["fields"]), write(one["answers"])]
            out.write(",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n")
        return "fields,answers\n" + out.getvalue()

    for write in (json.dumps, repr):  # pandas writes Python literals into CSV
        assert asked(load(tmp_path, {**data, "path": "r.csv"}, table(write), "r.csv")) == wanted
    empty = [{"question": q, "answers": []} for q, _ in WANTED]
    assert {a for _, a in asked(load(tmp_path, {**data, "columns": {"answer": "answers.text"}}, empty))} == {
        ()
    }
    nested = [{"question": q, "answers": [{"text": ["a", "b"]}, {"text": ["c"]}]} for q, _ in WANTED]
    listed = {"path": "n.json", "columns": {"answer": "answers.text"}}
    assert {a for _, a in asked(load(tmp_path, listed, nested, "n.json"))} == {("a", "b", "c")}
    arrays = "question,answers\na,\"{'text': array([1])}\"\n"
    problem = why_not(tmp_path, {**listed, "path": "a.csv"}, arrays, "a.csv")
    assert "`answers` holds a text that is not JSON, so it has no part `text`." in problem
    problem = why_not(tmp_path, {"path": "rows.json", "columns": {"question": "fields.inptu"}}, records)
    assert "`fields` has no `inptu`; it has `input`." in problem


def test_an_object_is_no_answer_unless_the_metric_compares_objects(tmp_path: Path) -> None:
    records = [{"question": str(n), "answers": {"text": ["red"], "answer_start": [n]}} for n in range(3)]
    data = {"path": "rows.json", "columns": {"answer": "answers"}}
    problem = why_not(tmp_path, data, records, takes_objects=False)
    assert "`answers` is an object" in problem
    assert "`columns: {answer: answers.text}`" in problem
    found = load(tmp_path, data, records, takes_objects=True)
    assert json.loads(rows(found)[0].references[0]) == {"text": ["red"], "answer_start": [0]}
    listed = [{"question": str(n), "answers": [{"text": "red"}]} for n in range(3)]
    assert "answers.text" in why_not(tmp_path, data, listed, takes_objects=False)


def test_the_last_turns_of_a_conversation_are_question_and_answer(tmp_path: Path) -> None:
    def chat(names: tuple[str, str, str, str], **more: str) -> list[dict[str, Any]]:
        lst, role, user, bot = names
        content = "content" if role == "role" else "value"
        turns = [(user, "hello"), (bot, "hi")]
        return [
            {lst: [{role: r, content: t} for r, t in [*turns, (user, q), (bot, a)]], **more}
            for q, (a,) in WANTED
        ]

    for names in (("messages", "role", "user", "assistant"), ("conversations", "from", "human", "gpt")):
        lines = "".join(json.dumps(one) + "\n" for one in chat(names))
        assert asked(load(tmp_path, "chat.jsonl", lines, "chat.jsonl")) == WANTED
    parts = [{"messages": [{"role": "user", "content": [{"type": "text", "text": q}]}]} for q, _ in WANTED]
    assert [question for question, _ in asked(load(tmp_path, "rows.json", parts))] == [q for q, _ in WANTED]
    labelled = chat(("messages", "role", "user", "assistant"), answer="own")
    assert {answers for _, answers in asked(load(tmp_path, "rows.json", labelled))} == {("own",)}


def test_labels_say_what_a_value_stands_for(tmp_path: Path) -> None:
    records = [{"question": str(n), "answer": n % 2} for n in range(4)]
    for labels in ({"0": "No", "1": "Yes"}, ["No", "Yes"]):
        found = load(tmp_path, {"path": "rows.json", "labels": labels}, records)
        assert [answers for _, answers in asked(found)] == [("No",), ("Yes",), ("No",), ("Yes",)]
    table = "question,answer\na,1.0\nb,TRUE\nc,\n"
    found = load(tmp_path, {"path": "r.csv", "labels": {"1": "Yes", "true": "Yes"}}, table, "r.csv")
    assert [answers for _, answers in asked(found)] == [("Yes",), ("Yes",), ()]
    problem = why_not(tmp_path, {"path": "rows.json", "labels": {"0": "No"}}, records[:2])
    assert problem.startswith("rows.json, line 1: The answer `1` is none of the labels `0`.")


@pytest.mark.parametrize(
    ("options", "answer", "column"),
    [
        (["cat", "cod", "crow"], 1, "choices"),
        (["A) cat", "B) cod", "C) crow"], "B", "choices"),
        (["cat", "cod", "crow"], "1", "choices"),
        (["cat", "cod", "crow"], "B", "choices"),
        (["cat", "cod", "crow"], "Cod", "choices"),
        ('["cat", "cod", "crow"]', "B", "choices"),
        ({"text": ["cat", "cod", "crow"], "label": ["1", "2", "3"]}, "2", "choices"),
        (
            [{"label": "A", "text": "cat"}, {"label": "B", "text": "cod"}, {"label": "C", "text": "crow"}],
            "B",
            "choices",
        ),
        ({"A": "cat", "B": "cod", "C": "crow"}, "B", "choices"),
        ({"cat": 0, "cod": 1, "crow": 0}, None, "choices"),
        ({"choices": ["cat", "cod", "crow"], "labels": [0, 1, 0]}, None, "choices"),
    ],
)
def test_options_are_shown_and_the_answer_is_their_letter(
    tmp_path: Path, options: object, answer: object, column: str
) -> None:
    records = [{"question": f"Which swims? {n}", "choices": options, "answer": answer} for n in range(3)]
    data = {"path": "rows.json", "options": column}
    assert asked(load(tmp_path, data, records))[0] == (
        "Which swims? 0\nA. cat\nB. cod\nC. crow",
        ("B",),
    )
    shown = rows(load(tmp_path, data, slots={"options"}))[0]
    assert (shown.question, shown.slots["options"]) == ("Which swims? 0", "A. cat\nB. cod\nC. crow")


def test_an_answer_that_two_options_have_is_refused(tmp_path: Path) -> None:
    records = [{"question": f"Q{n}", "choices": ["x", "x", "y"], "answer": "x"} for n in range(3)]
    data = {"path": "rows.json", "options": "choices", "limit": 1}
    with pytest.raises(DataError, match="is the text of several options"):
        load(tmp_path, data, records)


def test_options_in_columns_of_a_table_without_header(tmp_path: Path) -> None:
    table = "Which swims?,cat,cod,crow,B\nWhich flies?,cat,cod,crow,C\nWhich barks?,cat,cod,dog,C\n"
    data = {"path": "r.csv", "columns": {"question": 1, "answer": 5}, "options": [2, 3, 4]}
    assert asked(load(tmp_path, data, table, "r.csv"))[2] == ("Which barks?\nA. cat\nB. cod\nC. dog", ("C",))
    problem = why_not(tmp_path, "r.csv", table, "r.csv")
    assert "looks like a row" in problem
    assert "`columns: {question: 1, answer: 5}`" in problem
    double = [{"question": "How many?", "choices": ["1", "2", "3"], "answer": "1"}] * 2
    problem = why_not(tmp_path, {"path": "rows.json", "options": "choices"}, double[:1])
    assert "is the text of one option and the number of another" in problem


def test_rows_with_the_same_question_are_one_with_several_answers(tmp_path: Path) -> None:
    records = [{"question": f"Q{n % 3}?", "answer": f"{n}"} for n in range(9)]
    found = load(tmp_path, "rows.json", records)
    assert asked(found) == [("Q0?", ("0", "3", "6")), ("Q1?", ("1", "4", "7")), ("Q2?", ("2", "5", "8"))]
    assert found.notices == (
        "6 rows ask the same as another with a different answer; both answers count as right.",
    )
    found = load(tmp_path, "rows.json", several_answers=False)
    assert asked(found) == WANTED
    assert (
        found.notices[0] == "rows.json, line 1 asks the same as line 1 with another answer, and is left out."
    )


# Splits and files.


def test_the_same_file_for_two_splits_is_refused_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in RECORDS))
    (tmp_path / "link.jsonl").symlink_to("rows.jsonl")
    os.link(tmp_path / "rows.jsonl", tmp_path / "hard.jsonl")
    for other in ("rows.jsonl", "./rows.jsonl", "link.jsonl", "hard.jsonl"):
        with pytest.raises(DataError, match="The same file is given for train, eval") as caught:
            load(tmp_path, {"train": "rows.jsonl", "eval": other})
        assert "`allow_overlap: true`" in str(caught.value)
    with pytest.raises(DataError, match="given for test, path"):
        load(tmp_path, {"path": "rows.jsonl", "test": "rows.jsonl"})
    (tmp_path / "copy.jsonl").write_bytes((tmp_path / "rows.jsonl").read_bytes())
    with pytest.raises(DataError, match=r"No row is left for train.*`allow_overlap: true`"):
        load(tmp_path, {"train": "rows.jsonl", "eval": "copy.jsonl"})
    for other in ("rows.jsonl", "copy.jsonl"):
        found = load(tmp_path, {"train": "rows.jsonl", "eval": other, "allow_overlap": True})
        assert [len(found.train), len(found.eval)] == [3, 3]


def test_files_may_be_named_in_split(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"question": name}) + "\n")
    found = load(tmp_path, {"split": {"train": "a.jsonl", "eval": "b.jsonl", "test": "c.jsonl"}})
    assert [part[0].question for part in (found.train, found.eval, found.test)] == ["a", "b", "c"]


def test_a_misnamed_split_is_recognised() -> None:
    for data in ({"path": "a", "validation": "b"}, {"path": "a", "split": {"train": 1, "dev": 1}}):
        _, (fault, *_) = read_source(data, has_questions=False)
        assert fault.hint == "Did you mean `eval`?"


def test_a_missing_column_is_reported_once_with_those_there_are(tmp_path: Path) -> None:
    records = [{"input": f"q{n}", "target": "x"} for n in range(30)]
    assert why_not(tmp_path, "rows.json", records) == (
        "rows.json, line 1: Unknown column `question`; the columns are `input`, `target`. "
        "Name it, for example `columns: {question: input}`."
    )
    data = {"path": "rows.json", "columns": {"question": "input"}}
    check = lambda row: "" if row.references else "It has no answer."  # noqa: E731
    assert why_not(tmp_path, data, records, check=check).endswith("for example `columns: {answer: target}`.")


# Texts.


TEXTS = {
    "cp1252": "question;answer\nCombien coûte 5 € à côté ?;cinq\nWas heißt „schön“?;Schön\nOù?;là\n",
    "iso8859-1": "question,answer\ncafé,1\nb,2\nc,3\n",
    "gb18030": "question,answer\n中国的首都是哪里？,北京\n一加一等于几？,二\n你好吗？,好\n",
    "big5": "question,answer\n台灣的首都是哪裡?,台北\n請問這是什麼?,書\n他在哪裡?,家裡\n",
    "cp932": "question,answer\n日本の首都はどこですか?,東京\nこれは何ですか?,本です\nなぜ?,不明\n",
    "cp949": "question,answer\n한국의 수도는 어디입니까?,서울\n이것은 무엇입니까?,책\n왜요?,몰라요\n",
    "cp1251": "question,answer\nКакая столица России?,Москва\nСколько будет один плюс один?,два\nКто?,он\n",
    "utf-8-sig": "question,answer\nä,1\nb,2\nc,3\n",
    "utf-16": "question,answer\nä,1\nb,2\n雪,3\n",
    "utf-16-le": "question,answer\nWhat is it?,1\nWho is it?,2\nWhy?,3\n",
    "utf-16-be": "question,answer\nWhat is it?,1\nWho is it?,2\nWhy?,3\n",
    "utf-32": "question,answer\nä,1\nb,2\n雪,3\n",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_the_encoding_is_detected(tmp_path: Path, encoding: str) -> None:
    text = TEXTS[encoding]
    found = load(tmp_path, "r.csv", text.encode(encoding), "r.csv")
    plain = load(tmp_path, "plain.csv", text, "plain.csv")
    assert asked(found) == asked(plain)
    if not encoding.startswith("utf"):
        assert "The file is not UTF-8; it was read as" in found.notices[0]
        explicit = load(tmp_path, {"path": "r.csv", "encoding": encoding})
        assert (asked(explicit), explicit.notices) == (asked(plain), ())


def test_json_may_have_another_encoding(tmp_path: Path) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in RECORDS).replace("?", "？这是什么")
    found = load(tmp_path, "r.jsonl", text.encode("gbk"), "r.jsonl")
    assert asked(found)[0][0] == "Q0？这是什么"
    assert asked(load(tmp_path, "rows.json", json.dumps(RECORDS).encode("utf-16"))) == WANTED


@pytest.mark.parametrize(
    "raw",
    [
        b"question,answer\n\xe4\xbd\xa0\xe5\xa5\xbd,1\na\xff,2\nb,3\n",
        "question,answer\ncaf\u00e9,1\n".encode() + b"na\xefve,2\nc,3\n",
        b"question,answer\nd,1\nhalf \xed\xa0\xbd,2\nb,3\n",
    ],
)
def test_a_text_in_utf8_that_is_damaged_is_not_taken_for_another_encoding(tmp_path: Path, raw: bytes) -> None:
    assert why_not(tmp_path, "r.csv", raw, "r.csv").startswith("r.csv, line 3: There are bytes")


def test_letters_of_two_scripts_are_not_mixed_in_a_word(tmp_path: Path) -> None:
    raw = "question,answer\ncaf\u00e9 \u2013 \u201cx\u201d,1\nb,2\nc,3\n".encode("cp1252")
    assert asked(load(tmp_path, "r.csv", raw, "r.csv"))[0][0] == "caf\u00e9 \u2013 \u201cx\u201d"


def test_a_wrong_encoding_is_named_with_the_line(tmp_path: Path) -> None:
    problem = why_not(tmp_path, {"path": "r.csv", "encoding": "ascii"}, "question\na\nä\n", "r.csv")
    assert problem.startswith("r.csv, line 3: There are bytes here that are not ASCII text.")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_and_line_ends_are_detected(tmp_path: Path, end: str, delimiter: str) -> None:
    lines = [delimiter.join(cells) for cells in (("question", "answer"), *((q, *a) for q, a in WANTED))]
    for head in ([], [f"sep={delimiter}"], ["", ""]):
        found = load(tmp_path, "r.csv", end.join([*head, *lines]), "r.csv")
        assert asked(found) == WANTED
        assert [row.line for row in rows(found)] == [len(head) + n for n in (2, 3, 4)]


def test_text_with_other_separators_does_not_confuse_the_detection(tmp_path: Path) -> None:
    text = 'question;answer\n"1,5; or 2,5?";"a,b"\nOne, two, three?;x\nWhat|which?;y\n'
    assert asked(load(tmp_path, "r.csv", text, "r.csv"))[0] == ("1,5; or 2,5?", ("a,b",))
    assert len(asked(load(tmp_path, "one.csv", "question\nHello; you\nWhat\nWhy\n", "one.csv"))) == 3
    spreadsheet = "question,answer,,\na,1,,\n,,,\nb,2,,\nc,3,,\n"
    assert len(asked(load(tmp_path, "s.csv", spreadsheet, "s.csv"))) == 3


def test_a_delimiter_that_separates_nothing_is_named(tmp_path: Path) -> None:
    table = "question,answer\na,1\nb,2\nc,3\n"
    problem = why_not(tmp_path, {"path": "r.csv", "delimiter": ";"}, table, "r.csv")
    assert problem.endswith("separates the cells. Write `delimiter: ','`, or delete it.")
    single = "question\nHello, you\nYes, you\nAnd, then\n"
    assert len(asked(load(tmp_path, {"path": "s.csv", "delimiter": ";"}, single, "s.csv"))) == 3


def test_quotes_in_a_tsv_file_are_text_where_they_cannot_be_anything_else(tmp_path: Path) -> None:
    bare = 'question\tanswer\n"Hello" he said\tx\nIn 5" pipes\ty\n""\tz\n'
    found = asked(load(tmp_path, "r.tsv", bare, "r.tsv"))
    assert [question for question, _ in found] == ['"Hello" he said', 'In 5" pipes', '""']
    quoted = 'question\tanswer\n"a\tb"\tx\n"c\nd"\ty\ne\tz\n'
    found = asked(load(tmp_path, "q.tsv", quoted, "q.tsv"))
    assert [question for question, _ in found] == ["a\tb", "c\nd", "e"]


def test_tables_written_by_hand_are_read(tmp_path: Path) -> None:
    markdown = "| question | answer |\n|---|:-:|\n| Q0? | 0 |\n| Q1? | 1 |\n| Q2? | 2 |\n"
    assert asked(load(tmp_path, "m.csv", markdown, "m.csv")) == WANTED
    spaced = 'question, answer\n"Q0?", "0"\n"Q1?", 1\nQ2?, "2"\n'
    assert asked(load(tmp_path, "s.csv", spaced, "s.csv")) == WANTED
    marked = "\ufeff\ufeffquestion,answer\nQ0?,0\nQ1?,1\nQ2?,2\n"
    assert asked(load(tmp_path, "b.csv", marked, "b.csv")) == WANTED
    assert "a header and no rows" in why_not(tmp_path, "h.csv", "question,answer\n", "h.csv")


def test_lists_are_matched_by_their_keys_and_have_a_cell_for_each_column(tmp_path: Path) -> None:
    shuffled = {"question": index(QUESTIONS), "answer": dict(reversed(index(ANSWERS).items()))}
    assert asked(load(tmp_path, "rows.json", shuffled)) == WANTED
    short = {"columns": ["question", "answer"], "data": [["a", "b"], ["c"]]}
    assert "line 2: The row has 1 cell" in why_not(tmp_path, "rows.json", short)
    viewer = {"features": [{"name": "question"}], "rows": [{"row_idx": 1, "row": one} for one in RECORDS]}
    assert asked(load(tmp_path, "rows.json", viewer)) == WANTED


def test_a_question_may_have_no_answer(tmp_path: Path) -> None:
    records = [{"question": f"Q{n}?", "answers": {"text": ["a", "b"] if n else []}} for n in range(3)]
    data: dict[str, object] = {"path": "rows.json", "columns": {"answer": "answers.text"}}
    check = make_metric(MetricChoice("f1"), tmp_path).fault
    blank = "question,answer\nQ0?, \nQ1?,a\nQ2?,b\n"
    assert "line 2: The row has no answer" in why_not(tmp_path, "b.csv", blank, "b.csv", check=check)
    problem = why_not(tmp_path, data, records, check=check)
    assert problem.endswith("e.g. `labels: {'': unanswerable}`.")
    found = load(tmp_path, {**data, "labels": {"": "unanswerable"}}, records, check=check)
    assert [answers for _, answers in asked(found)] == [("unanswerable",), ("a", "b"), ("a", "b")]


@pytest.mark.parametrize("answer", [[["a", "b"]], '["a", "b"]', "['a', 'b']"])
def test_a_list_inside_of_an_answer_is_refused_or_spread(tmp_path: Path, answer: object) -> None:
    records = [{"question": f"Q{n}?", "answer": answer} for n in range(3)]
    problem = why_not(tmp_path, "rows.json", records, takes_objects=False)
    assert "holds a list where an answer should be a text" in problem
    column = "answer.*.*" if isinstance(answer, list) else "answer.*"
    found = load(tmp_path, {"path": "rows.json", "columns": {"answer": column}}, records, takes_objects=False)
    assert rows(found)[0].references == ("a", "b")


def test_a_column_in_a_list_of_each_row_is_named_with_the_keys_that_lead_to_it(tmp_path: Path) -> None:
    several = {"metrics": ["m"], "rows": RECORDS, "avoid": RECORDS}
    assert "e.g. `rows: rows`" in why_not(tmp_path, "rows.json", several)
    squad = {"data": [{"title": "T", "paragraphs": [{"context": "c", "qas": [{"question": "q"}]}]}]}
    assert "`rows: data.paragraphs.qas`" in why_not(tmp_path, "rows.json", squad)


def test_a_wide_cell_is_read(tmp_path: Path) -> None:
    wide = "word " * 100_000
    found = load(tmp_path, "r.csv", f'question,answer\na,1\nb,2\n"{wide}",3\n', "r.csv")
    assert rows(found)[2].question == wide


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.csv"])
def test_a_compressed_file_is_read(tmp_path: Path, name: str) -> None:
    text = {
        "rows.jsonl": "".join(json.dumps(row) + "\n" for row in RECORDS),
        "rows.json": json.dumps(RECORDS),
        "rows.csv": "question,answer\nQ0?,0\nQ1?,1\nQ2?,2\n",
    }[name]
    packed = gzip.compress(text.encode())
    assert asked(load(tmp_path, f"{name}.gz", packed, f"{name}.gz")) == WANTED
    assert asked(load(tmp_path, name, packed, name)) == WANTED
    assert "damaged" in why_not(tmp_path, f"{name}.gz", packed[:-12], f"{name}.gz")
    assert "compressed twice" in why_not(tmp_path, f"{name}.gz", gzip.compress(packed), f"{name}.gz")


def test_a_file_is_never_held_as_a_whole_to_detect_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "r.csv.gz"
    path.write_bytes(gzip.compress(b"question,answer\n" + b"a,b\n" * 4_000_000))
    tracemalloc.start()
    TextFile(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000


def test_a_line_and_a_file_have_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotui.templates.data.data_file.LONGEST_LINE", 1000)
    monkeypatch.setattr("spotui.templates.data.data_file.MOST_CHARACTERS", 4000)
    bomb = gzip.compress(b"0" * 5000)
    assert "longer than" in why_not(tmp_path, "r.jsonl.gz", bomb, "r.jsonl.gz")
    assert "longer than" in why_not(tmp_path, "r.json.gz", bomb, "r.json.gz")
    assert asked(load(tmp_path, "r.json", json.dumps(RECORDS, indent=900), "r.json")) == WANTED
    monkeypatch.setattr("spotui.templates.data.data_file.MOST_BYTES", 3000)
    assert "holds more than" in why_not(tmp_path, "r.jsonl.gz", bomb, "r.jsonl.gz")


@given(st.text(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
def test_no_text_is_changed_by_reading_it(
    tmp_path_factory: pytest.TempPathFactory, text: str, encoding: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "text"
    text = text.replace("\0", "").removeprefix("\ufeff")
    path.write_bytes(text.encode(encoding))
    assert "".join(line for _, line in TextFile(path).lines()) == text


# Tables of other programs.


def test_parquet_and_arrow_are_read(tmp_path: Path) -> None:
    table = pa.table({"question": QUESTIONS, "answer": [int(a) for a in ANSWERS], "x": [{"y": [1]}] * 3})
    parquet.write_table(table, tmp_path / "r.parquet")
    with ipc.new_file(tmp_path / "r.feather", table.schema) as file:
        file.write_table(table)
    with ipc.new_stream(tmp_path / "r.arrow", table.schema) as stream:
        stream.write_table(table)
    for name in ("r.parquet", "r.feather", "r.arrow"):
        assert asked(load(tmp_path, name)) == WANTED
    for name in ("bad.parquet", "bad.arrow"):
        assert "or it is damaged" in why_not(tmp_path, name, "PAR1 nothing", name)


def workbook(path: Path, **sheets: list[list[str | int]]) -> None:
    """Write a small Excel file: the parts that a reader needs, and no more."""

    def cell(value: str | int) -> str:
        if isinstance(value, int):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'

    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w") as archive:
        listed, links = "", ""
        for number, (name, table) in enumerate(sheets.items(), 1):
            lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in table)
            sheet = f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>'
            archive.writestr(f"xl/worksheets/sheet{number}.xml", sheet)
            listed += f'<sheet name="{name}" sheetId="{number}" r:id="r{number}"/>'
            target = f"worksheets/sheet{number}.xml"
            links += f'<Relationship Id="r{number}" Type="{office}/worksheet" Target="{target}"/>'
        book = f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
        archive.writestr("xl/workbook.xml", book)
        relations = f'<Relationships xmlns="{package}/relationships">{links}</Relationships>'
        archive.writestr("xl/_rels/workbook.xml.rels", relations)
        top = f'<Relationship Id="a" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr(
            "_rels/.rels", f'<Relationships xmlns="{package}/relationships">{top}</Relationships>'
        )
        archive.writestr("[Content_Types].xml", f'<Types xmlns="{package}/content-types"/>')


def test_a_workbook_is_read(tmp_path: Path) -> None:
    table: list[list[str | int]] = [[q, int(a)] for q, (a,) in WANTED]
    workbook(tmp_path / "r.xlsx", first=[["question", "answer"], *table], other=table)
    assert asked(load(tmp_path, "r.xlsx")) == WANTED
    numbered = {"path": "r.xlsx", "sheet": "other", "columns": {"question": 1, "answer": 2}}
    assert asked(load(tmp_path, numbered)) == WANTED
    assert "The sheets are first, other." in why_not(tmp_path, {"path": "r.xlsx", "sheet": "no"}, None)
    assert "not an Excel file" in why_not(tmp_path, "bad.xlsx", "PK nothing", "bad.xlsx")


@pytest.mark.parametrize("name", ["r.parquet", "r.arrow", "r.xlsx"])
def test_a_library_that_is_missing_is_named_with_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def missing(module: str) -> None:
        raise ImportError(module)

    monkeypatch.setattr(tables_module, "import_module", missing)
    problem = why_not(tmp_path, name, "anything", name)
    assert "which is not installed. Install it with `pip install 'spotui[tables]'`" in problem
