"""A request that the endpoint refuses, while it answers others, is an error of its question or row alone."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from spotui.domain.events import (
    Answered,
    CallDropped,
    FinalCheckFinished,
    Noticed,
    SpendingChanged,
    VoteCast,
)
from spotui.runs.branch import rehearse
from spotui.settings.table import RetrySettings
from spotui.workspace.history import read_history
from tests.methods.scored import scored_project
from tests.model_server import JsonObject, ModelServer, Scripted, conversation, faults
from tests.model_server.faults import Fault
from tests.row_model import adding
from tests.runs.starting import Stage, Told, bought, results_of, rounds_of, template, told
from tests.runs.test_score import measure
from tests.spo_model import climbing, role_of

FILTERED = faults.status(400, "Filtered by the content management policy.", code="content_filter")
TOO_LONG = faults.status(400, "prompt token count of 70000 exceeds the limit of 64000")
UNKNOWN = faults.status(400, "Something in this one is not to our liking.")
IN_THE_STREAM = faults.stream_error("Content Exists Risk", code="invalid_request_error")
REFUSALS = {"filtered": FILTERED, "too long": TOO_LONG, "unknown": UNKNOWN, "stream": IN_THE_STREAM}

BAD = "Question 7?"


def refusing(fault: Fault, *roles: str, words: str = BAD) -> "Plan":
    """A plan that refuses what holds these words, in requests for some roles."""
    return Plan(
        lambda request: fault if words in conversation(request) and role_of(request) in roles else None
    )


class Plan:
    """Faults by request; counts them."""

    def __init__(self, choose: Callable[[JsonObject], Fault | None]) -> None:
        self.struck = 0
        self._choose = choose

    def __call__(self, _: int, request: JsonObject) -> Fault | None:
        fault = self._choose(request)
        self.struck += fault is not None
        return fault


@pytest.mark.parametrize("fault", REFUSALS.values(), ids=REFUSALS)
def test_one_filtered_question_in_twenty_is_named_and_left_out(tmp_path: Path, fault: Fault) -> None:
    plan = refusing(fault, "execute")
    with ModelServer(climbing, faults=plan) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(20), sample=20, max_rounds=2, final_check=True)
        end = stage.go(project)
        assert end.outcomes == ["seed", "win"]
        assert end.stopped.reason == "finished"
        [notice] = [one.text for one in end.of(Noticed) if "left out of the comparison" in one.text]
        assert notice.startswith("Round 1, answer to question 8: ")
        errors = [(one.round, one.index) for one in end.of(Answered) if one.error]
        assert errors == [(1, 7), (2, 7)]
        assert len(end.of(Answered)) == 40
        assert end.one(FinalCheckFinished).questions == 19
        judged = [conversation(one.json) for one in server.requests if role_of(one.json) == "judge"]
        assert judged
        assert not any(BAD in one for one in judged)
        proposed = [conversation(one.json) for one in server.requests if role_of(one.json) == "propose"]
        assert not any(BAD in one for one in proposed)
        assert len(results_of(project)[0][1]) == 19  # type: ignore[arg-type]
        line = read_history(project).round(2)
        assert line is not None
        assert [bool(one.error) for one in line.answers].index(True) == 7
        assert end.of(SpendingChanged)[-1].calls == len(server.requests)
        # Nothing is asked again, not even what was refused: a filter may be of another mind by then.
        asked, rounds = len(server.requests), rounds_of(project)
        assert stage.go(project).stopped.prompt == end.stopped.prompt
        assert (len(server.requests), rounds_of(project)) == (asked, rounds)
        assert max(bought(project).values()) <= 2


def test_an_answer_that_a_filter_stops_twice_is_left_out_too(tmp_path: Path) -> None:
    def halved(reply: Scripted) -> Scripted:
        return replace(reply, text="Half of an ans", finish_reason="content_filter")

    with ModelServer(climbing, faults=refusing(halved, "execute")) as server:
        end = stage_of(tmp_path, server, rounds=2)
        assert end.outcomes == ["seed", "win"]
        assert [(one.round, one.index) for one in end.of(Answered) if one.error] == [(1, 7), (2, 7)]
        judged = [conversation(one.json) for one in server.requests if role_of(one.json) == "judge"]
        assert not any("Half of an ans" in one for one in judged)


def test_a_run_with_a_refused_question_is_resumed_and_replayed_as_it_was(tmp_path: Path) -> None:
    plan = refusing(FILTERED, "execute")
    with ModelServer(climbing, faults=plan) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(9), sample=9, max_rounds=3)
        end = stage.go(project)
        struck = plan.struck
        again = stage.go(project, changes={"rounds": 4})
        assert again.outcomes == [*end.outcomes, "win"]
        assert plan.struck == struck + 1
        replayed = told(rehearse(project, tmp_path / "scratch", 0))
        assert replayed.outcomes == again.outcomes


@pytest.mark.parametrize("fault", REFUSALS.values(), ids=REFUSALS)
def test_one_row_in_fifty_that_is_refused_is_errored_and_the_others_are_scored(
    tmp_path: Path, fault: Fault
) -> None:
    plan = Plan(lambda request: fault if "What is 7 plus" in conversation(request) else None)
    with ModelServer(adding, faults=plan) as server:
        (found,) = asyncio.run(measure(tmp_path, server, "style 4"))
        assert found.score.left_out == 1
        assert found.score.rows == len(found.marks) - 1
        asked = len(server.requests)
        (again,) = asyncio.run(measure(tmp_path, server, "style 4"))
        assert again.marks == found.marks
        # What was refused cost nothing, and the endpoint may have changed since.
        assert len(server.requests) == asked + 1


def test_a_scored_run_does_without_the_rows_that_are_refused(tmp_path: Path) -> None:
    words = ("What is 7 plus", "plus 7?")
    plan = Plan(lambda one: FILTERED if any(word in conversation(one) for word in words) else None)
    with ModelServer(adding, faults=plan) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(scored_project(stage, "gradsum", parameters={"iterations": 1}, count=60))
        assert end.stopped.reason == "finished"
        assert plan.struck


def test_a_model_that_refuses_everything_ends_the_run_with_its_words(tmp_path: Path) -> None:
    with ModelServer(climbing, faults=lambda *_: UNKNOWN) as server:
        end = stage_of(tmp_path, server, rounds=2)
        assert end.stopped.reason == "failed"
        assert "not to our liking" in end.stopped.cause
    with ModelServer(climbing, faults=lambda *_: FILTERED) as server:
        end = stage_of(tmp_path / "filtered", server, rounds=2)
        assert end.stopped.reason == "failed"
        assert "no answer with the seed prompt" in end.stopped.cause
        assert "content management policy" in end.stopped.cause


def stage_of(folder: Path, server: ModelServer, rounds: int) -> Told:
    stage = Stage(folder, server)
    return stage.go(stage.project(text=template(9), sample=9, max_rounds=rounds))


def test_answers_that_the_judge_s_endpoint_refuses_together_are_compared_one_by_one(tmp_path: Path) -> None:
    plan = refusing(TOO_LONG, "judge", words="Question 2: ")
    with ModelServer(climbing, faults=plan) as server:
        end = stage_of(tmp_path, server, rounds=2)
        assert end.outcomes == ["seed", "win"]
        assert [one.choice for one in end.of(VoteCast)] == ["win"] * len(end.of(VoteCast))
        [notice] = [one.text for one in end.of(Noticed) if "question by question" in one.text]
        assert "exceeds the limit" in notice


def test_a_question_that_the_judge_s_endpoint_refuses_is_a_void_vote_among_others(tmp_path: Path) -> None:
    plan = refusing(FILTERED, "judge")
    with ModelServer(climbing, faults=plan) as server:
        end = stage_of(tmp_path, server, rounds=2)
        assert end.outcomes == ["seed", "win"]
        assert "void" in end.of(VoteCast)[0].reason


def test_an_overflow_of_the_optimizer_says_what_to_shorten(tmp_path: Path) -> None:
    plan = Plan(lambda request: TOO_LONG if role_of(request) == "propose" else None)
    with ModelServer(climbing, faults=plan) as server:
        end = stage_of(tmp_path, server, rounds=2)
        assert end.stopped.reason == "failed"
        assert "fewer or shorter questions" in end.stopped.cause
        assert end.stopped.best == 1


def test_no_call_is_lost_to_a_filter_an_overflow_and_a_limit_of_two_at_once(tmp_path: Path) -> None:
    def choose(request: JsonObject) -> Fault | None:
        text = conversation(request)
        if role_of(request) == "execute" and ("Question 3?" in text or "Question 11?" in text):
            return FILTERED if "Question 3?" in text else TOO_LONG
        answering = [one for one in server.requests if one.outcome == "open"]
        words = "You reached max concurrency: 2, please try again after 0.02 seconds"
        return at_once(faults.status(429, words)) if len(answering) > 2 else None

    with ModelServer(climbing, faults=Plan(choose), delay=0.02) as server:
        stage = Stage(tmp_path, server)
        retry = RetrySettings(tries=2, seconds=20.0)
        project = stage.project(text=template(20), sample=20, max_rounds=2, retry=retry, final_check=True)
        end = stage.go(project)
        assert end.stopped.reason == "finished"
        assert end.outcomes == ["seed", "win"]
        assert sum(not one.error for one in end.of(Answered)) == 36
        assert end.one(FinalCheckFinished).questions == 18
        dropped = Counter(one.key.index for one in end.of(CallDropped) if one.failed)
        assert dropped == {3: 2, 11: 2}


def at_once(fault: Fault) -> Fault:
    """The same without the server's delay."""
    return lambda reply: replace(fault(reply), delay=0.0)
