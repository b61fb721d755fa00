"""A program as the executor, from the command line: asked about, counted, kept, and never run twice."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.domain.program_prompts import split_prompts
from spotui.domain.records import CallLine
from spotui.settings.resources import find_template
from spotui.workspace.journal_reader import read_lines
from tests.cli.conftest import Shell
from tests.cli.terminal import Terminal
from tests.command_line import begin, places, spotui, write_template
from tests.model_server import JsonObject, ModelServer, conversation
from tests.row_model import racing, rows, template

AGENT = """\
import json, os, re, sys, time
SLOW = float(os.environ.get("SLOW", "0"))
for line in sys.stdin:
    asked = json.loads(line)
    with open("ran", "a") as ran:
        ran.write(json.dumps([asked["prompt"], asked["question"]]) + "\\n")
    time.sleep(SLOW)
    one, other = map(int, re.findall(r"\\d+", asked["question"]))
    style = max(map(int, re.findall(r"style (\\d+)", asked["prompt"])), default=0)
    right = (one * 7 + other) % 10 < 3 + 2 * style
    said = {"id": asked["id"], "answer": f"It is {one + other + (not right)}.", "cost_usd": 0.001}
    print(json.dumps(said | {"tokens": 20, "trace": {"style": style}}))
"""
BROKEN = "import sys\nsys.stdin.readline()\nraise ValueError('there is no index')\n"
SPLIT = "{path: rows.jsonl, split: {train: 2, eval: 4, test: 4}}"
GPO = "method: gpo\nparameters: {max_steps: 1, candidates_per_step: 2}\n"
EXECUTOR = "models: {executor: {command: [python, agent.py]}}\n"


@pytest.fixture
def sums(home: Path) -> Iterator[ModelServer]:
    """A template whose executor is a program beside it, and a model that proposes."""
    (home / "rows.jsonl").write_text(rows(12))
    (home / "sums.yaml").write_text(template(data=SPLIT) + GPO + EXECUTOR)
    (home / "agent.py").write_text(AGENT)
    with ModelServer(racing) as server:
        yield server


def asking(server: ModelServer) -> tuple[str, ...]:
    return ("--model", "test-model", "--base-url", server.base_url)


def ran(home: Path) -> list[tuple[str, str]]:
    """The prompts and questions that the program was given, in their order."""
    path = home / "ran"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(prompt, question) for prompt, question in map(json.loads, lines)]


def calls(home: Path, name: str = "sums") -> list[tuple[str, str, str]]:
    """Prompt, question and trace of each answer of the program in a project's journal."""
    lines = read_lines(home / "data" / "workspace" / name / "journal.jsonl", CallLine)
    found = []
    for line in lines:
        if isinstance(line, CallLine) and (given := json.loads(bytes(line.request)).get("given")):
            asked = json.loads(given)
            trace = json.loads(bytes(line.reply)).get("trace", "")
            found.append((asked["prompt"], asked["question"], trace))
    return found


def test_nothing_starts_a_program_that_only_a_template_names(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    assert shell("check", "sums.yaml").code == exit_codes.OK
    text = (home / "sums.yaml").read_text()
    (home / "sums.yaml").write_text(text + "position: system\n")
    assert "`position` has no effect: the executor is a program" in shell("check", "sums.yaml").out
    (home / "sums.yaml").write_text(text)
    assert shell("estimate", "sums.yaml", *asking(sums)).code == exit_codes.OK
    for verb, *more in (("run",), ("score",), ("race", "--methods", "gpo,gradsum"), ("judge-check",)):
        said = shell(verb, "sums.yaml", *more, "--yes", *asking(sums))
        assert said.code == exit_codes.FAILED, verb
        assert "program 'python agent.py', which you have not trusted as it is now" in said.err
        assert f"--trust {home / 'agent.py'}" in said.err
    assert not ran(home)
    assert sums.requests == []


def test_a_run_with_a_program_costs_what_it_reports_and_is_asked_about_when_it_changes(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    said = shell("run", "sums.yaml", "--trust", "agent.py", "--json", *asking(sums))
    assert said.code in (exit_codes.OK, 3), said.err
    events = [json.loads(line) for line in said.out.splitlines()]
    opened = next(one for one in events if one["event"] == "run_opened")
    assert opened["models"] == {"optimizer": "test-model", "executor": "program/agent.py"}
    given = ran(home)
    assert len(given) == len({*given})
    assert {prompt for prompt, _ in given} > {"Add in style 0."}
    kept = calls(home)
    assert sorted((prompt, question) for prompt, question, _ in kept) == sorted(given)
    assert {trace for _, _, trace in kept} >= {'{"style":0}', '{"style":1}'}
    spent = [one for one in events if one["event"] == "spending_changed"][-1]
    assert spent["cost_usd"] == pytest.approx(0.001 * len(given))
    assert spent["unpriced"] == len([one for one in sums.requests if conversation(one.json)])

    assert shell("resume", "sums", "--max-rounds", "3").code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    assert len(ran(home)) == len({*ran(home)}) > len(given)
    (home / "agent.py").write_text(AGENT + "# changed\n")
    changed = shell("resume", "sums", "--max-rounds", "4", "--yes")
    assert changed.code == exit_codes.FAILED
    assert "not trusted as it is now" in changed.err
    (home / "config" / "trusted.json").unlink()
    for verb in (("show", "sums"), ("replay", "sums", "--speed", "0"), ("diff", "sums")):
        assert shell(*verb).code == exit_codes.OK


def test_a_program_that_is_typed_is_used_and_its_run_resumed_without_a_question(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    (home / "sums.yaml").write_text(template(data=SPLIT) + GPO)
    words = ("sums.yaml", "--exec-command", "python agent.py", *asking(sums))
    assert shell("score", *words).code == exit_codes.OK
    assert len(ran(home)) == 4
    assert shell("score", *words).code == exit_codes.OK
    assert len(ran(home)) == 4
    (home / "agent.py").write_text(AGENT.replace("3 + 2", "9 + 2"))
    assert shell("score", *words).code == exit_codes.OK
    assert len(ran(home)) == 8, "the answers of a program that was changed do not count"
    assert shell("run", *words, "--max-rounds", "2").code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    assert shell("resume", "sums", "--max-rounds", "3").code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    both = shell("score", *words, "--exec-url", "http://127.0.0.1:9/")
    assert both.code != exit_codes.OK
    assert "Leave one of them out" in both.err
    (home / "sums.yaml").write_text(template(data=SPLIT) + GPO + EXECUTOR)
    said = shell("score", "sums.yaml", *asking(sums), "--exec-model", "test-model")
    assert said.code == exit_codes.OK, (
        "a model that is typed for the executor is used in place of the program"
    )


def test_a_run_stops_with_the_cause_when_a_program_answers_nothing_and_goes_on_once_it_is_fixed(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    (home / "agent.py").write_text(BROKEN)
    said = shell("run", "sums.yaml", "--trust", "agent.py", "--concurrency", "1", *asking(sums))
    assert said.code == exit_codes.CALL_FAILED
    assert (
        "agent.py ended with exit code 1 before it answered: ValueError: there is no index."
        in said.err + said.out
    )
    (home / "agent.py").write_text(AGENT)
    again = shell("resume", "sums", "--trust", "agent.py")
    assert again.code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}
    assert len(ran(home)) == len({*ran(home)})


def test_a_question_that_a_program_fails_on_is_one_row_without_a_mark(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    first = rows(12).splitlines()[1]
    question = json.loads(first)["question"]
    (home / "agent.py").write_text(
        AGENT.replace("    time.sleep", f"    assert asked['question'] != {question!r}\n    time.sleep")
    )
    (home / "sums.yaml").write_text(
        template(data="{path: rows.jsonl, split: {train: 1, eval: 1, test: 10}}") + EXECUTOR
    )
    said = shell("score", "sums.yaml", "--json", "--concurrency", "1", "--trust", "agent.py", *asking(sums))
    assert said.code == exit_codes.OK, said.err
    marks = json.loads(said.out)["prompts"][0]["marks"]
    has_question = sum(one is None for one in marks)
    assert has_question == (1 if (("Add in style 0.", question)) in ran(home) else 0)


def test_a_budget_in_usd_is_kept_where_the_program_reports_its_cost_and_refused_where_not(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    score = (
        "score",
        "sums.yaml",
        "--split",
        "test",
        "--trust",
        "agent.py",
        "--budget-usd",
        "0.002",
        *asking(sums),
    )
    said = shell(*score)
    assert said.code == exit_codes.BUDGET, said.err
    assert len(ran(home)) == 2
    (home / "agent.py").write_text(AGENT.replace(', "cost_usd": 0.001', ""))
    said = shell(*score)
    assert said.code == exit_codes.CALL_FAILED
    assert "the price of program/agent.py is unknown" in said.err


@pytest.mark.parametrize("typed", ["y", "n"])
def test_a_person_is_asked_on_a_terminal(home: Path, sums: ModelServer, typed: str) -> None:
    words = ("score", "sums.yaml", "--yes", *asking(sums))
    with Terminal(*words, env=places(home, OPENAI_API_KEY="sk-the-key"), rows=40, columns=200) as terminal:
        terminal.read_until("Use it? [y/N] ")
        assert "python agent.py" in terminal.text
        assert "SHA-256" in terminal.text
        assert not ran(home)
        terminal.type(f"{typed}\n")
        terminal.read_until("on 4 test rows" if typed == "y" else "not trusted as it is now")
    assert bool(ran(home)) == (typed == "y")


def test_after_a_kill_no_row_that_was_answered_runs_again(home: Path, sums: ModelServer) -> None:
    (home / "rows.jsonl").write_text(rows(70))
    data = "{path: rows.jsonl, split: {train: 4, eval: 40, test: 10}}"
    (home / "sums.yaml").write_text(template(data=data) + GPO + EXECUTOR)
    env = places(home, OPENAI_API_KEY="sk-the-key", SLOW="0.05")
    words = ("run", "sums.yaml", "--trust", "agent.py", "--concurrency", "4", *asking(sums))
    child = begin(*words, env=env)
    deadline = time.monotonic() + 60
    while len(ran(home)) < 25:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.kill()
    child.communicate()
    answered = {(prompt, question) for prompt, question, _ in calls(home)}
    before = ran(home)
    assert len(answered) >= 15
    assert len(before) - len(answered) <= 2 * 4, "only what was in flight is lost"
    resumed = spotui("resume", "sums", env=env)
    assert resumed.code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}, resumed.err
    after = ran(home)[len(before) :]
    assert not answered & {*after}
    assert len(after) == len({*after})


def test_spo_compares_the_answers_of_a_program(shell: Shell, home: Path, model: ModelServer) -> None:
    (home / "agent.py").write_text(
        "import json, sys\nfor line in sys.stdin:\n    asked = json.loads(line)\n"
        "    print(json.dumps({'id': asked['id'], 'answer': asked['prompt'] + '!', 'cost_usd': 0}))\n"
    )
    path = write_template(home)
    said = shell(
        "run", path, "--model", "test-model", "--exec-command", "python agent.py", "--max-rounds", "2"
    )
    assert said.code in {exit_codes.OK, exit_codes.NO_IMPROVEMENT}, said.err
    assert {question for _, question, _ in calls(home, "why")} == {
        "Why is the sky blue?",
        "Why do leaves fall?",
        "Why does ice float?",
    }
    assert shell("test", "why", "Why do cats purr?").out.startswith("Answer")
    (home / "agent.py").write_text((home / "agent.py").read_text() + "# changed\n")
    assert "not trusted as it is now" in shell("test", "why", "Why do cats purr?").err
    assert shell("test", "why", "Why do cats purr?", "--trust", "agent.py").code == exit_codes.OK


def writing(request: JsonObject) -> str:
    """An optimizer that finds out what the handbook's forms take."""
    assert "handbook" not in str(request["model"])
    return (
        "<analyse>Sentences.</analyse><modification>Digits.</modification>"
        "<prompt>Reply with the number that the passages give.</prompt>"
    )


def test_the_handbook_example_is_tuned_end_to_end(shell: Shell, home: Path) -> None:
    agent = find_template("handbook").parent / "handbook" / "agent.py"
    with ModelServer(writing) as server:
        said = shell("run", "handbook", "--trust", str(agent), *asking(server))
    assert said.code == exit_codes.OK, said.err
    best = shell("best", "handbook").out.strip()
    assert best == "Reply with the number that the passages give."
    assert '{"passages":["Parking"' in "".join(trace for _, _, trace in calls(home, "handbook"))
    with ModelServer(lambda _: "It is 85.") as server:
        env = {"OPENAI_BASE_URL": server.base_url, "HANDBOOK_MODEL": "small"}
        question = [sys.executable, str(agent), "How many spaces does the garage have?"]
        done = subprocess.run(question, env=env, capture_output=True, text=True, check=True)
        (asked,) = server.requests
    assert done.stdout == "It is 85.\n"
    assert "Answer the question from the passages." in conversation(asked.json)
    assert "85 spaces" in conversation(asked.json)


TWO = """\
prompts:
  planner: |
    Plan in style 0.
  writer: Write in style 0.
requirements: The right sum.
data: {data}
metric: number
{more}models: {{executor: {{command: [python, agent.py]}}}}
"""
PROGRAM = """\
import json, re, sys
for line in sys.stdin:
    asked = json.loads(line)
    with open("ran", "a") as ran:
        ran.write(json.dumps(asked["prompts"]) + "\\n")
    one, other = map(int, re.findall(r"\\d+", asked["question"]))
    style = sum(int(re.findall(r"style (\\d+)", text)[0]) for text in asked["prompts"].values())
    right = (one * 7 + other) % 10 < 3 + 2 * style
    print(json.dumps({"id": asked["id"], "answer": f"It is {one + other + (not right)}.", "cost_usd": 0}))
"""


def one_further(request: JsonObject) -> str:
    """One style further than the one prompt that is shown, in its own words."""
    text = conversation(request)
    if "<gradients>" in text or "<failure>" in text:
        return "Go one style further."
    if "<answers_of_A>" in text:
        return "<analyse>B.</analyse><choose>B</choose>"
    tag = "best_prompt" if "<best_prompt>" in text else "current_prompt"
    shown = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
    (style,) = re.findall(r"style (\d+)", shown)
    verb = "Plan" if "Plan" in shown else "Write"
    others = text.split("<other_prompts>")[1].split("</other_prompts>")[0]
    assert ("=== writer ===" in others) == (verb == "Plan")
    return (
        "<analyse>Low.</analyse><modification>Further.</modification>"
        f"<prompt>{verb} in style {int(style) + 1}.</prompt>"
    )


@pytest.mark.parametrize(
    ("method", "count"),
    [
        ("", 4),
        ("method: gpo\nparameters: {max_steps: 2, candidates_per_step: 1}\n", 3),
        ("method: gradsum\nparameters: {iterations: 2, candidates_per_parent: 1, beam: 1}\n", 3),
        ("method: gepa\nparameters: {iterations: 2, width: 1, minibatch_rows: 4, gate_tolerance: 2}\n", 3),
    ],
    ids=["spo", "gpo", "gradsum", "gepa"],
)
def test_the_prompts_of_a_program_are_changed_one_after_another(
    shell: Shell, home: Path, method: str, count: int
) -> None:
    (home / "rows.jsonl").write_text(rows(24))
    (home / "agent.py").write_text(PROGRAM)
    split = "{path: rows.jsonl, split: {train: 8, eval: 8, test: 8}}"
    (home / "two.yaml").write_text(TWO.format(data=split, more=method))
    assert shell("check", "two.yaml").code == exit_codes.OK
    with ModelServer(one_further) as server:
        words = ("two.yaml", *asking(server), "--max-rounds", str(count), "--trust", "agent.py")
        said = shell("run", *words, "--no-final-check")
    assert said.code in (exit_codes.OK, 3), said.err
    given = [json.loads(line) for line in (home / "ran").read_text().splitlines()]
    assert given[0] == {"planner": "Plan in style 0.\n", "writer": "Write in style 0."}
    tried = {(one["planner"].strip(), one["writer"].strip()) for one in given}
    assert ("Plan in style 1.", "Write in style 0.") in tried
    second = ("Plan in style 1.", "Write in style 1.")
    assert (second in tried) or (("Plan in style 0.", "Write in style 1.") in tried)
    table = shell("show", "two").out
    assert "planner: Further." in table
    assert "writer: Further." in table
    best = shell("best", "two").out
    assert best.startswith("=== planner ===\nPlan in style ")
    assert "\n\n=== writer ===\nWrite in style " in best
    _check_exports(shell, json.loads(shell("export", "two", "--to", "json").out)["prompt"])


def _check_exports(shell: Shell, best: str) -> None:
    """The prompts by name where a format has room for several, and a sentence elsewhere."""
    parts = split_prompts(best)
    made = shell("export", "two", "--to", "dspy")
    program = json.loads(made.out)
    assert {name: one["signature"]["instructions"] for name, one in program.items() if name in parts} == parts
    assert program["metadata"]["dependency_versions"] == {}
    assert "rename the key, e.g. `planner.predict`." in made.err
    module: dict[str, object] = {}
    exec(shell("export", "two", "--to", "python").out, module)  # noqa: S102 - ours
    assert module["PROMPTS"] == parts
    assert "promptfoo cannot start the program of two" in shell("export", "two", "--to", "promptfoo").err
    for form in ("messages", "mlflow"):
        assert (
            f"{form} holds one prompt, and two has 2: planner, writer."
            in shell("export", "two", "--to", form).err
        )


def test_several_prompts_need_a_program_and_texts(shell: Shell, home: Path) -> None:
    (home / "rows.jsonl").write_text(rows(24))
    text = TWO.format(data="rows.jsonl", more="").partition("models:")[0]
    (home / "two.yaml").write_text(text)
    ended = shell("run", "two.yaml", "--model", "test-model")
    assert "`prompts` are those of a program, and the executor is the model test-model." in ended.err
    for before, after, fault in (
        (
            "  writer: Write",
            "  two words: Write",
            "The prompt `two words` has no text, or its name is no word.",
        ),
        ("requirements:", "prompt: one\nrequirements:", "The file has `prompt` and `prompts`."),
        ("  writer: Write in style 0.", "  writer: [a]", "The prompt `writer` has no text"),
    ):
        (home / "two.yaml").write_text(text.replace(before, after))
        assert fault in shell("check", "two.yaml").out
