"""Rows from files: what is read, what is refused with its line, and how rows are split."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.rows import Row, draw, normalise
from spotui.templates.data.load import Dataset, load_dataset
from spotui.templates.data.record import DataError
from spotui.templates.data.source import DataSource


def source(**fields: Any) -> DataSource:
    return DataSource(**{"path": "rows.jsonl", **fields})


def load(folder: Path, text: str | bytes, name: str = "rows.jsonl", **fields: Any) -> Dataset:
    options = {key: fields.pop(key) for key in ("slots", "check", "seed") if key in fields}
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return load_dataset(source(path=name, **fields), folder, **options)


def rows(dataset: Dataset) -> list[Row]:
    """All rows by line."""
    return sorted(dataset.train + dataset.eval + dataset.test, key=lambda row: row.line)


def asked(dataset: Dataset) -> list[tuple[str, tuple[str, ...]]]:
    return [(row.question, row.references) for row in rows(dataset)]


def jsonl(*records: object) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def numbered(count: int) -> str:
    return jsonl(*({"question": f"What is {n}?", "answer": str(n)} for n in range(count)))


def test_the_four_formats_bring_the_same_rows(tmp_path: Path) -> None:
    wanted = [("Rain?", ("Wet.",)), ('Snow, "deep"\nor not?', ("White.",)), ("雪?", ())]
    records = [{"question": q, "answer": a[0] if a else None} for q, a in wanted]
    cells = 'question,answer\nRain?,Wet.\n"Snow, ""deep""\nor not?",White.\n雪?,\n'
    files = {
        "rows.jsonl": jsonl(*records),
        "rows.ndjson": "\ufeff" + jsonl(*records).replace("\n", "\r\n\r\n"),
        "rows.json": json.dumps(records, indent=2),
        "wrapped.json": json.dumps({"canary": "x", "examples": records}, indent=1),
        "rows.csv": cells,
        "rows.tsv": cells.replace(",", "\t").replace("Snow\t", "Snow,"),
        "windows.csv": "\ufeff" + cells.replace("\n", "\r\n").replace('deep""\r\n', 'deep""\n'),
    }
    for name, text in files.items():
        assert asked(load(tmp_path, text, name)) == wanted, name


def test_each_row_knows_the_line_it_begins_on(tmp_path: Path) -> None:
    lines = {
        "a.jsonl": '{"question": "a"}\n\n{"question": "b"}\n{"question": "c"}',
        "b.json": '{"rows": [\n  {"question": "a"}, \n\n {"question":\n "b"},\n{"question": "c"}]}',
        "c.csv": 'question\na\n"b\n"\nc\n',
    }
    found = {name: [row.line for row in rows(load(tmp_path, text, name))] for name, text in lines.items()}
    assert found == {"a.jsonl": [1, 3, 4], "b.json": [2, 4, 6], "c.csv": [2, 3, 5]}
    assert rows(load(tmp_path, lines["c.csv"], "c.csv"))[1].where == "c.csv, line 3"


def test_columns_are_named_and_slots_come_along(tmp_path: Path) -> None:
    text = jsonl(
        *({"input": f"q{n}", "target": ["x", 2, 1.50], "passage": {"a": n}, "lang": "de"} for n in range(3))
    )
    columns = {"question": ("input",), "answer": ("target",), "context": ("passage",)}
    first = rows(load(tmp_path, text, columns=columns, slots={"lang", "question"}))[0]
    assert first.references == ("x", "2", "1.5")
    assert first.values == {"question": "q0", "context": '{"a": 0}', "lang": "de"}


def test_several_columns_make_several_references(tmp_path: Path) -> None:
    text = "question,one,two\na,x,y\nb,x,\nc,,\n"
    found = load(tmp_path, text, "rows.csv", columns={"answer": ("one", "two")})
    assert [row.references for row in rows(found)] == [("x", "y"), ("x",), ()]


def test_numbers_keep_their_digits(tmp_path: Path) -> None:
    text = '{"question": 1.50, "answer": 12345678901234567890}\n{"question": "b", "answer": true}\n'
    text += '{"question": "c"}'
    assert asked(load(tmp_path, text))[:2] == [("1.50", ("12345678901234567890",)), ("b", ("true",))]


def test_a_row_may_be_made_of_slots_alone(tmp_path: Path) -> None:
    text = jsonl(*({"text": f"t{n}", "answer": "a"} for n in range(3)))
    row = rows(load(tmp_path, text, slots={"text"}))[1]
    assert row.ask("Sum up: {text}") == "Sum up: t1"


def test_the_question_follows_a_prompt_that_has_no_slot_for_it() -> None:
    row = Row("Why {context}?", slots={"context": "the {question}"})
    assert row.ask("Think.") == "Think.\n\nWhy {context}?"
    assert row.ask("{context}:") == "the {question}:\n\nWhy {context}?"
    assert row.ask("Q: {question} A:") == "Q: Why {context}? A:"


BAD = [
    ("rows.jsonl", '{"question": "a"}\n{"question": }\n', 2, "not JSON"),
    ("rows.jsonl", '{"question": "a"} {"question": "b"}\n', 1, "follows"),
    ("rows.jsonl", '\n[1, 2]\n{"question": "a"}', 2, "a list"),
    ("rows.jsonl", '{"question": NaN}\n', 1, "empty"),
    ("rows.jsonl", "[" * 100_000 + "\n", 1, "too deeply"),
    ("rows.jsonl", '{"question": " "}\n', 1, "empty"),
    ("rows.jsonl", '{"question": null}\n', 1, "empty"),
    ("rows.jsonl", '{"question": ["a"]}\n', 1, "a list"),
    (
        "rows.jsonl",
        '{"questoin": "a", "answer": "b"}\n',
        1,
        "Unknown column `question`; the columns are `questoin`",
    ),
    (
        "rows.jsonl",
        '{"question": "Größe, Öl, süß, Käse, 雪"}\n{"question": "'.encode() + b'\xff"}\n',
        2,
        "UTF-8",
    ),
    ("rows.jsonl", '{"question": "a", "question": "b"}\n', 1, "`question` is in an object twice"),
    ("rows.jsonl", "", 0, "empty"),
    ("rows.jsonl", b"\0\1\2", 0, "not a text"),
    ("rows.jsonl", b"PK\3\4 an archive", 0, "not a text"),
    ("rows.jsonl.gz", b"\x1f\x8b\0 torn", 0, "damaged"),
    ("rows.json", '[{"question": "a"}] x', 1, "follows"),
    ("rows.json", '[{"question": "a"}\n{"question": "b"}]', 2, "comma"),
    ("rows.json", '[{"question": "a"},\n3]', 2, "single value"),
    ("rows.json", '{"a": []\n, "b": []}', 1, "2 lists"),
    ("rows.json", '{"a": 1}', 1, "no list"),
    ("rows.json", '{"a"\n 1}', 2, "colon"),
    ("rows.json", '\n"text"', 2, "no list"),
    ("rows.json", '[{"question":\n nope}]', 2, "not JSON"),
    ("rows.json", " \n", 0, "empty"),
    ("rows.csv", "", 0, "empty"),
    ("rows.csv", "question,answer\na\n", 2, "1 cell,"),
    ("rows.csv", 'question,answer\na,b\n"c,d\ne,f\n', 3, "cannot be read from here"),
    ("rows.csv", "question,question\na,b\n", 1, "called `question`"),
    ("rows.csv", "input;answer\na;b\n", 2, "Unknown column `question`; the columns are `input`, `answer`"),
    ("rows.txt", "question\na\n", 0, "ending"),
]


@pytest.mark.parametrize(("name", "text", "line", "word"), BAD)
def test_a_bad_row_is_told_with_file_and_line(
    tmp_path: Path, name: str, text: str | bytes, line: int, word: str
) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path, text, name)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (name, line)
    assert word in fault.what
    assert str(caught.value).startswith(f"{name}, line {line}: " if line else f"{name}: ")


def test_every_bad_row_is_told_at_once_up_to_a_limit(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path, '{"question": "good"}\n' + "nothing\n" * 3)
    assert [fault.line for fault in caught.value.faults] == [2, 3, 4]
    assert str(caught.value).splitlines()[0] == "3 rows cannot be used."
    with pytest.raises(DataError, match="20 or more rows"):
        load(tmp_path, "nothing\n" * 5000)


def test_a_missing_column_says_which_slot_wants_it_and_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path, jsonl({"question": "a", "contexts": "b"}), slots={"context"})
    assert caught.value.hint == (
        "Name it, for example `columns: {context: contexts}`, "
        "or write `{{context}}` in the prompt if it is a text."
    )


def test_what_the_metric_finds_wrong_with_a_row_is_told_like_the_rest(tmp_path: Path) -> None:
    text = jsonl({"question": "a", "answer": "even"}, {"question": "b", "answer": "odd"})
    with pytest.raises(DataError) as caught:
        load(tmp_path, text, check=lambda row: "It is odd." if "odd" in row.references else "")
    assert str(caught.value) == "rows.jsonl, line 2: It is odd."


def test_a_missing_file_is_told_with_what_is_near(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(numbered(3))
    with pytest.raises(DataError, match=r"row\.jsonl: There is no such file\. Did you mean rows\.jsonl\?"):
        load_dataset(source(path="row.jsonl"), tmp_path)
    with pytest.raises(DataError, match=r"a folder, not a file\. Name a file in it, e\.g\. rows\.jsonl\."):
        load_dataset(source(path=str(tmp_path)), tmp_path)
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(DataError, match="not an ordinary file"):
        load_dataset(source(path="pipe.jsonl"), tmp_path)
    with pytest.raises(DataError, match="cannot be opened"):
        load_dataset(source(path="a\0b"), tmp_path)


def test_a_row_that_occurs_twice_is_told_and_left_out(tmp_path: Path) -> None:
    text = jsonl(
        {"question": "What is 2²?"},
        {"question": "What is 22?"},
        {"question": " what IS\n22? "},
        {"question": "c"},
    )
    found = load(tmp_path, text)
    assert [row.line for row in rows(found)] == [1, 2, 4]
    assert found.notices == ("rows.jsonl, line 3 asks the same as line 2, and is left out.",)


def test_many_rows_that_occur_twice_are_counted(tmp_path: Path) -> None:
    found = load(tmp_path, numbered(10) * 3)
    assert len(rows(found)) == 10
    assert len(found.notices) == 6
    assert found.notices[-1] == "15 more rows occur twice and are left out."


def test_the_same_question_about_another_text_is_another_row(tmp_path: Path) -> None:
    text = jsonl(*({"question": "Who?", "context": name} for name in "abc"))
    assert len(rows(load(tmp_path, text, slots={"context"}))) == 3
    with pytest.raises(DataError, match="only 1 different row,"):
        load(tmp_path, text)


def test_a_row_of_two_files_stays_in_the_one_that_is_measured_last(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text(numbered(4))
    (tmp_path / "eval.jsonl").write_text(numbered(6))
    found = load(tmp_path, numbered(9), files={"test": "test.jsonl", "eval": "eval.jsonl"})
    assert [len(part) for part in (found.train, found.eval, found.test)] == [3, 2, 4]
    assert "eval.jsonl, line 1 asks the same as test.jsonl, line 1, and is left out." in found.notices


def test_files_for_train_and_eval_are_enough(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(numbered(9))
    (tmp_path / "eval.jsonl").write_text(numbered(6))
    source = DataSource(files={"train": "train.jsonl", "eval": "eval.jsonl"})
    found = load_dataset(source, tmp_path)
    assert [len(part) for part in (found.train, found.eval, found.test)] == [3, 6, 0]


def test_a_split_that_is_empty_in_the_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "test.jsonl").write_text(numbered(4))
    (tmp_path / "eval.jsonl").write_text(numbered(3))
    with pytest.raises(DataError, match=r"eval\.jsonl: No row is left for eval"):
        load(tmp_path, numbered(9), files={"test": "test.jsonl", "eval": "eval.jsonl"})


def test_the_questions_of_a_template_are_rows(tmp_path: Path) -> None:
    listed = [("a", "x"), ("b", ""), ("A", "X"), ("c", "z")]
    qa = [{"question": question, "answer": answer} for question, answer in listed]
    found = load_dataset(DataSource(), tmp_path, qa=qa)
    assert asked(found) == [("a", ("x", "X")), ("b", ()), ("c", ("z",))]
    found = load_dataset(DataSource(), tmp_path, qa=qa, several_answers=False)
    assert asked(found) == [("a", ("x",)), ("b", ()), ("c", ("z",))]
    assert found.notices == ("qa, line 3 asks the same as line 1 with another answer, and is left out.",)
    with pytest.raises(DataError, match="Unknown column `context`"):
        load_dataset(DataSource(), tmp_path, qa=qa, slots={"context"})


def test_the_usual_split_of_240_rows_is_that_of_gpo(tmp_path: Path) -> None:
    found = load(tmp_path, numbered(240))
    assert [len(part) for part in (found.train, found.eval, found.test)] == [48, 48, 144]


@pytest.mark.parametrize(
    ("count", "fields", "sizes"),
    [
        (3, {}, [1, 1, 1]),
        (4, {}, [2, 1, 1]),
        (10, {"split": {"train": 3, "eval": 3}}, [3, 3, 4]),
        (10, {"split": {"train": 3, "eval": 3, "test": 0}}, [3, 3, 0]),
        (10, {"split": {"train": 0.5, "eval": 0.25}}, [5, 3, 2]),
        (10, {"split": {"train": 0.5, "eval": 0.5, "test": 0}}, [5, 5, 0]),
        (9, {"split": {"train": 0.01, "eval": 0.01, "test": 0.98}}, [1, 1, 7]),
        (10, {"limit": 5}, [2, 2, 1]),
        (10, {"split": {"train": 0.1, "eval": 0.1, "test": 0.1}}, [1, 1, 1]),
    ],
)
def test_sizes(tmp_path: Path, count: int, fields: dict[str, Any], sizes: list[int]) -> None:
    found = load(tmp_path, numbered(count), **fields)
    assert [len(part) for part in (found.train, found.eval, found.test)] == sizes


def test_too_few_rows_are_told_with_how_many_are_wanted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There are only 4 different rows, but 6 are wanted\."):
        load(tmp_path, numbered(4), split={"train": 3, "eval": 3})
    with pytest.raises(DataError, match="There is only 1 different row, but 3 are wanted"):
        load(tmp_path, numbered(1))


def test_a_column_inside_of_another_one_is_proposed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"columns: \{question: row\.question\}"):
        load(tmp_path, jsonl(*({"row": {"question": f"Q {at}?"}} for at in range(4))))


def test_the_seed_alone_decides_the_split(tmp_path: Path) -> None:
    first, again, other = (load(tmp_path, numbered(60), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.train != other.train


@given(
    st.integers(3, 400),
    st.tuples(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0, 1)),
    st.integers(),
    st.one_of(st.none(), st.integers(3, 50)),
)
def test_splits_are_disjoint_ordered_and_near_their_shares(
    count: int, shares: tuple[float, float, float], seed: int, limit: int | None
) -> None:
    total = sum(shares)
    sizes = {"train": shares[0] / total, "eval": shares[1] / total, "test": shares[2] / total}
    found = draw(count, ("train", "eval", "test"), sizes, limit=limit, seed=seed)  # type: ignore[arg-type]
    used = min(count, limit or count)
    everything = [index for part in found.values() for index in part]
    assert len(everything) == len(set(everything)) == used
    assert all(part == sorted(part) for part in found.values())
    for name, part in found.items():
        assert abs(len(part) - used * sizes[name]) <= 2
        assert part or not sizes[name]


@given(st.lists(st.text("aAbB \n", max_size=6), min_size=3, max_size=30), st.integers())
def test_no_two_rows_of_a_dataset_are_the_same_but_for_case_and_space(texts: list[str], seed: int) -> None:
    qa = [{"question": text, "answer": ""} for text in texts if text.strip()]
    try:
        found = load_dataset(DataSource(), Path(), qa=qa, seed=seed)
    except DataError:
        assert len({normalise(one["question"]) for one in qa}) < 3
        return
    kept = [normalise(row.question) for row in rows(found)]
    assert len(kept) == len(set(kept))
    assert set(kept) == {normalise(one["question"]) for one in qa}


@given(st.binary(max_size=60), st.sampled_from(["jsonl", "json", "csv", "tsv"]))
def test_whatever_a_file_holds_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, form: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    try:
        found = rows(load(folder, data, f"any.{form}"))
    except DataError as error:
        found, faults = [], error.faults
    else:
        faults = ()
    assert len(found) >= 2 or (faults and all(fault.what for fault in faults))
