"""Pausing, stopping and limits: each takes effect and is kept, or is refused and changes nothing."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.domain.commands import AnyCommand, Pause, Resume, SetBudget, SetConcurrency, SetRounds, Stop
from spotui.domain.events import (
    CallStarted,
    CommandRefused,
    Event,
    LimitsChanged,
    RunStopped,
    StateChanged,
)
from spotui.domain.records import LimitsLine
from spotui.workspace.journal_reader import read_lines
from tests.model_server import ModelServer
from tests.runs.reactions import at_round, both, resumed_alike, when_paused
from tests.runs.starting import Stage, once, text_of, told
from tests.spo_model import climbing


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A place where every candidate wins."""
    with ModelServer(climbing) as server:
        yield Stage(tmp_path, server)


def test_pause_sends_nothing_new_until_resume(stage: Stage) -> None:
    seen: list[Event] = []

    def react(event: Event) -> AnyCommand | None:
        seen.append(event)
        return pause(event) or resume(event)

    pause, resume = at_round(2, Pause()), when_paused(Resume())
    end = told(stage.run(stage.project()), react)
    states = [(event.state, event.cause) for event in end.of(StateChanged)]
    assert states == [("paused", "Paused by the user."), ("running", "")]
    start, stop = (seen.index(event) for event in end.of(StateChanged))
    assert not [event for event in seen[start:stop] if isinstance(event, CallStarted)]
    assert end.stopped.reason == "finished"


def test_pause_at_the_candidate_waits_before_it_is_executed(stage: Stage) -> None:
    end = told(stage.run(stage.project()), both(at_round(2, Pause(at="candidate")), when_paused(Resume())))
    states = end.of(StateChanged)
    assert [event.state for event in states] == ["paused", "running"]
    assert "candidate of round 2" in states[0].cause
    before = end.events[: end.events.index(states[1])]
    purposes = [(event.key.round, event.key.purpose) for event in before if isinstance(event, CallStarted)]
    assert purposes[-1] == (2, "propose")


def test_pause_at_the_candidate_means_a_new_one_when_a_run_is_resumed(stage: Stage) -> None:
    project = stage.project()
    told(stage.run(project), at_round(3, Stop()))
    run = stage.run(project)
    run.command(Pause(at="candidate"))
    end = told(run, when_paused(Resume()))
    assert "candidate of round 3" in end.of(StateChanged)[0].cause
    assert end.stopped.reason == "finished"


def test_stop_keeps_what_is_in_flight_and_the_best_and_can_be_resumed(stage: Stage) -> None:
    project = stage.project()
    react = once(CallStarted, lambda event: event.key.round == 3 and event.key.purpose == "execute", Stop())
    end = told(stage.run(project), react)
    assert (end.stopped.reason, end.stopped.best, end.stopped.rounds) == ("stopped", 2, 2)
    assert end.stopped.resumable
    sent = [text_of(request) for request in stage.server.requests]
    assert {request.outcome for request in stage.server.requests} == {"completed"}
    end = stage.go(project)
    again = [text_of(request) for request in stage.server.requests[len(sent) :]]
    assert not set(again) & set(sent)
    assert (end.stopped.reason, end.stopped.best) == ("finished", 3)


def test_stop_ends_a_paused_run(stage: Stage) -> None:
    end = told(stage.run(stage.project()), both(at_round(2, Pause()), when_paused(Stop())))
    assert (end.stopped.reason, end.stopped.cause) == ("stopped", "Stopped by the user.")


def test_more_rounds_can_be_asked_for(stage: Stage) -> None:
    project = stage.project(max_rounds=2)
    end = told(stage.run(project), at_round(2, SetRounds(4)))
    assert end.one(LimitsChanged).changes == {"rounds": 4}
    assert end.stopped.rounds == 4
    assert resumed_alike(stage, project)


def test_fewer_rounds_end_the_run_after_the_one_under_way(stage: Stage) -> None:
    project = stage.project(max_rounds=9)
    assert told(stage.run(project), at_round(2, SetRounds(2))).stopped.rounds == 2
    assert resumed_alike(stage, project)


def test_fewer_rounds_than_have_begun_are_refused(stage: Stage) -> None:
    project = stage.project()
    end = told(stage.run(project), at_round(3, SetRounds(2)))
    assert "at least 3" in end.one(CommandRefused).why
    assert end.stopped.rounds == 3
    assert not list(read_lines(project.journal, LimitsLine))


def test_a_smaller_budget_stops_the_run_and_the_journal_keeps_it(stage: Stage) -> None:
    project = stage.project()
    end = told(stage.run(project), at_round(2, SetBudget(calls=5)))
    assert (end.stopped.reason, len(stage.server.requests)) == ("budget", 5)
    assert stage.go(project).stopped.reason == "budget"
    end = told(stage.run(project, changes={"calls": None}))
    assert end.stopped.reason == "finished"


def test_a_part_of_the_budget_is_changed_and_the_rest_stays(stage: Stage) -> None:
    project = stage.project()
    end = told(stage.run(project), at_round(1, SetBudget(calls=100), SetBudget(tokens=None)))
    assert end.of(LimitsChanged)[0].changes == {"calls": 100}
    assert end.stopped.reason == "finished"


def test_concurrency_holds_from_the_next_call_on_and_in_later_sessions(tmp_path: Path) -> None:
    with ModelServer(climbing, delay=0.01) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()
        run = stage.run(project)
        run.command(SetConcurrency(1))
        told(run, at_round(3, Stop()))
        stage.go(project)
        assert server.peak_open == 1


@pytest.mark.parametrize(
    ("command", "name", "why"),
    [
        (SetRounds(0), "rounds", "at least 1"),
        (SetRounds(10**9), "rounds", "rounds must be a whole number from 1 to 10000"),
        (SetConcurrency(0), "concurrency", "concurrency must be a whole number from 1 to 10000"),
        (SetConcurrency(10**30), "concurrency", "not a huge number"),
        (SetBudget(calls=-1), "budget", "calls must be a whole number, 1 or more"),
        (SetBudget(calls=0), "budget", "calls must be a whole number, 1 or more"),
        (SetBudget(tokens=10**15), "budget", "tokens must be a whole number, 1 or more"),
        (SetBudget(usd=-0.5), "budget", "usd must be an amount in USD, more than 0"),
        (SetBudget(usd=math.nan), "budget", "usd must be an amount in USD, more than 0"),
        (SetBudget(usd=math.inf), "budget", "usd must be an amount in USD, more than 0"),
        (SetBudget(minutes=math.nan), "budget", "minutes must be minutes, more than 0"),
    ],
)
def test_impossible_limits_are_refused(stage: Stage, command: AnyCommand, name: str, why: str) -> None:
    project = stage.project()
    run = stage.run(project)
    run.command(command)
    end = told(run)
    refused = end.one(CommandRefused)
    assert refused.command == name
    assert why in refused.why
    assert not list(read_lines(project.journal, LimitsLine))
    assert isinstance(end.events[-1], RunStopped)
    assert end.stopped.reason == "finished"
