"""Exports of Langfuse, LangSmith and Phoenix, as JSON, JSONL and CSV."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.templates.exchange.importing import Brought, bring, files


def jsonl(records: list[Any]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in records)


def table(path: Path, records: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        for one in records:
            writer.writerow(
                {
                    key: json.dumps(value) if isinstance(value, dict | list) else value
                    for key, value in one.items()
                }
            )
    return path


def pairs(found: Brought) -> list[tuple[str, tuple[str, ...]]]:
    if found.template.qa:
        return [(one.question, (one.answer,) if one.answer else ()) for one in found.template.qa]
    return [(row.question, row.references) for row in found.all_rows]


def test_items_of_langfuse(tmp_path: Path) -> None:
    items = [
        {
            "id": f"i{at}",
            "datasetId": "d",
            "input": {"question": f"Q{at}?"},
            "expectedOutput": {"answer": f"A{at}"},
            "metadata": {"split": "test" if at > 2 else "train"},
            "sourceTraceId": None,
        }
        for at in range(6)
    ]
    files(tmp_path, items_json=json.dumps(items))
    found = bring(tmp_path / "items.json", may_be_empty=True)
    assert found.format == "langfuse"
    assert sorted(pairs(found)) == [(f"Q{at}?", (f"A{at}",)) for at in range(6)]
    assert found.template.data == {"path": "new-train.jsonl", "test": "new-test.jsonl"}


def test_a_table_of_langfuse(tmp_path: Path) -> None:
    rows = [
        {
            "id": f"t{at}",
            "traceId": "x",
            "input": f"Q{at}?",
            "output": "said",
            "expectedOutput": "",
            "scores": "1",
        }
        for at in range(3)
    ]
    found = bring(table(tmp_path / "traces.csv", rows), may_be_empty=True)
    assert found.format == "langfuse"
    assert pairs(found) == [(f"Q{at}?", ()) for at in range(3)]
    notes = "\n".join(found.notes)
    assert "The output is left out. It is what the model answered, which need not be right." in notes
    assert "The scores are left out." in notes


def test_a_prompt_of_langfuse(tmp_path: Path) -> None:
    prompt = {
        "name": "support",
        "version": 3,
        "type": "text",
        "prompt": "Help {{customer}} with {{question}}",
        "config": {"model": "gpt-4o"},
        "labels": ["production"],
    }
    items = [
        {"datasetName": "d", "input": {"customer": "Ann", "question": f"Q{at}"}, "expectedOutput": "A"}
        for at in range(3)
    ]
    files(tmp_path, all_json=json.dumps([prompt, *items]))
    found = bring(tmp_path / "all.json")
    assert found.template.prompt == "Help {customer} with {question}"
    assert found.template.source == {
        "format": "langfuse",
        "path": "../all.json",
        "name": "support",
        "version": 3,
    }
    assert [row.values for row in found.all_rows] == [
        {"customer": "Ann", "question": f"Q{at}"} for at in range(3)
    ]


@pytest.mark.parametrize("is_table", [False, True])
def test_examples_of_langsmith(tmp_path: Path, is_table: bool) -> None:
    rows = [{"id": str(at), "inputs": {"q": f"Q{at}"}, "outputs": {"a": f"A{at}"}} for at in range(3)]
    if is_table:
        flat = [{"inputs.q": one["inputs"]["q"], "outputs.a": one["outputs"]["a"]} for one in rows]  # type: ignore[index]
        path = table(tmp_path / "examples.csv", flat)
    else:
        path = tmp_path / "examples.jsonl"
        path.write_text(jsonl(rows))
    found = bring(path, may_be_empty=True)
    assert found.format == "langsmith"
    assert pairs(found) == [(f"Q{at}", (f"A{at}",)) for at in range(3)]


def test_runs_of_langsmith(tmp_path: Path) -> None:
    runs = [
        {
            "id": str(at),
            "run_type": "llm",
            "inputs": {
                "messages": [[{"type": "system", "data": {"content": "Be brief."}}, ["human", f"Q{at}"]]]
            },
            "outputs": {"generations": [["x"]]},
            "feedback_stats": {"score": {"avg": 1}},
        }
        for at in range(3)
    ]
    files(tmp_path, runs_jsonl=jsonl(runs))
    found = bring(tmp_path / "runs.jsonl")
    assert (found.format, found.template.prompt) == ("langsmith", "Be brief.")
    assert pairs(found) == [(f"Q{at}", ()) for at in range(3)]
    assert "The output is left out." in "\n".join(found.notes)


def test_several_inputs_make_a_prompt_of_slots(tmp_path: Path) -> None:
    rows = [
        {"inputs": {"question": f"Q{at}", "context": "C"}, "outputs": {"answer": "A", "why": "w"}}
        for at in range(3)
    ]
    files(tmp_path, examples_json=json.dumps(rows))
    found = bring(tmp_path / "examples.json")
    assert found.template.prompt == "context: {context}\nquestion: {question}"
    assert [row.references for row in found.all_rows] == [("A",)] * 3
    assert "Write above them what is to be done." in "\n".join(found.notes)


def test_examples_of_phoenix(tmp_path: Path) -> None:
    rows = [
        {"id": str(at), "input": {"query": f"Q{at}"}, "output": {"answer": f"A{at}"}, "metadata": {"a": 1}}
        for at in range(3)
    ]
    files(tmp_path, examples_jsonl=jsonl(rows))
    found = bring(tmp_path / "examples.jsonl", may_be_empty=True)
    assert found.format == "phoenix"
    assert pairs(found) == [(f"Q{at}", (f"A{at}",)) for at in range(3)]
    assert "`metadata` is left out." in "\n".join(found.notes)


def test_a_table_of_phoenix(tmp_path: Path) -> None:
    rows = [
        {"example_id": at, "input_query": f"Q{at}", "output_answer": f"A{at}", "metadata_split": "train"}
        for at in range(3)
    ]
    found = bring(table(tmp_path / "examples.csv", rows), may_be_empty=True)
    assert found.format == "phoenix"
    assert pairs(found) == [(f"Q{at}", (f"A{at}",)) for at in range(3)]


def test_spans_of_phoenix(tmp_path: Path) -> None:
    message = {"message.role": "user"}
    spans = [
        {
            "context.span_id": str(at),
            "span_kind": "LLM",
            "attributes": {
                "llm": {
                    "input_messages": [
                        {"message.role": "system", "message.content": "Be brief."},
                        {**message, "message.contents": [{"message_content.text": f"Q{at}"}]},
                    ]
                },
                "output.value": "said",
            },
        }
        for at in range(3)
    ]
    files(tmp_path, spans_json=json.dumps(spans))
    found = bring(tmp_path / "spans.json")
    assert (found.format, found.template.prompt) == ("phoenix", "Be brief.")
    assert pairs(found) == [(f"Q{at}", ()) for at in range(3)]
