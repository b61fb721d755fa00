"""spotui check: every mistake at once, each with its place and its hint; `run` refuses the same ones."""

import json
from pathlib import Path

import pytest

from spotui.settings.resources import examples
from tests.cli.conftest import Shell
from tests.command_line import TEMPLATE, write_template
from tests.model_server import ModelServer, conversation

WRONG = {
    "empty": "",
    "a text": "just a prompt",
    "a list": "- prompt: x\n- requirements: y\n",
    "no YAML": "prompt: [unclosed\nqa: {\n",
    "two of one key": "prompt: a\nprompt: b\nrequirements: c\nqa: []\n",
    "no prompt": TEMPLATE.replace("prompt: Answer the question.\n", ""),
    "no questions": "prompt: a\nrequirements: b\nqa: []\n",
    "questions as text": "prompt: a\nrequirements: b\nqa: why?\n",
    "a question without text": "prompt: a\nrequirements: b\nqa:\n  - answer: yes\n",
    "a list as prompt": "prompt: [a, b]\nrequirements: c\nqa:\n  - question: d\n",
    "a count that is no number": TEMPLATE.replace("count: None", "count: many"),
    "a negative count": TEMPLATE.replace("count: None", "count: -5"),
    "a misspelt key": TEMPLATE.replace("requirements:", "requirments:"),
    "an unknown role": TEMPLATE + "models:\n  oracle: gpt-4o\n",
    "a tab": "prompt: a\n\trequirements: b\n",
    "a tag": "prompt: !!python/object:os.system x\nrequirements: b\nqa: []\n",
    "an endless alias": "a: &a [*a]\nprompt: x\n",
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_template_of_a_wrong_shape_is_refused_with_its_place(shell: Shell, home: Path, kind: str) -> None:
    path = write_template(home, WRONG[kind])
    checked, run = shell("check", path), shell("run", path, "--model", "m")
    assert (checked.code, run.code) == (1, 1)
    assert "why.yaml" in checked.out + checked.err
    assert "why.yaml" in run.err
    assert "Traceback" not in checked.err + run.err
    assert not (home / "data" / "workspace").exists()


@pytest.mark.parametrize(
    "content", [b"prompt: \xff\xfe\nqa: []\n", b"\x00\x01\x02", "prompt: a\n".encode("utf-16")]
)
def test_a_file_that_is_no_text_is_refused(shell: Shell, home: Path, content: bytes) -> None:
    path = home / "why.yaml"
    path.write_bytes(content)
    for words in (["check", str(path)], ["run", str(path), "--model", "m"]):
        said = shell(*words)
        assert said.code == 1
        assert "why.yaml" in said.out + said.err


def test_every_mistake_is_told_at_once_with_key_line_and_mend(shell: Shell, home: Path) -> None:
    path = write_template(home, "prompt:\nrequirements: [a]\ncount: many\nqa:\n  - question: why?\n")
    said = shell("check", path)
    assert said.code == 1
    for place in (f"{path}:2: error: requirements", f"{path}:3: error: count"):
        assert place in said.out
    assert said.out.splitlines()[1].startswith("    ")


@pytest.mark.parametrize("path", ["", ".", "nowhere.yaml", "/nowhere/at/all.yaml"])
def test_a_file_that_is_not_there(shell: Shell, path: str) -> None:
    said = shell("check", path)
    assert said.code == 1
    assert said.err.startswith("spotui: ")


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_the_examples_have_no_mistake(shell: Shell, path: Path) -> None:
    said = shell("check", path.stem)
    assert said.code == 0
    assert "no error" in said.out


def test_the_meta_prompts_beside_a_template_are_checked_and_used(
    shell: Shell, template: str, home: Path, model: ModelServer
) -> None:
    own = Path(template).with_suffix(".prompts") / "spo_propose.txt"
    own.parent.mkdir()
    own.write_text("Better: {prompt}")
    said = shell("check", template)
    assert said.code == 1
    assert "lacks the slot {answers}" in said.err
    own.write_text(
        "Dieser Text ist eigen.\n<best_prompt>{prompt}</best_prompt>"
        "{answers}{references}{requirements}{limit}"
    )
    assert shell("check", template).code == 0
    assert shell("run", template, "--model", "test-model", "--max-rounds", "2").code == 0
    assert any(conversation(one.json).startswith("Dieser Text ist eigen.") for one in model.requests)


def test_the_user_s_own_meta_prompts_are_checked_too(shell: Shell, template: str, home: Path) -> None:
    own = home / "config" / "prompts" / "judge_duel.txt"
    own.parent.mkdir(parents=True)
    own.write_text("Which is better? {answers_c}")
    said = shell("check", template)
    assert said.code == 1
    assert str(own) in said.err


SCORED = "prompt: Think.\nrequirements: None\ndata: rows.jsonl\nmetric: number\n"


def test_the_rows_of_a_template_are_read_and_counted(shell: Shell, home: Path) -> None:
    rows = "".join(f'{{"question": "What is {n}?", "answer": "{n}"}}\n' for n in [*range(10), 3])
    (home / "rows.jsonl").write_text(rows)
    said = shell("check", write_template(home, SCORED))
    assert said.code == 0
    assert "warning: rows.jsonl, line 11 asks the same as line 4, and is left out." in said.out
    assert "10 rows (2 to write prompts from, 2 to choose by, 6 to test on), no error." in said.out


def test_a_method_that_lacks_an_embedding_model_is_warned_of(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f'{{"question": "What is {n}?", "answer": "{n}"}}\n' for n in range(10))
    (home / "rows.jsonl").write_text(rows)
    path = write_template(home, SCORED + "method: gpo\nparameters:\n  relevance: embedding\n")
    said = shell("check", path)
    assert said.code == 0
    assert (
        f"{path}:6: warning: parameters: The method asks an embedding model, and none is chosen." in said.out
    )
    assert "--embedding-model" in said.out
    told = json.loads(shell("check", path, "--json").out)
    assert [one["severity"] for one in told["problems"]] == ["warning"]
    monkeypatch.setenv("SPOTUI_EMBEDDING_MODEL", "e")
    assert "warning" not in shell("check", path).out


def test_a_metric_that_cannot_be_made_is_an_error_with_its_line(shell: Shell, home: Path) -> None:
    (home / "rows.jsonl").write_text('{"question": "a", "answer": "1"}\n' * 3)
    (home / "mine.py").write_text("raise SystemExit\ndef one(answer): ...\n")
    for metric, what in (
        ("cProfile:run", "needs the file"),
        ("mine:one", "mine.py, line 2: `one` of the metric mine:one cannot be called with (answer, row)."),
        ("mine:two", "has no function `two`"),
        ("{name: regex, pattern: '('}", "The pattern “(” of the metric is broken"),
    ):
        path = write_template(home, SCORED.replace("metric: number", f"metric: {metric}"))
        said = shell("check", path)
        assert said.code == 1
        line = SCORED.splitlines().index("metric: number") + 1
        assert f":{line}: error: metric: " in said.out
        assert what in said.out
        assert said.err == ""


def test_a_row_that_cannot_be_scored_is_an_error_with_file_and_line(shell: Shell, home: Path) -> None:
    (home / "rows.jsonl").write_text('{"question": "a", "answer": "1"}\n{"question": "b", "answer": "x"}\n')
    said = shell("check", write_template(home, SCORED))
    assert said.code == 1
    assert "rows.jsonl:2: error: The answer “x” is not a single number.\n" in said.out


def test_a_data_file_that_is_not_there_is_an_error(shell: Shell, home: Path) -> None:
    said = shell("check", write_template(home, SCORED))
    assert said.code == 1
    assert "rows.jsonl: error: There is no such file." in said.out


def test_a_wrong_role_and_a_wrong_method_are_told_with_their_lines(shell: Shell, home: Path) -> None:
    text = "method: spoo\nmodels:\n  executor:\n    model: m\n    temperature: hot\n" + TEMPLATE
    path = write_template(home, text)
    said = shell("check", path)
    assert said.code == 1
    assert f"{path}:1: error: method: Unknown method 'spoo'." in said.out
    assert f"{path}:5: error: models: models.executor.temperature must be" in said.out
    assert "2 errors." in said.out


def test_as_json_the_mistakes_come_with_the_tokens_of_every_text(shell: Shell, home: Path) -> None:
    text = TEMPLATE.replace("count: None", "count: many").replace("answer: None", "answer: A b c.", 1)
    said = shell("check", write_template(home, text), "--json")
    assert said.code == 1
    told = json.loads(said.out)
    assert [(one["key"], one["line"], one["severity"]) for one in told["problems"]] == [("count", 3, "error")]
    assert told["tokens"]["prompt"] == 4
    assert told["tokens"]["qa"][0] == {"question": 6, "answer": 4}
    assert told["tokens"]["qa"][1]["answer"] == 0


def test_as_json_broken_yaml_has_no_tokens(shell: Shell, home: Path) -> None:
    told = json.loads(shell("check", write_template(home, "prompt: [a"), "--json").out)
    assert told["problems"]
    assert told["tokens"] is None


def test_tokens_are_those_of_the_model_that_is_to_answer(shell: Shell, home: Path) -> None:
    for model, encoding in (("gpt-4o", "o200k_base"), ("gpt-4", "cl100k_base")):
        path = write_template(home, TEMPLATE + f"models:\n  executor: {model}\n")
        assert json.loads(shell("check", path, "--json").out)["tokens"]["encoding"] == encoding
