"""spotui run: what it takes, what it leaves, and how its exit code tells how it went."""

import json
import re
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from tests.cli.conftest import Shell
from tests.command_line import HELD_OUT, TEMPLATE, write_template
from tests.model_server import JsonObject, ModelServer, Persona
from tests.spo_model import climbing, execute, propose, role_of
from tests.workspace.reference import write_round


def loses(request: JsonObject) -> str:
    """The vote of a judge to whom the seed is the best there is."""
    text = str(request["messages"])
    before = text.partition("<answers_of_B>")[0]
    return f"<analyse>The seed.</analyse><choose>{'A' if 'In style 0' in before else 'B'}</choose>"


hopeless = Persona(role_of, propose=propose, execute=execute, judge=loses)


def results(home: Path, name: str = "why") -> list[JsonObject]:
    found: list[JsonObject] = json.loads(
        (home / "data" / "workspace" / name / "prompts" / "results.json").read_text()
    )
    return found


def test_a_run_tells_what_happens_line_by_line_and_what_it_is_worth(
    shell: Shell, template: str, home: Path
) -> None:
    said = shell("run", template, "--model", "test-model", "--max-rounds", "2")
    assert said.code == exit_codes.OK
    lines = said.out.splitlines()
    assert lines[0] == "why: spo, 2 rounds, 3 questions, judge balanced, test-model"
    assert "round 1: the seed prompt" in lines
    assert "round 2: candidate: Ask for style 1." in lines
    assert any(line.startswith("round 2: model votes AB win") for line in lines)
    end = lines.index("Better prompt:")
    assert lines[end + 2 : end + 4] == ["  Answer in style 1, with reasons.", ""]
    spent, outcome, result, next_step = lines[end + 4 :]
    assert re.fullmatch(r"Spent:   1[67] calls, .* tokens in, .* out, \$ unknown, .* s", spent)
    assert outcome.startswith(
        "Outcome: All 2 rounds are done. Best: round 2. "
        "Improvement: better than the seed on 3 of 3 questions, worse on 0, no difference on 0: "
        "win rate 100% (95% CI 44% to 100%)."
    )
    prompt = home / "data" / "workspace" / "why" / "prompts" / "round_2" / "prompt.txt"
    assert result == f"Result:  {prompt}"
    assert next_step == "Next:    what changed: spotui diff why"
    assert said.err.startswith("Expected: about 16 calls, ")
    assert [one["succeed"] for one in results(home)] == [True, True]


def test_no_improvement_has_a_code_of_its_own(shell: Shell, template: str) -> None:
    with ModelServer(hopeless) as server:
        said = shell("run", template, "--model", "m", "--base-url", server.base_url, "--max-rounds", "2")
    assert said.code == exit_codes.NO_IMPROVEMENT
    outcome, result, next_step = said.out.splitlines()[-3:]
    assert "No improvement: the seed prompt is still the best. Of 1 candidate: 1 lost." in outcome
    assert result.endswith("workspace/why")
    assert next_step == "Next:    spotui resume why --max-rounds 4, or use a stronger model"
    assert "Better prompt" not in said.out
    assert shell("best", "why").out == "Answer the question.\n"


def test_a_spent_budget_has_a_code_of_its_own_and_says_how_to_go_on(shell: Shell, template: str) -> None:
    said = shell("run", template, "--model", "test-model", "--budget-calls", "4")
    assert said.code == exit_codes.BUDGET
    assert "The budget of 4 calls" in said.out
    assert "spotui resume why with a larger --budget-calls, or 'none'" in said.out
    assert "The budget of 4 calls may not cover" in said.err
    went_on = shell("resume", "why", "--budget-calls", "none", "--max-rounds", "2")
    assert went_on.code == exit_codes.OK


def test_a_failed_call_has_a_code_of_its_own_and_its_cause_on_standard_error(
    shell: Shell, template: str, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    asked = len(model.requests)
    said = shell("run", template, "--model", "test-model")
    assert said.code == exit_codes.CALL_FAILED
    assert "does not accept the key (HTTP 401)" in said.err
    assert "Check the key" in said.err
    assert said.out.splitlines()[-1] == "Next:    continue: spotui resume why"
    assert len(model.requests) == asked


def test_a_taken_name_is_refused_with_the_three_ways_out_before_anything_is_asked(
    shell: Shell, workspace: Path, template: str, model: ModelServer
) -> None:
    asked = len(model.requests)
    said = shell("run", template)  # the embedded model, which is not here: nothing is fetched either
    assert said.code == exit_codes.FAILED
    for way in ("spotui resume why", "--name", "--fresh"):
        assert way in said.err
    assert "local/" not in said.err
    assert len(model.requests) == asked


def test_fresh_starts_over_and_keeps_the_old_one_in_the_archive(
    shell: Shell, workspace: Path, template: str
) -> None:
    old = (workspace / "why" / "journal.jsonl").read_bytes()
    assert shell("run", template, "--model", "test-model", "--fresh", "--max-rounds", "1").code == 3
    (archived,) = (workspace / ".archive").iterdir()
    assert (archived / "journal.jsonl").read_bytes() == old
    assert len(json.loads(shell("show", "why", "--json").out)["rounds"]) == 1


def test_the_reference_s_flags_have_their_names_and_meaning(
    shell: Shell, home: Path, model: ModelServer
) -> None:
    write_template(home, name="Poem.yaml")
    first = len(model.requests)
    said = shell(
        *("run", "--template", "Poem.yaml", "--name", "Verse", "--workspace", "here", "--initial-round", "1"),
        *("--max-rounds", "2", "--opt-model", "o", "--opt-temp", "0.9", "--eval-model", "e"),
        *("--eval-temp", "0.2", "--exec-model", "x", "--exec-temp", "0.1"),
    )
    assert said.code == 0
    assert (home / "here" / "Verse" / "prompts" / "round_2" / "prompt.txt").exists()
    asked = {(one.json["model"], one.json["temperature"]) for one in model.requests[first:]}
    assert asked == {("o", 0.9), ("e", 0.2), ("x", 0.1)}


def test_the_reference_s_way_to_go_on(shell: Shell, workspace: Path, template: str) -> None:
    go_on = ("run", "--template", template, "--max-rounds", "2", "--opt-model", "o")
    wrong = shell(*go_on, "--initial-round", "3")
    assert wrong.code == exit_codes.USAGE
    assert "The next round of why is 4, not 3." in wrong.err
    said = shell(*go_on, "--initial-round", "4")
    assert said.code == 0
    assert "--opt-model changes nothing" in said.err
    assert "All 5 rounds are done." in said.out


def test_a_workspace_of_the_reference_is_not_overwritten(shell: Shell, home: Path, template: str) -> None:
    prompts = home / "data" / "workspace" / "why" / "prompts"
    prompts.mkdir(parents=True)
    written = json.dumps(
        [
            {
                "round": 1,
                "answers": [],
                "prompt": "p",
                "succeed": True,
                "tokens": 1,
                "time": "2025-01-01 00:00:00.000001",
            }
        ]
    )
    (prompts / "results.json").write_text(written)
    for words, code, what in (
        (["run", template, "--model", "m"], exit_codes.FAILED, "There is a project 'why' already."),
        (["resume", "why"], exit_codes.FAILED, "why was written by SPO's own tool"),
        (["run", template, "--initial-round", "3"], exit_codes.USAGE, "The next round of why is 2, not 3."),
    ):
        said = shell(*words)
        assert said.code == code
        assert said.err.startswith(f"spotui: {what}")
    assert "spotui branch why --template FILE" in shell("resume", "why").err
    branched = shell("branch", "why", "--template", template, "--as", "ours", "--model", "test-model")
    assert branched.code == 0
    assert shell("resume", "ours", "--max-rounds", "1").code == exit_codes.NO_IMPROVEMENT
    assert shell("best", "ours").out == "p\n"
    assert (prompts / "results.json").read_text() == written


@pytest.mark.parametrize(
    "words",
    [
        ("resume", "why", "--template", "why.yaml", "--max-rounds", "3"),
        ("run", "why.yaml", "--initial-round", "3", "--max-rounds", "1", "--model", "test-model"),
    ],
)
def test_a_workspace_of_spo_s_tool_is_continued(
    shell: Shell, home: Path, template: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTUI_MODEL", "test-model")
    folder = home / "data" / "workspace" / "why"
    write_round(folder, 1, prompt="Answer the question.", succeed=True)
    write_round(folder, 2, prompt="Answer in style 7.", succeed=True)
    shown = shell("show", "why").out
    assert "   2*  win                 21  $ unknown  2025-02-03 04:05  run by SPO's own tool" in shown
    said = shell(*words)
    assert said.code == exit_codes.OK
    assert "why continues after the 2 rounds of SPO's own tool; the original is in the archive." in said.err
    assert [one["round"] for one in results(home)] == [1, 2, 3]
    assert results(home)[2]["prompt"] == "Answer in style 8, with reasons."
    whole = shell("show", "why", "2").out
    assert "Run by SPO's own tool, 2025-02-03 04:05:06.\nIts answers have 21 tokens." in whole
    assert shell("resume", "why", "--template", "why.yaml").code == exit_codes.USAGE


def test_more_questions_than_a_round_asks_are_held_out_and_tested_at_the_end(
    shell: Shell, home: Path
) -> None:
    path = write_template(home, TEMPLATE + HELD_OUT)
    said = shell("run", path, "--model", "test-model", "--max-rounds", "2")
    assert "3 questions, 1 held out" in said.out.splitlines()[0]
    assert "On 1 held-out question: win against the seed." in shell("show", "why").out
    assert "Improvement: better than the seed on 4 of 4 questions" in said.out


def test_an_embedded_model_is_never_fetched_unasked(shell: Shell, template: str, home: Path) -> None:
    said = shell("run", template)
    assert said.code == exit_codes.FAILED
    assert "spotui models pull local/" in said.err
    assert "there is nobody to ask" in said.err
    assert not (home / "data" / "workspace").exists()


def test_a_model_that_leads_nowhere_is_told_before_a_project_is_made(
    shell: Shell, template: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.delenv("OPENAI_BASE_URL")
    said = shell("run", template, "--model", "gpt-4o-mini")
    assert said.code == exit_codes.FAILED
    assert "OPENAI_API_KEY" in said.err
    assert not (home / "data" / "workspace").exists()


def test_resume_of_a_finished_run_asks_nobody_and_is_short(
    shell: Shell, workspace: Path, model: ModelServer
) -> None:
    asked = len(model.requests)
    said = shell("resume", "why")
    assert said.code == 0
    assert len(model.requests) == asked
    assert "calls recorded" in said.out.splitlines()[0]
    assert sum(line.startswith("round ") for line in said.out.splitlines()) == 3


def test_resume_with_more_rounds_buys_only_those(shell: Shell, workspace: Path, model: ModelServer) -> None:
    asked = len(model.requests)
    said = shell("resume", "why", "--max-rounds", "4")
    assert said.code == 0
    assert "round 3: candidate" not in said.out
    assert "round 4: candidate: Ask for style 3." in said.out
    roles = [role_of(one.json) for one in model.requests[asked:]]
    assert (roles.count("propose"), roles.count("execute")) == (1, 4)  # three answers, one held out


def test_the_judge_of_the_reference_is_a_flag_away(shell: Shell, template: str) -> None:
    with ModelServer(climbing) as server:
        shell(
            "run",
            template,
            "--base-url",
            server.base_url,
            "--model",
            "m",
            "--judge",
            "reference",
            "--max-rounds",
            "2",
        )
        roles = [role_of(one.json) for one in server.requests]
    assert (roles.count("propose"), roles.count("execute")) == (1, 6)
    assert 3 <= roles.count("judge") <= 4


def test_an_unknown_variable_is_named_before_what_it_may_be_the_cause_of(
    shell: Shell, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTUI_EMBEDING_MODEL", "m")
    said = shell("run", template, "--model", "m", "--method", "gpo", "--set", "relevance=embedding")
    assert said.code == exit_codes.FAILED
    unknown, error = said.err.splitlines()[:2]
    assert "SPOTUI_EMBEDING_MODEL" in unknown
    assert "needs an embedding model" in error
