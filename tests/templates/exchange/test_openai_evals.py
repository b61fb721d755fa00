"""OpenAI's evals: registry and samples, evals of the platform with their runs, and items of data sets."""

import json
from pathlib import Path
from typing import Any

import pytest

from spotui.templates.exchange.imported import SourceError
from spotui.templates.exchange.registry import read_source
from spotui.templates.exchange.source import Source
from tests.templates.exchange.importing import bring, files


def jsonl(records: list[Any]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in records)


SYSTEM = {"role": "system", "content": "Answer with one word."}
SAMPLES = [
    {"input": [SYSTEM, {"role": "user", "content": f"Capital {at}?"}], "ideal": [f"C{at}", f"c{at}"]}
    for at in range(4)
]
REGISTRY = """\
capitals:
  id: capitals.test.v0
  metrics: [accuracy]
capitals.test.v0:
  class: evals.elsuite.basic.{}
  args:
    samples_jsonl: capitals/samples.jsonl
    {}
"""


@pytest.mark.parametrize(
    ("kind", "more", "metric", "said"),
    [
        ("match:Match", "few_shot_jsonl: x", {"name": "checks", "type": "starts-with"}, "`few_shot_jsonl`"),
        ("includes:Includes", "ignore_case: true", {"name": "checks", "type": "icontains"}, ""),
        ("fuzzy_match:FuzzyMatch", "", "contains", "A fuzzy match counts here"),
        ("own:Own", "", None, "The class evals.elsuite.basic.own:Own is left out."),
    ],
)
def test_a_registry_with_its_samples(tmp_path: Path, kind: str, more: str, metric: object, said: str) -> None:
    files(
        tmp_path,
        registry__evals__capitals_yaml=REGISTRY.format(kind, more),
        registry__data__capitals__samples_jsonl=jsonl(SAMPLES),
    )

    found = bring(tmp_path / "registry")

    assert found.format == "openai-evals"
    assert found.template.prompt == "Answer with one word."
    assert found.template.metric == metric
    assert [row.references for row in found.all_rows] == [(f"C{at}", f"c{at}") for at in range(4)]
    assert said in "\n".join(found.notes)


def test_samples_alone_and_a_graded_registry(tmp_path: Path) -> None:
    samples = [{"input": f"Why {at}?", "ideal": f"So {at}.", "note": 1} for at in range(3)]
    graded = REGISTRY.format("x", "modelgraded_spec: fact").replace(
        "basic.x", "modelgraded.classify:ModelBasedClassify"
    )
    files(
        tmp_path,
        a__samples_jsonl=jsonl(samples),
        evals__g_yaml=graded,
        data__capitals__samples_jsonl=jsonl(samples),
    )

    alone = bring(tmp_path / "a" / "samples.jsonl", may_be_empty=True)
    assert [(one.question, one.answer) for one in alone.template.qa] == [
        (f"Why {at}?", f"So {at}.") for at in range(3)
    ]
    assert "Samples do not say how answers are marked." in "\n".join(alone.notes)

    with pytest.raises(SourceError, match="outside"):
        bring(tmp_path / "evals" / "g.yaml")
    graded_found = bring(tmp_path / "evals" / "g.yaml", agrees=lambda *_: True, may_be_empty=True)
    assert graded_found.template.metric == "judge"
    assert graded_found.template.criteria == ["The answer is factually consistent with the reference answer."]


EVAL: dict[str, Any] = {
    "object": "eval",
    "name": "Tickets",
    "testing_criteria": [
        {
            "type": "string_check",
            "name": "label",
            "input": "{{sample.output_text}}",
            "reference": "{{item.correct_label}}",
            "operation": "ilike",
        },
        {"type": "python", "name": "code", "source": "def grade(): ..."},
        {"type": "label_model", "name": "tone", "input": [{"role": "developer", "content": "Is it kind?"}]},
    ],
}
RUN: dict[str, Any] = {
    "object": "eval.run",
    "data_source": {
        "type": "completions",
        "input_messages": {
            "type": "template",
            "template": [{"role": "user", "content": "Sort this ticket: {{item.ticket}}"}],
        },
        "source": {
            "type": "file_content",
            "content": [{"item": {"ticket": f"T{at}", "correct_label": "IT", "id": at}} for at in range(3)],
        },
    },
}


def test_an_eval_with_its_run(tmp_path: Path) -> None:
    files(tmp_path, eval_json=json.dumps({"eval": EVAL, "run": RUN}))

    found = bring(tmp_path / "eval.json")

    assert found.format == "openai"
    assert found.template.prompt == "Sort this ticket: {ticket}"
    assert found.template.metric == {"name": "checks", "type": "icontains"}
    assert found.template.criteria == ["Is it kind?"]
    assert [(row.values["ticket"], row.references) for row in found.all_rows] == [
        (f"T{at}", ("IT",)) for at in range(3)
    ]
    notes = "\n".join(found.notes)
    for said in (
        "The grader code is left out. spotui never runs code",
        "The grader tone becomes a criterion",
    ):
        assert said in notes


def test_output_items_of_a_run(tmp_path: Path) -> None:
    items = [
        {
            "object": "eval.run.output_item",
            "datasource_item": {"item": {"ticket": f"T{at}", "correct_label": "HR"}},
            "sample": {"output": [{"role": "assistant", "content": "IT"}]},
        }
        for at in range(3)
    ]
    files(
        tmp_path,
        run_jsonl=jsonl([EVAL, {**RUN, "data_source": {**RUN["data_source"], "source": {}}}, *items]),
    )
    found = bring(tmp_path / "run.jsonl")
    assert [(row.values["ticket"], row.references) for row in found.all_rows] == [
        (f"T{at}", ("HR",)) for at in range(3)
    ]


def test_items_of_a_data_set(tmp_path: Path) -> None:
    items = [{"item": {"question": f"Q{at}", "context": "C", "ideal": "A", "tag": 1}} for at in range(3)]
    files(tmp_path, items_jsonl=jsonl(items))
    found = bring(tmp_path / "items.jsonl")
    assert found.template.prompt == "context: {context}\nquestion: {question}"
    assert [row.references for row in found.all_rows] == [("A",)] * 3
    notes = "\n".join(found.notes)
    assert "`ideal` is taken for the answer that is right." in notes
    assert "The column `tag` is left out." in notes


def test_two_possible_answers_are_asked_about(tmp_path: Path) -> None:
    items = [{"item": {"question": f"Q{at}", "ideal": "A", "expected": "B"}} for at in range(3)]
    files(tmp_path, items_jsonl=jsonl(items), none_json=json.dumps(EVAL))
    with pytest.raises(SourceError, match=r"Name it with --answer: expected, ideal\."):
        bring(tmp_path / "items.jsonl")
    _format, (chosen,) = read_source(Source(tmp_path / "items.jsonl", chosen={"answer": "ideal"}))
    assert [row["answer"] for row in chosen.rows[None]] == ["A", "A", "A"]
    with pytest.raises(SourceError, match="has no items"):
        bring(tmp_path / "none.json")
