"""A branch: a copy of a run up to a round, whose prompt is then the best."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from spotui.domain.commands import Override
from spotui.domain.events import RoundStarted
from spotui.runs.branch import branch
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project, ProjectError
from spotui.workspace.snapshot import read_snapshot
from tests.model_server import ModelServer
from tests.runs.changeable import changeable
from tests.runs.starting import Stage, bought, rounds_of, template, text_of, told


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with ModelServer(changeable) as server:
        yield Stage(tmp_path_factory.mktemp("branch"), server)


@pytest.fixture(scope="module")
def origin(stage: Stage) -> Project:
    """Seed, win, loss, win, win, loss, and a duel on held-out questions."""
    project = stage.project("origin", template(4), max_rounds=6, sample=2)
    stage.go(project)
    return project


def branched(stage: Stage, project: Project, number: int, name: str) -> Project:
    """A branch of a project from a round."""
    line = read_history(project).round(number)
    assert line is not None
    return branch(stage.workspace, project, line, name)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6])
def test_it_goes_on_from_its_round_and_buys_nothing_of_the_past(
    stage: Stage, origin: Project, number: int
) -> None:
    before = origin.journal.read_bytes()
    copy = branched(stage, origin, number, f"from {number}")
    prompt = rounds_of(origin)[number - 1][1]
    history = read_history(copy)
    assert [line.round for line in history.rounds] == list(range(1, number + 1))
    assert history.best is not None
    assert (history.best.round, history.best.prompt) == (number, prompt)
    held = bought(copy)
    sent = len(stage.server.requests)
    end = stage.go(copy, changes={"rounds": number + 1})
    assert [event.best for event in end.of(RoundStarted)][number] == number
    again = {text_of(request) for request in stage.server.requests[sent:]}
    assert not again & held.keys()
    assert any(str(prompt) in text for text in again)
    assert origin.journal.read_bytes() == before


def test_a_branch_knows_where_it_came_from_and_is_a_run_of_its_own(stage: Stage, origin: Project) -> None:
    copy = branched(stage, origin, 2, "a child")
    old, new = read_snapshot(origin.snapshot), read_snapshot(copy.snapshot)
    assert new.origin is not None
    assert (new.origin.project, new.origin.round) == ("origin", 2)
    assert new.run != old.run
    assert (new.template, new.questions, new.settings) == (old.template, old.questions, old.settings)
    assert read_history(copy).state == "interrupted"


def test_a_branch_from_a_round_that_a_person_let_win_later_starts_from_it(stage: Stage) -> None:
    project = stage.project("overridden", template(2), max_rounds=3)
    stage.go(project)
    run = stage.run(project)
    run.command(Override(round=3, outcome="win"))
    assert told(run).stopped.best == 3
    copy = branched(stage, project, 3, "from overridden")
    end = stage.go(copy)
    assert (end.stopped.best, end.stopped.prompt) == (3, rounds_of(project)[2][1])


def test_a_branch_from_a_round_that_a_person_let_lose_later_starts_from_it(stage: Stage) -> None:
    project = stage.project("let lose", template(2), max_rounds=2)
    stage.go(project)
    run = stage.run(project)
    run.command(Override(round=2, outcome="loss"))
    assert told(run).stopped.best == 1
    assert stage.go(branched(stage, project, 2, "from loser")).stopped.best == 2


def test_verdicts_that_were_in_force_by_then_are_in_the_branch(stage: Stage) -> None:
    project = stage.project("in force", template(2), max_rounds=2)
    stage.go(project)
    run = stage.run(project, changes={"rounds": 3})
    run.command(Override(round=2, outcome="loss"))
    told(run)
    copy = branched(stage, project, 3, "from in force")
    assert [line[5] for line in rounds_of(project)] == [line[5] for line in rounds_of(copy)]
    sent = len(stage.server.requests)
    stage.go(copy)
    assert len(stage.server.requests) == sent


def test_a_name_that_is_taken_is_refused(stage: Stage, origin: Project) -> None:
    with pytest.raises(ProjectError, match="a project 'origin' already"):
        branched(stage, origin, 2, "origin")


def test_the_originals_budget_of_calls_counts_only_what_the_branch_holds(
    stage: Stage, origin: Project, tmp_path: Path
) -> None:
    copy = branched(stage, origin, 1, "cheap")
    end = stage.go(copy, changes={"calls": 3, "rounds": 2})
    assert (end.stopped.reason, bought(copy).total()) == ("budget", 3)
