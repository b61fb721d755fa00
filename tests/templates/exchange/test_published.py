"""Data sets as they are published: GPO's folders, BIG-bench, MMLU, GSM8K, WSC, WebNLG."""

import json
from pathlib import Path
from typing import Any

import pytest

from spotui.templates.exchange.imported import SourceError
from tests.templates.exchange.importing import bring, files


def jsonl(records: list[Any]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in records)


def gpo_task(folder: Path, key: str, answers: list[Any], *, few: bool = True) -> Path:
    for at, name in enumerate(("train", "eval", "test")):
        rows = [{"input": f"{name} {n}", key: answers[(at + n) % len(answers)]} for n in range(2)]
        files(folder, **{f"{name}_jsonl": jsonl(rows)})
    files(folder, **{"few_shot_examples_jsonl" if few else "format_jsonl": jsonl([{"input": "x", key: "y"}])})
    return folder


@pytest.mark.parametrize(
    ("task", "key", "answers", "metric"),
    [
        ("navigate", "target", ["Yes", "No"], "yes_no"),
        ("anatomy", "output", ["(A)", "(C)"], "multiple_choice"),
        ("WebNLG", "output", [["A is B.", "B is A's."], ["C."]], {"name": "rouge_l", "over": "mean"}),
        ("object_counting", "target", ["8", "11"], "number"),
        (
            "formal_fallacies",
            "target",
            ["valid", "invalid"],
            {"name": "label", "labels": ["valid", "invalid"]},
        ),
        ("word_sorting", "target", ["a b", "c d"], "word_list"),
    ],
)
def test_a_folder_of_gpo(tmp_path: Path, task: str, key: str, answers: list[Any], metric: object) -> None:
    found = bring(gpo_task(tmp_path / task, key, answers))

    assert (found.format, found.template.method) == ("gpo", "gpo")
    assert found.template.prompt == "Let's think step by step."
    assert found.template.metric == metric
    assert found.template.data == {
        "train": "new-train.jsonl",
        "eval": "new-eval.jsonl",
        "test": "new-test.jsonl",
    }
    assert len(found.all_rows) == 6
    assert any("few_shot_examples.jsonl: The file is left out." in note for note in found.notes)


def test_all_tasks_of_gpo_at_once(tmp_path: Path) -> None:
    gpo_task(tmp_path / "data" / "bbh" / "navigate", "target", ["Yes", "No"])
    gpo_task(tmp_path / "data" / "GSM8K", "output", ["1", "2"], few=False)

    found = bring(tmp_path / "data")

    assert [path.name for path in found.paths] == ["new-GSM8K.yaml", "new-navigate.yaml"]
    assert [one.metric for one in found.templates] == ["number", "yes_no"]


def test_gpo_without_answers_is_an_error_with_its_line(tmp_path: Path) -> None:
    folder = gpo_task(tmp_path / "navigate", "target", ["Yes"])
    files(folder, eval_jsonl='{"input": "a", "target": "No"}\n{"input": "b"}\n')
    with pytest.raises(SourceError, match=r"eval\.jsonl, line 2: The row has no `input` with `target`"):
        bring(folder)


EXAMPLES = [{"input": f"Q{at}", "target": "(A)" if at % 2 else "(B)"} for at in range(4)]


@pytest.mark.parametrize(
    ("document", "metric", "prompt"),
    [
        ({"canary": "x", "examples": EXAMPLES}, "multiple_choice", ""),
        (
            {"examples": [{"input": f"Q{at}", "target": str(at)} for at in range(4)], "task_prefix": "Add."},
            "number",
            "Add.",
        ),
        (
            {"examples": [{"input": f"Q{at}", "target_scores": {"x": 1, "y": 0}} for at in range(4)]},
            "multiple_choice",
            "",
        ),
    ],
)
def test_bbh(tmp_path: Path, document: dict[str, Any], metric: str, prompt: str) -> None:
    files(tmp_path, snarks_json=json.dumps(document))
    found = bring(tmp_path / "snarks.json", may_be_empty=True)
    assert (found.format, found.template.metric, found.template.prompt) == ("bbh", metric, prompt)
    assert len(found.all_rows or found.template.qa) == 4
    if "target_scores" in document["examples"][0]:
        assert found.all_rows[0].question == "Q0\nA. x\nB. y"
        assert found.all_rows[0].references == ("A",)


def test_an_answer_that_is_no_option_is_left_out(tmp_path: Path) -> None:
    examples = [{"input": f"Q{at}", "target": "(A)" if at else "dearth, wind, & fire"} for at in range(12)]
    files(tmp_path, ruin_names_json=json.dumps({"examples": examples}))
    found = bring(tmp_path / "ruin_names.json", may_be_empty=True)
    assert found.template.metric == "multiple_choice"
    assert len(found.template.qa) == 11
    assert any("ruin_names.json, row 1: The row is left out." in note for note in found.notes)


def test_a_folder_of_bbh(tmp_path: Path) -> None:
    files(
        tmp_path,
        bbh__a_json=json.dumps({"examples": EXAMPLES}),
        bbh__b_json=json.dumps({"examples": EXAMPLES}),
    )
    found = bring(tmp_path / "bbh", may_be_empty=True)
    assert [path.name for path in found.paths] == ["new-a.yaml", "new-b.yaml"]


MMLU = 'What, then?,one,two,three,four,B\n"Which, or who?",a,b,c,d,D\nWhy?,e,f,g,h,A\n'


def test_mmlu(tmp_path: Path) -> None:
    files(tmp_path, anatomy_test_csv=MMLU.replace("What, then", "What then"))
    found = bring(tmp_path / "anatomy_test.csv", may_be_empty=True)
    assert (found.format, found.template.metric) == ("mmlu", "multiple_choice")
    assert found.all_rows[0].question == "What then?\nA. one\nB. two\nC. three\nD. four"
    assert [row.references for row in found.all_rows] == [("B",), ("D",), ("A",)]


def test_a_folder_of_mmlu(tmp_path: Path) -> None:
    table = MMLU.replace("What, then", "{} then")
    for split in ("dev", "val", "test"):
        text = table.replace("{}", split).replace("Why", f"Why {split}").replace("Which", f"{split}")
        files(
            tmp_path,
            **{f"mmlu__{split}__virology_{split}_csv": text, f"mmlu__{split}__law_{split}_csv": text},
        )
    found = bring(tmp_path / "mmlu", may_be_empty=True)
    assert [path.name for path in found.paths] == ["new-law.yaml", "new-virology.yaml"]
    assert [len(rows) for rows in found.rows] == [9, 9]
    assert set(found.templates[0].data) == {"train", "eval", "test", "options"}


def test_a_torn_row_of_mmlu_is_named(tmp_path: Path) -> None:
    files(tmp_path, law_test_csv=MMLU.replace("What, then", "What then") * 10 + "Torn?,a,b\n")
    with pytest.raises(SourceError, match=r"law_test\.csv, line 31: The row has 3 cells"):
        bring(tmp_path / "law_test.csv")


GSM = [{"question": f"How many {at}?", "answer": f"Two and {at}.\n#### 1,{at:03}"} for at in range(4)]


def test_gsm8k(tmp_path: Path) -> None:
    files(tmp_path, gsm_jsonl=jsonl([*GSM, {"question": "x", "answer": "no number"}]))
    found = bring(tmp_path / "gsm.jsonl", "gsm8k", may_be_empty=True)
    assert found.template.metric == "number"
    assert [row.references for row in found.all_rows] == [(f"1{at:03}",) for at in range(4)]
    assert any("gsm.jsonl, line 5: The row is left out." in note for note in found.notes)


def test_a_folder_and_a_list_of_gsm8k(tmp_path: Path) -> None:
    files(tmp_path, gsm__train_jsonl=jsonl(GSM), gsm__test_jsonl=jsonl(GSM[:1]), list_json=json.dumps(GSM))
    found = bring(tmp_path / "gsm", may_be_empty=True)
    assert (found.format, found.template.data) == (
        "gsm8k",
        {"path": "new-train.jsonl", "test": "new-test.jsonl"},
    )
    assert bring(tmp_path / "list.json", may_be_empty=True).format == "gsm8k"


SPAN = {"span1_text": "Mark", "span2_text": "He", "span1_index": 0, "span2_index": 4}
SCHEMA = """<?xml version="1.0" encoding="utf-8"?><collection><schema><text><txt1>The cup fell on the
plate because</txt1><pron>it</pron><txt2>{} slipped.</txt2></text><answers><answer>The cup</answer>
<answer>the plate</answer></answers><correctAnswer> A. </correctAnswer></schema></collection>"""


def test_wsc_of_superglue(tmp_path: Path) -> None:
    rows = [{"text": f"Mark {at} said he", "target": SPAN, "label": at > 1} for at in range(4)]
    files(tmp_path, wsc_jsonl=jsonl([*rows, {"text": "test", "target": SPAN}]))
    found = bring(tmp_path / "wsc.jsonl", may_be_empty=True)
    assert (found.format, found.template.metric) == ("wsc", "yes_no")
    assert [one.answer for one in found.template.qa] == ["no", "no", "yes", "yes"]
    assert found.template.qa[0].question == "Mark 0 said he\nDoes “He” refer to “Mark”?"


def test_wsc_of_superglue_as_a_list(tmp_path: Path) -> None:
    rows = [{"text": f"Mark {at}", "target": SPAN, "label": at == 0, "idx": at} for at in range(30)]
    files(tmp_path, wsc_json=json.dumps(rows))
    assert len(bring(tmp_path / "wsc.json", may_be_empty=True).all_rows) == 30


def test_the_original_wsc(tmp_path: Path) -> None:
    schemas = "".join(SCHEMA[SCHEMA.index("<schema>") : SCHEMA.index("</coll")].format(at) for at in range(3))
    text = f"{SCHEMA[: SCHEMA.index('<schema>')]}{schemas}<schema/></collection>"
    files(tmp_path, wsc_xml=text)
    found = bring(tmp_path / "wsc.xml", may_be_empty=True)
    assert found.format == "wsc"
    assert found.all_rows[0].question.startswith(
        "The cup fell on the plate because it 0 slipped.\nWhat does “it”"
    )
    assert [row.references for row in found.all_rows] == [("A",)] * 3
    assert any("schema 4: The row is left out." in note for note in found.notes)


ENTRY = """<entry category="A" eid="{0}"><modifiedtripleset><mtriple>Oslo{0} | in | Norway</mtriple>
</modifiedtripleset><lex lid="1">Oslo{0} is in Norway.</lex><lex lid="2">In it.</lex></entry>"""


def test_webnlg_as_xml(tmp_path: Path) -> None:
    for name, start in (("train__1triples__a", 0), ("dev__1triples__a", 10), ("test__b", 20)):
        entries = "".join(ENTRY.format(at) for at in range(start, start + 3))
        files(tmp_path, **{f"webnlg__{name}_xml": f"<benchmark><entries>{entries}</entries></benchmark>"})
    found = bring(tmp_path / "webnlg", may_be_empty=True)
    assert found.format == "webnlg"
    assert found.template.metric == {"name": "rouge_l", "over": "mean"}
    assert found.template.data == {
        "train": "new-train.jsonl",
        "eval": "new-eval.jsonl",
        "test": "new-test.jsonl",
    }
    assert ("Oslo0 is in Norway.", "In it.") in [row.references for row in found.all_rows]


def test_webnlg_as_one_file_and_as_json(tmp_path: Path) -> None:
    entries = "".join(ENTRY.format(at) for at in range(3))
    triple = {"subject": "Oslo", "property": "in", "object": "Norway"}
    as_json = [
        {
            str(at): {
                "modifiedtripleset": [{**triple, "subject": f"O{at}"}],
                "lexicalisations": [{"lex": "So."}],
            }
        }
        for at in range(3)
    ]
    files(
        tmp_path,
        a_xml=f"<benchmark><entries>{entries}</entries></benchmark>",
        b_json=json.dumps({"entries": as_json}),
        c_xml="<!DOCTYPE a [<!ENTITY x 'y'>]><entries><mtriple></mtriple></entries>",
        d_xml="<entries>\n<mtriple></entries>",
    )
    assert len(bring(tmp_path / "a.xml", may_be_empty=True).all_rows) == 3
    (tmp_path / "brought" / "new.yaml").unlink()
    (tmp_path / "brought" / "new-rows.jsonl").unlink()
    assert bring(tmp_path / "b.json", may_be_empty=True).all_rows[0].question == "O0 | in | Norway"
    with pytest.raises(SourceError, match="declares entities"):
        bring(tmp_path / "c.xml")
    with pytest.raises(SourceError, match=r"d\.xml, line 2: This is not XML"):
        bring(tmp_path / "d.xml")
