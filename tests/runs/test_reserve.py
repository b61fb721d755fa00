"""A run that ends by its budget ends with a tested result, and buys nothing twice for it."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from spotui.domain.events import (
    FinalCheckFinished,
    FinalCheckSkipped,
    FinalTest,
    Noticed,
    RoundFinished,
    SpendingChanged,
)
from spotui.settings.table import BudgetSettings
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot, write_snapshot
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Persona, Scripted, conversation
from tests.row_model import adding, kind_of, note, propose
from tests.runs.starting import PRICED, Stage, bought, template
from tests.spo_model import climbing, execute, prefer_higher_style, role_of
from tests.spo_model import propose as next_style

GPO = {"max_steps": 30, "candidates_per_step": 1, "batch_size": 3}
"""Steps of one call each for the proposal, and one for each eval row."""


def cut(project: Project, keep: Callable[[bytes], bool]) -> None:
    """Let a journal end where a process was killed: before the first line that is not kept."""
    lines = project.journal.read_bytes().splitlines(keepends=True)
    end = next((at for at, line in enumerate(lines) if not keep(line)), len(lines))
    project.journal.write_bytes(b"".join(lines[:end]))


@pytest.mark.parametrize("limit", [26, 31])
def test_a_duel_method_ends_by_its_calls_with_a_checked_prompt(tmp_path: Path, limit: int) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        budget = BudgetSettings(calls=limit)
        project = stage.project(text=template(4), final_check=True, max_rounds=30, budget=budget)
        end = stage.go(project)
        assert (end.stopped.reason, len(server.requests) <= limit) == ("budget", True)
        assert end.one(FinalCheckFinished).best == end.stopped.best > 1
        assert "kept back for the test" in end.stopped.cause
        kept = [one.text for one in end.of(Noticed) if "kept back" in one.text]
        assert kept == ["11 calls are kept back for the test of the best prompt."]  # 2 + 8, and 1 more
        sent = len(server.requests)
        assert stage.go(project).one(FinalCheckFinished).best == end.stopped.best
        assert len(server.requests) == sent
        more = stage.go(project, changes={"calls": limit + 30})
        assert more.one(FinalCheckFinished).best == more.stopped.best > end.stopped.best
        assert len(server.requests) <= limit + 30
    assert not more.of(FinalCheckSkipped)
    assert set(bought(project).values()) <= {1, 2}  # a round may ask for the same vote twice


def test_a_scored_method_ends_by_its_calls_with_a_tested_prompt_wherever_it_is_killed(
    tmp_path: Path,
) -> None:
    limit = 80
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        budget = BudgetSettings(calls=limit)
        # One at a time: those in flight when a process dies are lost, and count.
        project = scored_project(
            stage, "gpo", count=30, parameters=GPO, max_rounds=30, budget=budget, concurrency=1
        )
        whole = stage.go(project)
        sent = len(server.requests)
        tested = whole.one(FinalTest)
        assert (whole.stopped.reason, tested.best, tested.rows) == ("budget", whole.stopped.best, 18)
        assert 65 < sent <= limit
        assert tested.floor > 0
        cut(project, lambda line: b'"purpose":"score_test","index":10' not in line)
        again = stage.go(project)
        assert again.one(FinalTest).difference == tested.difference
        assert len(server.requests) <= sent + 2 * 18 - 10
        assert set(bought(project).values()) == {1}
        before = len(server.requests)
        more = stage.go(project, changes={"calls": limit + 120})
        assert more.one(FinalTest).best == more.stopped.best
        assert len(server.requests) - before <= 120 + 2


@pytest.mark.parametrize("limits", [{"usd": 0.013}, {"tokens": 9_000}])
def test_a_test_is_paid_for_where_later_prompts_cost_more(tmp_path: Path, limits: dict[str, float]) -> None:
    def dearer(request: JsonObject) -> Scripted:
        text = conversation(request)
        one, other = map(int, re.findall(r"What is (\d+) plus (\d+)", text)[-1])
        is_seed = "style 0" in text
        is_right = one % 4 > (1 if is_seed else 0)
        usage = {"prompt_tokens": 40, "completion_tokens": 10 if is_seed else 40}
        return Scripted(text=f"It is {one + other + 1 - is_right}.", usage=usage)

    model = Persona(kind_of, propose=propose, execute=dearer, likelihood=note)
    with ModelServer(model) as server:
        stage = Stage(tmp_path, server)
        budget = BudgetSettings(**limits)  # type: ignore[arg-type]
        project = scored_project(stage, "gpo", count=30, parameters=GPO, max_rounds=30, budget=budget)
        end = stage.go(project, config=PRICED)
    assert end.stopped.reason == "budget"
    assert len(end.of(RoundFinished)) > 2
    assert end.one(FinalTest).best == end.stopped.best
    spent = end.of(SpendingChanged)[-1]
    assert spent.cost_usd <= limits.get("usd", 9)
    assert spent.prompt_tokens + spent.completion_tokens <= limits.get("tokens", 10**9)


def test_replies_that_cannot_be_read_do_not_cost_the_check(tmp_path: Path) -> None:
    """More are asked for again than is kept back for that: the rest of them are void."""

    def judge(request: JsonObject) -> str:
        alone = "Question 2: " not in conversation(request)
        return (
            "I cannot say."
            if alone and "Question 1" in conversation(request)
            else prefer_higher_style(request)
        )

    model = Persona(role_of, propose=next_style, execute=execute, judge=judge)
    with ModelServer(model) as server:
        stage = Stage(tmp_path, server)
        budget = BudgetSettings(calls=30)
        project = stage.project(text=template(4), final_check=True, max_rounds=30, budget=budget)
        end = stage.go(project)
        assert len(server.requests) <= 30
    assert (end.stopped.reason, end.one(FinalCheckFinished).outcome) == ("budget", "void")


def test_a_budget_that_leaves_nothing_for_rounds_is_named_with_the_number_that_does(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        budget = BudgetSettings(calls=5)
        project = stage.project(text=template(4), final_check=True, budget=budget)
        end = stage.go(project)
        assert not server.requests
        [said] = [one.text for one in end.of(Noticed) if one.level == "warning"]
        assert said.startswith("The budget of 5 calls leaves none for another round: 11 are kept back")
        assert said.endswith("Set it to more than 11.")
        assert (end.stopped.reason, end.stopped.best) == ("budget", 1)
        assert end.stopped.cause.startswith("The budget of 5 calls leaves none for rounds: 11 are kept back")
        assert stage.go(project, changes={"calls": None}).stopped.reason == "finished"


def test_a_run_of_an_earlier_edition_spends_all_on_rounds_and_calls_every_better_score_a_win(
    tmp_path: Path,
) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        outcomes = []
        for edition in (5, 6):
            budget = BudgetSettings(calls=90)
            project = scored_project(
                stage, "gpo", name=f"of-{edition}", count=30, parameters=GPO, max_rounds=30, budget=budget
            )
            snapshot = msgspec.structs.replace(read_snapshot(project.snapshot), edition=edition)
            write_snapshot(project.snapshot, snapshot)
            end = stage.go(project)
            assert bool(end.of(FinalTest)) is (edition == 6)
            outcomes.append(end.outcomes)
    old, new = outcomes
    assert "win" in old
    assert "lead" not in old
    assert "lead" in new
    assert len(old) > len(new)


def test_a_lead_is_what_the_search_continues_from_and_no_win(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", count=200, parameters={**GPO, "max_steps": 6}, target_wins=3)
        end = stage.go(project)
        again = stage.go(project)
    ended = end.of(RoundFinished)
    assert [one.outcome for one in again.of(RoundFinished)] == [one.outcome for one in ended]
    best = 1
    for one in ended[1:]:
        assert one.gain is not None
        assert one.floor is not None
        best = one.round if one.outcome in {"win", "lead"} else best
        assert one.best == best
        assert (one.outcome == "win") <= (one.gain >= one.floor)
        assert (one.outcome == "lead") <= (one.gain < one.floor)
    assert {"lead", "win"} <= {one.outcome for one in ended}
    assert end.stopped.reason == "target"
    assert sum(one.outcome == "win" for one in ended) == 3  # a lead is none of them
