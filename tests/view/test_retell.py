"""A project told again makes the picture that its run made."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from spotui.cli import main
from spotui.domain.commands import Override
from spotui.domain.events import Event, RoundFinished, SpendingChanged
from spotui.domain.records import SessionLine, StopLine
from spotui.runs.export import export
from spotui.tui.run.history_panel import voted_cells
from spotui.view.picture import Picture
from spotui.view.report.markdown import as_markdown
from spotui.view.report.of_run import report_of_run
from spotui.view.retell import retell
from spotui.view.story import Story
from spotui.view.telling import line
from spotui.workspace.history import read_history
from spotui.workspace.moving import create_project
from spotui.workspace.projects import Project, Workspace
from tests.command_line import TEMPLATE
from tests.model_server import ModelServer
from tests.runs.starting import Stage, once, template, told
from tests.spo_model import climbing, mixed
from tests.view.test_picture import painted
from tests.workspace.journal_lines import AT, a_round
from tests.workspace.snapshots import a_snapshot

FROM_SPO = """[
  {"round": 1, "answers": [{"question": "Q", "answer": "A"}], "prompt": "Say.", "succeed": true},
  {"round": 2, "answers": [{"question": "Q", "answer": "B"}], "prompt": "Tell.", "succeed": true},
  {"round": 3, "answers": [{"question": "Q", "answer": "C"}], "prompt": "Sing.", "succeed": false}
]"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ModelServer(climbing) as server:
        yield Stage(tmp_path, server)


def retold(project: Project) -> list[Event]:
    return list(retell(project, read_history(project)))


def rounds_in(picture: Picture) -> dict[int, tuple[object, ...]]:
    """What a picture shows of each round, apart from when it was."""
    return {
        number: (
            one.best,
            one.outcome,
            one.candidate
            and (
                one.candidate.parent,
                one.candidate.prompt,
                one.candidate.modification,
                one.candidate.reasoning,
            ),
            {index: (said.question, said.answer) for index, said in one.answers.items()},
            sorted((vote.order, vote.choice, vote.reason, vote.voter) for vote in one.votes),
            one.end and (one.end.wins, one.end.losses, one.end.calls, one.end.win_rate, one.end.win_interval),
        )
        for number, one in picture.rounds.items()
    }


def seen(picture: Picture) -> list[Any]:
    """What a picture shows, apart from what only a live run can tell."""
    assert picture.opened is not None
    assert picture.stopped is not None
    opened, stopped, held_out = picture.opened, picture.stopped, picture.held_out
    return [
        (opened.project, opened.folder, opened.run, opened.method, opened.models, opened.rounds),
        (opened.questions, opened.held_out, opened.judge, opened.prompt, opened.limits),
        (picture.state, picture.cause, picture.rounds_wanted, picture.limits, picture.best),
        rounds_in(picture),
        held_out and (held_out.best, held_out.outcome, held_out.questions, held_out.wins, held_out.losses),
        (stopped.reason, stopped.best, stopped.improved, stopped.rounds, stopped.prompt, stopped.resumable),
    ]


@pytest.mark.parametrize("model", [climbing, mixed], ids=["climbing", "mixed"])
def test_a_finished_run_looks_as_it_did_when_it_ended(tmp_path: Path, model: Any) -> None:
    with ModelServer(model) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(3, count=2), max_rounds=4, seed=1)
        live = stage.go(project)
    assert seen(painted(*retold(project))) == seen(painted(*live.events))


def test_every_candidate_and_every_vote_is_in_the_log_again(stage: Stage) -> None:
    project = stage.project()
    live, again = Story(), Story()
    for event in stage.go(project).events:
        live.apply(event)
    for event in retold(project):
        again.apply(event)

    def said(story: Story) -> list[tuple[str, str, str]]:
        return sorted((one.kind, one.title, one.text) for one in story.entries if one.text)

    assert said(again) == said(live)


def test_a_verdict_that_a_person_gave_holds(stage: Stage) -> None:
    project = stage.project()
    override = once(RoundFinished, lambda event: event.round == 2, Override(round=2, outcome="loss"))
    live = painted(*told(stage.run(project), override).events)
    picture = painted(*retold(project))
    assert picture.rounds[2].outcome == live.rounds[2].outcome == "loss"
    assert picture.rounds[2].judged == live.rounds[2].judged == "win"
    assert [one.judged for one in picture.rounds.values()] == [None, "win", None]
    assert picture.best == live.best
    assert {one.number: one.best for one in picture.rounds.values()} == {
        one.number: one.best for one in live.rounds.values()
    }


def test_a_verdict_that_a_person_gave_is_marked_everywhere(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    project = stage.project()
    override = once(RoundFinished, lambda event: event.round == 2, Override(round=2, outcome="loss"))
    live = painted(*told(stage.run(project), override).events)
    story = Story()
    for event in retold(project):
        story.apply(event)
    history, ended = read_history(project), next(one for one in retold(project) if is_end_of(one, 2))

    def printed(*words: str) -> str:
        assert main([*words, "--workspace", str(project.folder.parent)]) == 0
        return capsys.readouterr().out

    cells = voted_cells(live, live.rounds[2])
    assert str(cells[1]) == "loss (you)"
    assert "round 2: loss (you)" in (line(ended) or "")
    verdict = next(one for one in story.entries if one.kind == "verdict" and one.round == 2)
    assert "(your verdict)" in verdict.title
    assert "The judge's verdict was win." in verdict.text
    assert re.search(r"2 +loss \(you\)", printed("show", project.name))
    assert "The verdict is yours; the judge's was win." in printed("show", project.name, "2")
    assert "round 2 (loss by your verdict)" in printed("diff", project.name, "1", "2")
    second = history.rounds[1]
    report = as_markdown(report_of_run(project, history, second))
    assert report.count("loss, set by hand; the judge's verdict was win") == 1
    assert json.loads(export("sea", history, second, "json"))["rounds"][1]["judged"] == "win"
    assert "judged" not in json.loads(export("sea", history, second, "json"))["rounds"][2]


def is_end_of(event: Event, number: int) -> bool:
    return isinstance(event, RoundFinished) and event.round == number


def test_a_candidate_that_a_person_edited_is_still_theirs(tmp_path: Path) -> None:
    lines = [a_round(1, "seed"), replace(a_round(2, "loss"), edited=True)]
    project = create_project(Workspace(tmp_path), "sea", a_snapshot(), lines=lines)
    candidate = painted(*retold(project)).rounds[2].candidate
    assert candidate is not None
    assert candidate.edited


def test_what_the_rounds_took_is_told_and_an_unknown_price_is_counted(tmp_path: Path) -> None:
    lines = [a_round(1, "seed", cost=0.5), a_round(2, "win", cost=None)]
    project = create_project(Workspace(tmp_path), "sea", a_snapshot(), lines=lines)
    spending = painted(*retold(project)).spending
    assert spending is not None
    assert (spending.cost_usd, spending.calls, spending.unpriced) == (0.5, 0, 0)


def test_a_run_that_ended_before_its_seed_round_says_why(tmp_path: Path) -> None:
    lines = [
        SessionLine(at=AT, pid=1, host="h", spotui="0"),
        StopLine(at=AT, reason="failed", cause="The key was refused.", best=1),
    ]
    snapshot = a_snapshot(TEMPLATE, {"max_rounds": 7})
    picture = painted(*retold(create_project(Workspace(tmp_path), "sea", snapshot, lines=lines)))
    assert picture.stopped is not None
    assert (picture.stopped.reason, picture.cause) == ("failed", "The key was refused.")
    assert (picture.stopped.best, picture.stopped.improved, picture.stopped.rounds) == (1, False, 0)
    assert picture.prompt_of(1) == picture.stopped.prompt == "Answer the question."
    assert (picture.rounds, picture.rounds_wanted) == ({}, 7)


def test_a_project_without_a_journal_has_its_rounds_and_claims_to_know_no_cost(tmp_path: Path) -> None:
    project = Workspace(tmp_path).project("poem")
    project.results.parent.mkdir(parents=True)
    project.results.write_text(FROM_SPO)
    events = retold(project)
    picture = painted(*events)
    assert (picture.best, picture.rounds_wanted, picture.stopped) == (2, 3, None)
    assert [one.outcome for one in picture.rounds.values()] == ["seed", "win", "loss"]
    assert [picture.prompt_of(number) for number in (1, 2, 3)] == ["Say.", "Tell.", "Sing."]
    assert [picture.parent_of(number) for number in (2, 3)] == [1, 2]
    assert not [event for event in events if isinstance(event, SpendingChanged)]
