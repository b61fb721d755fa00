"""DSPy's programs, and data sets of Hugging Face on disk."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from spotui.templates.exchange.imported import SourceError
from spotui.templates.exchange.registry import read_source
from spotui.templates.exchange.source import Source
from tests.templates.exchange.importing import bring, files


def predictor(fields: list[str], demos: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "traces": [],
        "train": [],
        "demos": demos,
        "signature": {
            "instructions": "Answer it.",
            "fields": [{"prefix": f"{name}:", "description": f"${{{name}}}"} for name in fields],
        },
        "lm": None,
    }


DEMOS = [{"augmented": True, "question": f"Q{at}", "reasoning": "r", "answer": f"A{at}"} for at in range(3)]


def test_a_program(tmp_path: Path) -> None:
    program = {"predict": predictor(["Question", "Reasoning", "Answer"], DEMOS), "metadata": {"a": 1}}
    files(tmp_path, program_json=json.dumps(program))
    found = bring(tmp_path / "program.json")
    assert (found.format, found.template.prompt) == ("dspy", "Answer it.")
    assert [(one.question, one.answer) for one in found.template.qa] == [
        (f"Q{at}", f"A{at}") for at in range(3)
    ]
    notes = "\n".join(found.notes)
    assert "`answer` is taken for the output, and question for the inputs." in notes
    assert "The reasoning of demos is left out." in notes


def test_a_program_of_several_predictors(tmp_path: Path) -> None:
    rag = [{"context": "C", "question": f"Q{at}", "answer": "A"} for at in range(3)] + [{"question": "x"}]
    program = {
        "rag": {"respond": predictor(["Context", "Question", "Answer"], rag)},
        "judge": predictor(["Answer", "Verdict"], [{"answer": f"{at}", "verdict": "ok"} for at in range(3)]),
    }
    files(tmp_path, program_json=json.dumps(program))
    found = bring(tmp_path / "program.json")
    assert [one.source["predictor"] for one in found.templates] == ["rag.respond", "judge"]
    assert [row.values["context"] for row in found.rows[0]] == ["C", "C", "C"]
    assert any("rag.respond, demos[4]: The demo is left out." in note for note in found.notes)


def test_an_old_program_and_one_without_output(tmp_path: Path) -> None:
    old = {"signature_instructions": "Do.", "demos": [{"text": f"t{at}", "label": "x"} for at in range(3)]}
    files(
        tmp_path, old_json=json.dumps({"classify": old}), bad_json=json.dumps({"p": predictor(["Only"], [])})
    )
    assert bring(tmp_path / "old.json").template.prompt == "Do."
    with pytest.raises(SourceError, match="The signature has no input and output"):
        bring(tmp_path / "bad.json")


def arrow(path: Path, columns: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = pa.table(columns)
    with ipc.new_stream(path, content.schema) as writer:
        writer.write_table(content)


def test_a_data_set_that_was_saved_to_disk(tmp_path: Path) -> None:
    folder = tmp_path / "imdb"
    info = {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}
    files(folder, dataset_dict_json=json.dumps({"splits": ["train", "test"]}))
    for split in ("train", "test"):
        file = "data-00000-of-00001.arrow"
        texts = [f"{split} {at}" for at in range(4)]
        arrow(folder / split / file, {"text": texts, "label": [0, 1, 0, 1], "id": [1, 2, 3, 4]})
        files(
            folder / split,
            state_json=json.dumps({"_data_files": [{"filename": file}], "_split": split}),
            dataset_info_json=json.dumps(info),
        )

    found = bring(folder, may_be_empty=True)

    assert found.format == "hugging-face"
    assert found.template.metric == {"name": "label", "labels": ["neg", "pos"]}
    assert found.template.data == {"path": "new-train.jsonl", "test": "new-test.jsonl"}
    assert len(found.all_rows) == 8
    assert "The column `id` is left out." in "\n".join(found.notes)


def test_folders_of_parquet(tmp_path: Path) -> None:
    squad = tmp_path / "squad" / "data"
    squad.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        rows = {
            "context": ["C"] * 3,
            "question": [f"{split} {at}?" for at in range(3)],
            "answers": [{"text": ["a", "b"], "answer_start": [1, 2]}] * 3,
        }
        pq.write_table(pa.table(rows), squad / f"{split}-00000-of-00001.parquet")

    found = bring(tmp_path / "squad")

    assert found.template.prompt == "{context}\n\n{question}"
    assert [row.references for row in found.all_rows] == [("a", "b")] * 9
    assert set(found.template.data) == {"train", "eval", "test"}


def test_conversations_and_unknown_columns_of_parquet(tmp_path: Path) -> None:
    talk = [[{"role": "user", "content": f"Q{at}"}, {"role": "assistant", "content": "A"}] for at in range(3)]
    for name, columns in (
        ("chat", {"messages": talk}),
        ("odd", {"a": ["1", "2", "3"], "b": ["4", "5", "6"]}),
    ):
        (tmp_path / name).mkdir()
        pq.write_table(pa.table(columns), tmp_path / name / "part.parquet")
    chat = bring(tmp_path / "chat", may_be_empty=True)
    assert [one.question for one in chat.template.qa] == ["Q0", "Q1", "Q2"]
    with pytest.raises(SourceError, match=r"Name it with --question; the columns are a, b\."):
        bring(tmp_path / "odd")
    source = Source(tmp_path / "odd", chosen={"question": "a", "answer": "b"})
    assert read_source(source)[1][0].rows[None][0] == {"question": "1", "answer": "4"}
    (tmp_path / "odd" / "part.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(SourceError, match=r"part\.parquet: This is not a Parquet file"):
        bring(tmp_path / "odd")
