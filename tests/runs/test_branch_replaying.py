"""A replay: the same run from its journal alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.domain.commands import Edit, Override, SetRounds, Stop, Vote
from spotui.domain.events import (
    Answered,
    CallStarted,
    CandidateProposed,
    CandidateRefused,
    HeldOutFinished,
    RoundFinished,
    RoundStarted,
    VoteCast,
)
from spotui.runs.branch import rehearse
from spotui.settings.table import BudgetSettings
from spotui.workspace.projects import Project
from tests.model_server import ModelServer
from tests.runs.changeable import changeable
from tests.runs.starting import Stage, Told, once, template, told


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ModelServer(changeable, delay=0.002) as server:
        yield Stage(tmp_path, server)


def replayed(project: Project, folder: Path, speed: float = 0) -> Told:
    """The run once more, after which the project is as it was."""
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    end = told(rehearse(project, folder, speed))
    assert before == {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    return end


def story(end: Told) -> list[object]:
    """What happened, as far as it does not depend on which of several calls came first."""
    return [
        [(one.round, one.best) for one in end.of(RoundStarted)],
        [(one.round, one.prompt, one.edited) for one in end.of(CandidateProposed)],
        [(one.round, one.why, one.final) for one in end.of(CandidateRefused)],
        sorted((one.round, one.index, one.answer) for one in end.of(Answered)),
        [(one.round, one.outcome in {"seed", "win"}, one.best) for one in end.of(RoundFinished)],
        [(one.best, one.outcome) for one in end.of(HeldOutFinished)],
        (end.stopped.best, end.stopped.prompt, end.stopped.rounds),
    ]


@pytest.mark.parametrize("speed", [0, 20])
def test_it_tells_the_same_story_and_asks_nobody(stage: Stage, tmp_path: Path, speed: float) -> None:
    project = stage.project(text=template(4), max_rounds=6, sample=2)
    first = stage.go(project)
    sent = len(stage.server.requests)
    again = replayed(project, tmp_path / "scratch", speed)
    assert len(stage.server.requests) == sent
    assert story(again) == story(first)
    assert again.stopped.reason == "finished"
    votes = {(one.round, one.index, one.choice, one.order) for one in first.of(VoteCast)}
    assert {(one.round, one.index, one.choice, one.order) for one in again.of(VoteCast)} <= votes


def test_what_people_decided_happens_again(stage: Stage, tmp_path: Path) -> None:
    project = stage.project(text=template(2), max_rounds=3)
    run = stage.run(project)
    run.command(Edit(round=3, prompt="In style 9."))
    run.command(SetRounds(5))
    reactions = [
        once(RoundStarted, lambda event: event.round == 4, Override(round=3, outcome="loss")),
        once(CallStarted, lambda event: event.key.purpose == "vote", Vote(round=2, choice="loss")),
    ]
    first = told(run, lambda event: next((found for one in reactions if (found := one(event))), None))
    assert any(vote.voter == "human" for vote in first.of(VoteCast))
    again = replayed(project, tmp_path / "scratch")
    assert story(again) == story(first)
    assert [vote for vote in again.of(VoteCast) if vote.voter == "human"]


def test_a_run_that_was_stopped_is_replayed_as_far_as_it_came(stage: Stage, tmp_path: Path) -> None:
    project = stage.project(text=template(2), max_rounds=6)
    told(stage.run(project), once(RoundStarted, lambda event: event.round == 4, Stop()))
    again = replayed(project, tmp_path / "scratch")
    assert (again.stopped.reason, again.stopped.cause) == ("stopped", "The recording ends here.")
    assert again.outcomes == ["seed", "win", "loss"]


def test_a_spent_budget_does_not_end_a_replay_early(stage: Stage, tmp_path: Path) -> None:
    project = stage.project(text=template(2), max_rounds=6, budget=BudgetSettings(calls=12))
    first = stage.go(project)
    assert first.stopped.reason == "budget"
    again = replayed(project, tmp_path / "scratch")
    assert (again.outcomes, again.stopped.cause) == (first.outcomes, "The recording ends here.")
