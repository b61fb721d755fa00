"""`check` on data files as people have them: what can be read is read, and a fault is one right sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from spotui.cli import exit_codes
from tests.cli.conftest import Shell

INPUTS = [{"input": f"q{n}?", "target": str(n)} for n in range(6)]
PAIRS = [{"question": f"Count {n}?", "answer": str(n)} for n in range(6)]
LABELLED = [{"question": f"Claim {n}?", "answer": n % 2} for n in range(4)]
SQUAD = [{"question": f"Colour {n}?", "answers": {"text": ["red"], "answer_start": [9]}} for n in range(5)]
SEVERAL = [{"question": f"name[{n % 3}]", "answer": f"{n} is here."} for n in range(9)]
TASK = {"name": "adding", "keywords": ["x"], "metrics": ["y"], "examples": INPUTS}
SPLITS = {"train": PAIRS[:3], "validation": PAIRS[3:5], "test": PAIRS[5:]}
CHAT = [
    {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": str(n)}]}
    for n in range(4)
]
NAMELESS = '"How many legs has an ant, when nothing happened to it?",4,6,8,B\nWhich swims?,cat,cod,crow,B\n'


def lines(records: list[Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def check(shell: Shell, folder: Path, content: str, data: str, metric: str) -> tuple[int, str]:
    """The exit code and the words of `check` on a template that says this under `data`."""
    name = data.removeprefix("{path: ").partition(",")[0].rstrip("}")
    (folder / name).write_text(content, newline="")
    text = f"prompt: Solve.\nrequirements: Right.\ndata: {data}\nmetric: {metric}\nmethod: gpo\n"
    (folder / "t.yaml").write_text(text)
    said = shell("check", "t.yaml")
    return said.code, said.out


@pytest.mark.parametrize(
    ("content", "data", "metric", "rows"),
    [
        (json.dumps(TASK), "{path: r.json, columns: {question: input, answer: target}}", "number", 6),
        (json.dumps(SPLITS), "r.json", "exact", 6),
        (json.dumps(PAIRS, indent=1), "r.jsonl", "exact", 6),
        (json.dumps([{**row, "score": float("nan")} for row in PAIRS]), "r.json", "exact", 6),
        (lines(CHAT), "r.jsonl", "exact", 4),
        (lines(SEVERAL), "r.jsonl", "rouge_l", 3),
        (lines(SQUAD), "{path: r.jsonl, columns: {answer: answers.text}}", "contains", 5),
        (lines(LABELLED), "{path: r.jsonl, labels: {0: No, 1: Yes}}", "yes_no", 4),
        (
            NAMELESS + "Flies?,a,b,c,C\n",
            "{path: r.csv, columns: {question: 1, answer: 5}}",
            "multiple_choice",
            3,
        ),
        ("question;answer\ra;1\rb;2\rc;3\r", "r.csv", "exact", 3),
        (f'question,answer\na,1\nb,2\n"{"wide " * 40_000}",3\n', "r.csv", "exact", 3),
    ],
)
def test_it_is_read(shell: Shell, home: Path, content: str, data: str, metric: str, rows: int) -> None:
    code, said = check(shell, home, content, data, metric)
    assert f"t.yaml: {rows} rows (" in said
    assert code == exit_codes.OK


@pytest.mark.parametrize(
    ("content", "data", "metric", "what", "hint"),
    [
        (
            lines(INPUTS),
            "{path: r.jsonl, columns: {question: input}}",
            "number",
            "r.jsonl:1: error: Unknown column `answer`; the columns are `input`, `target`.",
            "Name it, for example `columns: {answer: target}`.",
        ),
        (
            lines(INPUTS),
            "{path: r.jsonl, columns: {question: input, anwser: target}}",
            "number",
            "t.yaml:3: error: data.columns.anwser: `anwser` is not a slot of the prompt.",
            "Did you mean `answer`?",
        ),
        (
            lines(SQUAD),
            "{path: r.jsonl, columns: {answer: answers}}",
            "contains",
            "r.jsonl:1: error: `answers` is an object, and an answer is compared as a text.",
            "Take a part of it, e.g. `columns: {answer: answers.text}`.",
        ),
        (
            NAMELESS,
            "r.csv",
            "multiple_choice",
            "r.csv:1: error: The first line should name the columns, but it looks like a row: `How many legs",
            "If it is one, number the columns, e.g. `columns: {question: 1, answer: 5}`.",
        ),
        (
            lines([*PAIRS, {"question": "bad \ud83d here", "answer": "1"}]),
            "r.jsonl",
            "exact",
            "r.jsonl:7: error: There is half of a character (\\ud83d) in the text.",
            "Write the whole character, or delete the escape.",
        ),
        (
            lines(PAIRS),
            "{path: r.jsonl, test: ./r.jsonl}",
            "exact",
            "r.jsonl: error: The same file is given for test, path, so the same rows would be",
            "Write only `path: r.jsonl` to split its rows.",
        ),
        ("", "r.jsonl", "exact", "r.jsonl: error: The file is empty.", "Write, for example,"),
    ],
)
def test_it_is_one_fault(
    shell: Shell, home: Path, content: str, data: str, metric: str, what: str, hint: str
) -> None:
    code, said = check(shell, home, content, data, metric)
    first, second, *_ = said.splitlines()
    assert first.startswith(what)
    assert second.strip().startswith(hint)
    assert said.endswith("\n1 error.\n")
    assert said.count("error: ") == 1 or "same file" in what
    assert code == exit_codes.FAILED


def test_a_value_without_its_meaning_is_named_with_the_fix(shell: Shell, home: Path) -> None:
    code, said = check(shell, home, lines(LABELLED), "r.jsonl", "yes_no")
    assert code == exit_codes.FAILED
    assert "If `1` stands for a text, say for which one, e.g. `labels: {0: No, 1: Yes}`." in said


def test_what_was_guessed_or_merged_is_said(shell: Shell, home: Path) -> None:
    _, said = check(shell, home, lines(SEVERAL), "r.jsonl", "rouge_l")
    assert "warning: 6 rows ask the same as another with a different answer; both answers count" in said
    _, said = check(shell, home, lines(SEVERAL), "r.jsonl", "json")
    assert "error" in said
    (home / "r.csv").write_bytes("question;answer\nOù ça?;là\nÀ côté?;oui\nDéjà?;non\n".encode("cp1252"))
    (home / "t.yaml").write_text("prompt: Solve.\nrequirements: Right.\ndata: r.csv\n")
    assert "r.csv: The file is not UTF-8; it was read as cp1252." in shell("check", "t.yaml").out
