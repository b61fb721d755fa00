"""A run of a method that scores prompts, opened again later."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spotui.domain.commands import Edit
from spotui.domain.events import (
    CandidateScored,
    Event,
    NoteWritten,
    PastShown,
    RoundFinished,
    RoundStarted,
    RunOpened,
)
from spotui.domain.records import RoundLine
from spotui.runs.branch import branch
from spotui.view.picture import Picture
from spotui.view.retell import retell
from spotui.view.story import Story
from spotui.workspace.history import read_history
from spotui.workspace.journal_reader import read_lines
from spotui.workspace.projects import Project
from tests.methods.scored import scored_project
from tests.model_server import ModelServer
from tests.row_model import unending
from tests.runs.starting import Stage, told
from tests.spo_model import climbing
from tests.view.test_picture import painted

SMALL: dict[str, dict[str, Any]] = {
    "gpo": {"max_steps": 2, "candidates_per_step": 3},
    "sgdm": {"max_steps": 2, "candidates_per_step": 2},
    "gradsum": {"iterations": 2, "train_rows": 6, "subset_rows": 4, "beam": 2, "candidates_per_parent": 2},
}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ModelServer(unending) as server:
        yield Stage(tmp_path, server)


def retold(project: Project) -> list[Event]:
    return list(retell(project, read_history(project)))


def said(events: list[Event]) -> list[tuple[Any, ...]]:
    """What the log says, apart from what the calls took."""
    story = Story()
    for event in events:
        story.apply(event)
    return [
        (one.round, one.kind, one.title, one.facts, one.text, one.aside, one.tone)
        for one in story.entries
        if one.kind != "calls"
    ]


def seen(picture: Picture) -> list[object]:
    """What the rounds show."""
    return [
        (
            one.number,
            one.best,
            one.outcome,
            one.candidate,
            one.scores,
            one.end and (one.end.score, one.end.prompt),
        )
        for one in picture.rounds.values()
    ]


@pytest.mark.parametrize("method", SMALL)
def test_it_says_and_shows_what_it_did_live(stage: Stage, method: str) -> None:
    project = scored_project(stage, method, count=60, parameters=SMALL[method])
    live = stage.go(project).events
    again = retold(project)
    assert said(again) == said(live)
    assert any(one[1] in ("note", "block") for one in said(again))
    assert seen(painted(*again)) == seen(painted(*live))
    spent, told_again = painted(*live).spending, painted(*again).spending
    assert spent is not None
    assert told_again is not None
    assert (told_again.calls, told_again.prompt_tokens) == (spent.calls, spent.prompt_tokens)
    assert painted(*again).tested == msgspec.structs.replace(
        painted(*live).tested,
        at=painted(*again).tested.at,  # type: ignore[type-var, union-attr]
    )


def test_it_knows_what_it_works_on(stage: Stage) -> None:
    project = scored_project(stage, "gpo", count=60, parameters=SMALL["gpo"])
    live = stage.go(project).one(RunOpened)
    opened = retold(project)[0]
    assert isinstance(opened, RunOpened)
    assert (
        (opened.rows, opened.metric)
        == (live.rows, live.metric)
        == ({"train": 12, "eval": 12, "test": 36}, "number")
    )
    assert opened.parameters.items() <= live.parameters.items()
    assert opened.parameters == SMALL["gpo"]


def test_a_run_that_is_resumed_tells_everything_once(stage: Stage) -> None:
    project = scored_project(stage, "gradsum", count=60, parameters=SMALL["gradsum"])
    live = stage.go(project).events
    size = project.journal.stat().st_size
    again = stage.go(project).events
    assert project.journal.stat().st_size == size
    assert said(retold(project)) == said(live)
    assert sorted(said(again)) == sorted(said(live))  # calls that go out at once come back in any order
    assert len(list(read_lines(project.journal, RoundLine))) == 3


def test_a_round_that_was_cut_off_is_told_once_it_is_done(stage: Stage) -> None:
    project = scored_project(stage, "gpo", count=60, parameters=SMALL["gpo"])
    stopped = told(stage.run(project, changes={"calls": 20}))
    assert stopped.stopped.reason == "budget"
    told_before = retold(project)
    assert not [event for event in told_before if isinstance(event, PastShown)]
    told(stage.run(project, changes={"calls": None}))
    assert len([event for event in retold(project) if isinstance(event, PastShown)]) == 2


def test_a_branch_tells_its_rounds_and_what_people_wrote(stage: Stage) -> None:
    project = scored_project(stage, "gpo", count=60, parameters=SMALL["gpo"])

    def react(event: Event) -> Edit | None:
        is_second = isinstance(event, RoundStarted) and event.round == 2
        return Edit(round=2, prompt="Add in style 6.") if is_second else None

    live = told(stage.run(project), react).events
    assert said(retold(project)) == said(live)
    second = read_history(project).round(2)
    assert second is not None
    copy = branch(stage.workspace, project, second, "copy")
    scores = [event for event in retold(copy) if isinstance(event, CandidateScored)]
    assert [one.round for one in scores] == [1, 2, 2, 2, 2]


def test_the_journal_of_a_run_with_votes_holds_nothing_twice(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()
        stage.go(project)
    lines = [line for line in read_lines(project.journal, RoundLine) if isinstance(line, RoundLine)]
    assert [line.told for line in lines] == [()] * len(lines)
    assert not [event for event in retold(project) if isinstance(event, NoteWritten)]
    assert len([event for event in retold(project) if isinstance(event, RoundFinished)]) == len(lines)
