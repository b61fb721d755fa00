"""Runs of scored methods from the command line, and the verbs that only they have."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.workspace.projects import Workspace
from spotui.workspace.race_file import RaceFolder
from tests.cli.conftest import Shell
from tests.command_line import places, spotui
from tests.model_server import ModelServer, Persona
from tests.row_model import answer, kind_of, propose, racing, rows, template
from tests.runs.starting import bought

GPO = "method: gpo\nparameters:\n  max_steps: 3\n  candidates_per_step: 2\n"


@pytest.fixture
def sums(home: Path) -> Iterator[ModelServer]:
    """A template with rows, and a model that adds."""
    (home / "rows.jsonl").write_text(rows(60))
    (home / "sums.yaml").write_text(template() + GPO)
    with ModelServer(racing) as server:
        yield server


def asking(server: ModelServer) -> tuple[str, ...]:
    return ("--model", "test-model", "--base-url", server.base_url)


def test_a_run_of_a_scored_method_tells_scores_with_intervals(shell: Shell, sums: ModelServer) -> None:
    said = shell("run", "sums.yaml", *asking(sums))
    assert said.code == exit_codes.OK
    lines = said.out.splitlines()
    assert lines[0] == "sums: gpo, 4 rounds, 12 train + 12 eval + 36 test rows, metric number, test-model"
    assert "round 1: prompt 1 scores 50.0 (25.4 to 74.6) on 12 eval rows: Add in style 0." in lines
    assert any(line.startswith("round 4: at most 10 words; the optimizer sees round") for line in lines)
    outcome = next(line for line in lines if line.startswith("Outcome: "))
    tested = "63.9 against the seed's 36.1, +27.8 (+10.5 to +42.1), A/A floor 22.2."
    assert f"Best: round 4. On 36 test rows: {tested}" in outcome
    assert said.err.startswith("Expected: about 150 to 162 calls, as racing goes")
    assert any(line.startswith("Spent:   162 calls, ") for line in lines)


def test_the_method_and_its_parameters_can_be_typed(shell: Shell, sums: ModelServer) -> None:
    said = shell(
        "run", "sums.yaml", *asking(sums), "--method", "gradsum", "--set", "iterations=1", "--name", "other"
    )
    assert said.out.splitlines()[0].startswith("other: gradsum, 2 rounds, ")
    assert "round 2: beam: 3 prompts for the next round" in said.out
    wrong = shell("run", "sums.yaml", *asking(sums), "--set", "max_step=1", "--name", "third")
    assert wrong.code == exit_codes.FAILED
    assert "gpo has no parameter 'max_step'" in wrong.err
    assert "Did you mean max_steps?" in wrong.err
    assert (
        shell("run", "sums.yaml", *asking(sums), "--set", "max_steps", "--name", "x").code
        == exit_codes.FAILED
    )


def test_a_number_of_rounds_is_the_length_of_the_schedule(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    (home / "sums.yaml").write_text(template() + "method: gpo\nparameters: {candidates_per_step: 1}\n")
    said = shell("run", "sums.yaml", *asking(sums), "--max-rounds", "3")
    assert [line.partition(" alike")[0] for line in said.out.splitlines() if "at most" in line] == [
        "round 2: at most 30 words; the optimizer sees no earlier round",
        "round 3: at most 10 words; the optimizer sees round 1 (50.0)",
    ]


def test_show_tells_scores_and_what_else_was_tried(shell: Shell, sums: ModelServer) -> None:
    shell("run", "sums.yaml", *asking(sums))
    table = shell("show", "sums").out
    assert "round  verdict  score" in table
    assert "   4*  lead     75.0" in table
    assert "On 36 test rows: 63.9 against the seed's 36.1, +27.8 (+10.5 to +42.1), A/A floor 22.2." in table
    one = shell("show", "sums", "4").out
    assert one.count("Score 75.0 (46.8 to 91.1) on 12 rows, 2 words changed:") == 2


def test_check_finds_a_parameter_that_there_is_not(shell: Shell, home: Path, sums: ModelServer) -> None:
    (home / "sums.yaml").write_text(template() + "method: gpo\nparameters: {candidates: 2}\n")
    said = shell("check", "sums.yaml")
    assert said.code == exit_codes.FAILED
    assert "gpo has no parameter 'candidates'" in said.err
    (home / "sums.yaml").write_text(template() + "method: gpo\nparameters: [2]\n")
    assert (
        "sums.yaml:6: error: parameters: `parameters` should be a mapping." in shell("check", "sums.yaml").out
    )


def test_score_measures_a_prompt_once(shell: Shell, sums: ModelServer) -> None:
    said = shell("score", "sums.yaml", *asking(sums))
    assert said.out.startswith("seed: 36.1 (22.5 to 52.4) on 36 test rows\nAn answer with seed: ")
    assert "Bought: 36 calls" in said.err
    again = shell("score", "sums.yaml", *asking(sums))
    assert again.out == said.out
    assert "Bought: 0 calls" in again.err
    assert len(sums.requests) == 36


def test_score_compares_two_prompts_row_by_row(shell: Shell, home: Path, sums: ModelServer) -> None:
    (home / "mine.txt").write_text("Add in style 4.\n")
    said = shell("score", "sums.yaml", *asking(sums), "--prompt", "mine.txt", "--against", "seed")
    lines = said.out.splitlines()
    assert lines[0].startswith("seed: 36.1")
    assert lines[1].startswith("mine.txt: ")
    assert lines[2].startswith("mine.txt against seed: +")
    won = [line for line in lines if line.startswith("+ ")]
    assert lines[3] == f"{len(won)} rows won, 0 lost, {36 - len(won)} alike."
    assert won[0].startswith("+   0.0 -> 100.0  rows.jsonl, line ")
    every = shell(
        "score", "sums.yaml", *asking(sums), "--prompt", "mine.txt", "--against", "seed", "--all-rows"
    )
    assert len([line for line in every.out.splitlines() if "rows.jsonl, line" in line]) == 36
    data = json.loads(
        shell("score", "sums.yaml", *asking(sums), "--prompt", "mine.txt", "--against", "seed", "--json").out
    )
    assert data["comparison"]["wins"] == len(won)
    assert [len(one["marks"]) for one in data["prompts"]] == [36, 36]


def test_a_prompt_with_other_slots_is_measured_with_a_warning(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    (home / "mine.txt").write_text('Add in style 9. {hint} {"a": 1}')
    said = shell("score", "sums.yaml", *asking(sums), "--prompt", "mine.txt")
    assert (
        "spotui: mine.txt: Its prompt has {hint}, which nothing fills. It is measured as it is." in said.err
    )
    assert said.code == exit_codes.OK


def test_score_takes_the_best_of_a_project_and_other_rows(shell: Shell, sums: ModelServer) -> None:
    assert shell("score", "sums.yaml", *asking(sums), "--prompt", "best").code == exit_codes.FAILED
    shell("run", "sums.yaml", *asking(sums))
    said = shell("score", "sums.yaml", *asking(sums), "--prompt", "best", "--split", "eval")
    assert said.out.startswith("best: 75.0 (46.8 to 91.1) on 12 eval rows\nAn answer with best: ")


def test_score_goes_on_after_its_budget(shell: Shell, sums: ModelServer) -> None:
    said = shell("score", "sums.yaml", *asking(sums), "--budget-calls", "10")
    assert said.code == exit_codes.BUDGET
    assert "the same command resumes." in said.err
    again = shell("score", "sums.yaml", *asking(sums))
    assert again.code == exit_codes.OK
    assert len(sums.requests) == 36


def test_a_race_gives_all_the_same_and_compares_them_on_unseen_rows(shell: Shell, sums: ModelServer) -> None:
    words = ("race", "sums.yaml", *asking(sums), "--methods", "spo,gpo,gradsum", "--budget-calls", "120")
    words = (*words, "--set", "gradsum.iterations=1")
    said = shell(*words)
    assert said.code == exit_codes.OK
    lines = said.out.splitlines()
    assert lines[0].split()[:3] == ["method", "score", "interval"]
    assert {line.split()[0] for line in lines[1:4]} == {"spo", "gpo", "gradsum"}
    assert "Row by row on 36 test rows:" in lines
    assert len([line for line in lines if " against " in line]) == 3
    spent = {line.split()[0]: line for line in lines[1:4]}
    assert "  90  " in spent["gpo"]
    before = len(sums.requests)
    again = shell(*words, "--json")
    assert len(sums.requests) == before
    data = json.loads(again.out)
    assert [len(one["marks"]) for one in data["places"]] == [36, 36, 36]
    assert max(one["spending"]["calls"] for one in data["places"]) <= 120
    assert "sums-race/gpo" in shell("list").out


def test_the_most_promising_method_continues_with_the_rest_of_the_budget(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    words = ("race", "sums.yaml", *asking(sums), "--methods", "ape,gpo,spo", "--continue")
    words = (*words, "--set", "ape.max_steps=1", "--set", "gpo.max_steps=20", "--budget-calls", "300")
    said = shell(*words)
    assert said.code == exit_codes.OK
    assert "Each of 3 methods gets 50 calls: half of the budget in equal parts." in said.err
    assert "Expected of gpo: about " in said.err
    assert "and the test" not in said.err  # the race tests all of them, outside of the budget
    race = RaceFolder(Workspace(home / "data" / "workspace"), "sums-race")
    continued = race.read().continued
    assert continued is not None
    assert continued.scores.keys() == {"ape", "gpo", "spo"}
    assert continued.scores[continued.method] == max(continued.scores.values())
    spent = {method: bought(race.project(method)).total() for method in ("ape", "gpo", "spo")}
    assert 50 < spent[continued.method] <= continued.limits["calls"]  # type: ignore[operator]
    assert all(spent[method] <= 50 for method in spent if method != continued.method)
    on_eval = 12  # SPO's best prompt alone has no score on them
    assert sum(spent.values()) + on_eval <= 300
    assert f"{continued.method} continues with the rest of the budget" in said.out
    before = len(sums.requests)
    assert shell(*words).out == said.out
    assert len(sums.requests) == before
    # A process that died in the continuation, or before it: the choice stands, and nothing is bought twice.
    project = race.project(continued.method)
    whole = project.journal.read_bytes().splitlines(keepends=True)
    limits = next(at for at, line in enumerate(whole) if b'"kind":"limits"' in line)
    for end in (limits + 8, limits):
        project.journal.write_bytes(b"".join(whole[:end]))
        sent = len(sums.requests)
        assert shell(*words).code == exit_codes.OK
        assert len(sums.requests) - sent <= len(whole) - end + 36
        assert race.read().continued == continued
        assert {calls for text, calls in bought(project).items() if text.startswith("user: What is")} == {1}
    data = json.loads(shell(*words, "--json").out)
    assert data["continued"]["method"] == continued.method


def test_a_budget_that_cannot_be_shared_is_told_before_anything_is_bought(
    shell: Shell, sums: ModelServer
) -> None:
    words = ("race", "sums.yaml", *asking(sums), "--methods", "gpo,ape", "--continue")
    said = shell(*words)
    assert said.code == exit_codes.FAILED
    assert "Set one, for example --budget-calls 2000" in said.err
    said = shell(*words, "--budget-calls", "3")
    assert "A budget of 3 calls is too small to be shared by 2 methods." in said.err
    assert "Set at least 4." in said.err
    assert not sums.requests


def test_who_was_begun_with_something_else_does_not_race(shell: Shell, sums: ModelServer, home: Path) -> None:
    words = ("race", "sums.yaml", *asking(sums), "--methods", "gpo,ape")
    begun = (*words, "--budget-calls", "40", "--set", "ape.max_steps=1")
    assert shell(*begun).code == exit_codes.OK
    before = len(sums.requests)
    assert shell(*begun, "--concurrency", "3").code == exit_codes.OK
    for other, what in (
        (words, "budget.calls 40"),
        ((*begun, "--budget-calls", "41"), "budget.calls 40"),
        ((*begun, "--exec-model", "other"), "roles.executor.model test-model"),
        ((*words, "--budget-calls", "40"), "other parameters"),
    ):
        said = shell(*other)
        assert said.code == exit_codes.FAILED
        assert f"was begun with {what}, so it cannot race with this." in said.err
        assert "--name" in said.err
    (home / "sums.yaml").write_text(template() + GPO + "criteria: Short.\n")
    assert "another text of the template" in shell(*begun).err
    assert len(sums.requests) == before


def test_a_race_takes_two_methods_that_there_are(shell: Shell, sums: ModelServer) -> None:
    assert shell("race", "sums.yaml", *asking(sums), "--methods", "gpo").code == exit_codes.USAGE
    assert shell("race", "sums.yaml", *asking(sums), "--methods", "gpo,annealing").code == exit_codes.FAILED
    said = shell("race", "sums.yaml", *asking(sums), "--set", "ape.max_steps=1")
    assert said.code == exit_codes.USAGE
    assert not sums.requests


def test_a_race_without_test_rows_buys_nothing(shell: Shell, home: Path, sums: ModelServer) -> None:
    data = "{path: rows.jsonl, split: {train: 20, eval: 20, test: 0}}"
    (home / "sums.yaml").write_text(template(data=data))
    said = shell("race", "sums.yaml", *asking(sums), "--methods", "gpo,ape")
    assert said.code == exit_codes.USAGE
    assert "has no test rows" in said.err
    assert not sums.requests


def test_a_race_writes_down_what_goes_on_with_it_and_what_the_test_says(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    told = ("--set", "gpo.max_steps=1", "--set", "ape.max_steps=1", "--no-reference-answers")
    said = shell("race", "sums.yaml", *asking(sums), "--methods", "gpo,ape", *told)
    assert said.code == exit_codes.OK
    race = RaceFolder(Workspace(home / "data" / "workspace"), "sums-race")
    record = race.read()
    assert [one.method for one in record.tested] == [line.split()[0] for line in said.out.splitlines()[1:3]]
    assert (record.rows, len(record.compared), race.is_running) == (36, 1, False)
    before = len(sums.requests)
    assert shell(*record.words).out == said.out
    assert len(sums.requests) == before
    assert race.read() == record


def test_methods_are_listed_with_parameters_and_source(shell: Shell) -> None:
    said = shell("methods").out
    for name in ("ape", "apo", "gpo", "gradsum", "opro", "pe2", "sgdm", "spo"):
        assert f"\n{name} " in f"\n{said}"
    assert "arXiv 2402.17564" in said
    one = shell("methods", "pe2").out
    assert "\nedit_budget_initial = 30\n" in one
    assert "decay_strategy (edit_budget_schedule)" in one
    data = json.loads(shell("methods", "--json").out)
    assert all(parameter["what"] for method in data for parameter in method["parameters"])
    assert shell("methods", "gpoo").code == exit_codes.FAILED


def test_a_prompt_that_cannot_be_read_is_told(shell: Shell, sums: ModelServer, home: Path) -> None:
    (home / "bytes.txt").write_bytes(b"\xff")
    said = shell("score", "sums.yaml", *asking(sums), "--prompt", "nothing.txt")
    assert said.code == exit_codes.USAGE
    assert "The prompt nothing.txt cannot be read: No such file or directory." in said.err
    said = shell("score", "sums.yaml", *asking(sums), "--prompt", "bytes.txt")
    assert "it is no UTF-8 text" in said.err


def test_show_names_no_judge_where_nothing_was_judged(shell: Shell, sums: ModelServer) -> None:
    shell("run", "sums.yaml", *asking(sums))
    assert "Judge:" not in shell("show", "sums").out
    shell("run", "sums.yaml", *asking(sums), "--method", "spo", "--max-rounds", "2", "--name", "s")
    assert "Judge: balanced" in shell("show", "s").out


def test_the_estimate_counts_rows_candidates_and_the_test(shell: Shell, sums: ModelServer) -> None:
    said = shell("estimate", "sums.yaml", *asking(sums), "--json")
    shares = {one["role"]: one["calls"] for one in json.loads(said.out)["shares"]}
    assert shares == {"optimizer": 6, "executor": 12 * 7 + 2 * 36}
    tight = shell("estimate", "sums.yaml", *asking(sums), "--budget-calls", "50")
    assert "The budget of 50 calls may not cover the seed prompt, one step and the test (about " in tight.out
    assert "Raise it, or use fewer rows" in tight.out
    enough = shell("estimate", "sums.yaml", *asking(sums), "--budget-calls", "150")
    assert "The budget of 150 calls may not cover the whole run" in enough.out
    spo = shell("estimate", "sums.yaml", *asking(sums), "--method", "spo", "--json")
    assert {one["role"]: one["calls"] for one in json.loads(spo.out)["shares"]}["executor"] == 30


def test_relevance_by_an_embedding_model_is_expected_and_paid_for(shell: Shell, sums: ModelServer) -> None:
    wanted = ("--set", "relevance=embedding")
    lacking = shell("run", "sums.yaml", *asking(sums), *wanted)
    assert lacking.code == exit_codes.FAILED
    assert "none is chosen" in lacking.err
    chosen = (*asking(sums), *wanted, "--embedding-model", "embedder")
    (share,) = (
        one
        for one in json.loads(shell("estimate", "sums.yaml", *chosen, "--json").out)["shares"]
        if one["role"] == "embedding"
    )
    assert (share["model"], share["calls"], share["completion_tokens"]) == ("embedder", 3, 0)
    said = shell("run", "sums.yaml", *chosen)
    assert said.code == exit_codes.OK
    assert said.out.splitlines()[0].endswith("metric number, test-model + embedder")
    assert " alike 0." in said.out
    assert sum(one.target == "/v1/embeddings" for one in sums.requests) == 3
    dear = shell("run", "sums.yaml", *chosen, "--budget-usd", "1", "--name", "dear")
    assert dear.code == exit_codes.CALL_FAILED
    assert "the price of" in dear.err


def test_spo_runs_on_the_same_template(shell: Shell, sums: ModelServer) -> None:
    said = shell("run", "sums.yaml", *asking(sums), "--method", "spo", "--max-rounds", "3", "--name", "s")
    assert said.out.splitlines()[0].startswith("s: spo, 3 rounds, 12 train + 12 eval + 36 test rows, metric")
    assert "round 1: question 3 answered: The answer is" in said.out


@pytest.fixture
def package(home: Path) -> str:
    """A package that adds a method: it tries one prompt of its own."""
    (home / "shouting.py").write_text(
        '''"""A method of somebody else's."""

from typing import Annotated

import msgspec

from spotui.engine import Candidate, Engine
from spotui.methods.method import Method


class Parameters(msgspec.Struct, frozen=True):
    style: Annotated[int, msgspec.Meta(ge=0, description="how loud")] = 3


async def optimize(engine: Engine, parameters: Parameters) -> None:
    """Score the seed, and then one other prompt."""
    for number, prompt in ((1, engine.task.prompt), (2, f"Add in style {parameters.style}!")):
        async with engine.round(number) as turn:
            (scored,) = await turn.score([Candidate(round=number, prompt=prompt)], engine.rows.eval)
            await turn.keep(scored)


SHOUTING = Method(
    optimize=optimize, summary="Shouts.", parameters=Parameters, scores=True, rounds=lambda *_: 2
)
'''
    )
    info = home / "shouting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spotui.methods]\nshouting = shouting:SHOUTING\n")
    return str(home)


def test_a_method_of_another_package_runs_like_any_other(package: str, home: Path, sums: ModelServer) -> None:
    env = places(home)
    env["PYTHONPATH"] = f"{env['PYTHONPATH']}:{package}"
    words = ("run", "sums.yaml", *asking(sums), "--method", "shouting", "--set", "style=5")
    said = spotui(*words, "--name", "s", env=env)
    assert said.code == exit_codes.OK, said.err
    assert said.out.splitlines()[0].startswith("s: shouting, 2 rounds, ")
    assert "Best: round 2. On 36 test rows: " in said.out
    assert "Shouts." in spotui("methods", env=env).out
    estimate = spotui("estimate", "sums.yaml", *asking(sums), "--method", "shouting", "--json", env=env)
    assert (estimate.code, estimate.out) == (exit_codes.OK, "null\n")
    assert (
        "style = 3\n    How loud. It takes a whole number from 0 on."
        in spotui("methods", "shouting", env=env).out
    )


def test_a_run_that_no_prompt_improves_says_so(shell: Shell, home: Path) -> None:
    (home / "rows.jsonl").write_text(rows(60))
    (home / "sums.yaml").write_text(template() + GPO)
    model = Persona(kind_of, propose=lambda request: propose(request).replace("style", "way"), execute=answer)
    with ModelServer(model) as server:
        said = shell("run", "sums.yaml", *asking(server))
    assert said.code == exit_codes.NO_IMPROVEMENT
    assert "No improvement: the seed prompt is still the best." in said.out
    assert "test rows" not in said.out.split("All 4 rounds are done.")[1]
