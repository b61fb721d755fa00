"""The final check: what a run is worth, bought once, and no reason to fail."""

from collections import Counter
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from spotui.domain.events import (
    CallStarted,
    FinalCheckFinished,
    FinalCheckSkipped,
    HeldOutFinished,
    VoteCast,
)
from spotui.domain.records import CheckLine
from spotui.settings.table import BudgetSettings
from spotui.workspace.history import read_history
from spotui.workspace.journal_reader import read_lines
from tests.model_server import JsonObject, ModelServer, Persona, ReplyFunction, Scripted, conversation
from tests.runs.starting import Stage, template
from tests.spo_model import climbing, execute, prefer_first, prefer_higher_style, propose, role_of

INVERTED = {"<choose>A</choose>": "<choose>B</choose>", "<choose>B</choose>": "<choose>A</choose>"}


def one_alone(request: JsonObject) -> bool:
    """Whether a judge is shown the answers to one question, as in the final check."""
    return "Question 2: " not in conversation(request)


def otherwise_alone(vote: ReplyFunction) -> Persona:
    """A judge that sees the better answers in rounds, and votes so in the final check."""

    def judge(request: JsonObject) -> object:
        return vote(request) if one_alone(request) else prefer_higher_style(request)

    return Persona(role_of, propose=propose, execute=execute, judge=judge)  # type: ignore[arg-type]


def checked(server: ModelServer) -> Counter[str]:
    """Answers and votes of the final check, by what was asked; a round may ask for the same vote twice."""
    asked = (one.json for one in server.requests if role_of(one.json) != "judge" or one_alone(one.json))
    return Counter(conversation(one) for one in asked)


def inverted(request: JsonObject) -> str:
    said = prefer_higher_style(request)
    return said[:-18] + INVERTED[said[-18:]]


def test_best_meets_the_seed_on_every_question_in_both_orders(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(5), final_check=True)
        end = stage.go(project)
        asked = [one.json for one in server.requests if role_of(one.json) == "judge" and one_alone(one.json)]
    check = end.one(FinalCheckFinished)
    assert (check.best, check.outcome, check.questions, check.held_out) == (3, "win", 5, 2)
    assert (check.wins, check.win_rate, check.rows) == (5, 1.0, ("win",) * 5)
    assert check.win_interval == pytest.approx((0.566, 1.0), abs=0.001)
    assert [one.round for one in check.ranking] == [3, 2, 1]
    assert check.ranking[-1].strength == 0.0
    assert len(asked) == len({conversation(one) for one in asked}) == 10
    assert (end.one(HeldOutFinished).questions, end.one(HeldOutFinished).wins) == (2, 4)
    assert {vote.round for vote in end.of(VoteCast)} == {2, 3}  # the check is nobody's round
    assert end.stopped.improved
    (line,) = [one for one in read_lines(project.journal, CheckLine) if isinstance(one, CheckLine)]
    assert [row.held_out for row in line.rows] == [False, False, False, True, True]
    assert [vote.order for vote in line.rows[0].votes] == ["AB", "BA"]


@pytest.mark.parametrize(("vote", "outcome"), [(inverted, "loss"), (prefer_first, "tie")])
def test_a_best_prompt_that_is_no_better_than_the_seed_is_no_improvement(
    tmp_path: Path, vote: ReplyFunction, outcome: str
) -> None:
    with ModelServer(otherwise_alone(vote)) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(4), final_check=True)
        end = stage.go(project)
    check = end.one(FinalCheckFinished)
    assert (check.outcome, check.headline.startswith("No improvement: ")) == (outcome, True)
    assert end.outcomes == ["seed", "win", "win"]
    assert (end.stopped.improved, end.stopped.best, end.stopped.prompt) == (False, 1, "Say it in style 0.")
    assert exit_codes.of_run(end.stopped) == exit_codes.NO_IMPROVEMENT
    best = read_history(project).best
    assert best is not None
    assert best.round == 1


def test_a_check_that_nobody_can_judge_refutes_nothing(tmp_path: Path) -> None:
    with ModelServer(otherwise_alone(lambda _: "I cannot say.")) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(text=template(4), final_check=True))
    assert (end.one(FinalCheckFinished).outcome, end.stopped.best, end.stopped.improved) == ("void", 3, True)


def test_nothing_is_checked_when_the_seed_is_the_best_or_nobody_wants_it(tmp_path: Path) -> None:
    persona = Persona(role_of, propose=propose, execute=execute, judge=prefer_first)
    with ModelServer(persona) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(final_check=True))
    assert not end.of(FinalCheckFinished)
    assert not end.of(FinalCheckSkipped)
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project("other", template(5)))
        assert Counter(role_of(one.json) for one in server.requests)["execute"] == 3 * 3
    assert not end.of(FinalCheckFinished)
    assert end.stopped.improved


@pytest.mark.parametrize("short", [0, 1, 9])
def test_rounds_leave_the_budget_that_the_check_takes(tmp_path: Path, short: int) -> None:
    rounds, check = 3 + 2 * 7, 10 + 1
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        budget = BudgetSettings(calls=rounds + check - short)
        project = stage.project(final_check=True, text=template(4), budget=budget)
        end = stage.go(project)
        assert len(server.requests) <= rounds + check - short
        ended, best = [("finished", 3), ("budget", 2)][short > 0]
        assert end.stopped.reason == ended
        assert not end.of(FinalCheckSkipped)
        if short < 9:
            assert (end.one(FinalCheckFinished).best, end.stopped.best) == (best, best)
        more = stage.go(project, changes={"calls": None})
        sent = checked(server)
    assert more.one(FinalCheckFinished).outcome == "win"
    assert more.one(FinalCheckFinished).best == 3
    assert set(sent.values()) == {1}


def test_a_time_that_is_over_skips_the_check_and_says_so(tmp_path: Path) -> None:
    def slow(request: JsonObject) -> Scripted:
        is_late = role_of(request) == "judge" and one_alone(request)
        return Scripted(text=str(climbing(request)), delay=5.0 if is_late else 0.0)

    with ModelServer(slow) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(final_check=True, text=template(4), budget=BudgetSettings(minutes=0.03))
        end = stage.go(project)
    skipped = end.one(FinalCheckSkipped)
    assert (skipped.best, "minutes is spent" in skipped.why) == (3, True)
    assert (end.stopped.reason, end.stopped.best, end.stopped.improved) == ("finished", 3, True)
    history = read_history(project)
    assert history.check is not None
    assert history.check.skipped == skipped.why


def test_a_check_is_bought_once_and_told_again(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(5), final_check=True)
        first = stage.go(project).one(FinalCheckFinished)
        again = stage.go(project)
        assert not again.of(CallStarted)
        assert again.one(FinalCheckFinished).rows == first.rows
        stage.go(project, changes={"rounds": 4})
    lines = [one for one in read_lines(project.journal, CheckLine) if isinstance(one, CheckLine)]
    assert [line.best for line in lines] == [3, 4]
    assert set(checked(server).values()) == {1}  # the seed's answers to the held-out questions are known, too
