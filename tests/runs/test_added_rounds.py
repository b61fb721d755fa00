"""Rounds of SPO's own tool in a workspace: kept, shown, and the run continues after them."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from spotui.domain.errors import SpotuiError
from spotui.domain.events import Noticed, RoundFinished
from spotui.domain.records import AnswerRecord, RoundLine
from spotui.runs.branch import adopt, branch, prepare_adoption, rehearse
from spotui.runs.launch import Launcher
from spotui.settings.resolve import Flags
from spotui.workspace.history import read_history
from spotui.workspace.moving import archived, duplicate
from spotui.workspace.projects import Project
from spotui.workspace.spo_files import SpoRound, project_rounds, read_rounds, write_rounds
from tests.command_line import move_in
from tests.methods.scored import scored_project
from tests.model_server import ModelServer
from tests.row_model import adding
from tests.runs.starting import TEMPLATE, Stage, text_of, told
from tests.spo_model import climbing, role_of
from tests.workspace.reference import best_entry, write_round

ANSWERS = [
    {"question": question, "answer": "By the tool."}
    for question in ("What is a tide?", "Why is it salty?", "How deep is it?")
]


def add(project: Project, number: int, *, succeed: bool, prompt: str = "") -> dict[str, Any]:
    """Let SPO's own tool add a round; returns its entry."""
    prompt = prompt or f"Answer in style {10 * number}, by the tool."
    write_round(project.folder, number, prompt=prompt, answers=ANSWERS, succeed=succeed)
    return entries(project)[-1]


def entries(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.results.read_text())
    return found


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    move_in(monkeypatch, tmp_path)
    with ModelServer(climbing) as server:
        yield Stage(tmp_path, server)


def test_rounds_that_spo_s_tool_added_are_shown_kept_and_continued(stage: Stage) -> None:
    project = stage.project(max_rounds=2)
    stage.go(project)
    added = [add(project, 3, succeed=True), add(project, 4, succeed=False)]
    files = {path: path.read_bytes() for path in project.prompts.glob("round_[34]/*.txt")}

    history = read_history(project)
    assert [(one.round, one.outcome, one.added) for one in history.rounds[1:]] == [
        (2, "win", False),
        (3, "win", True),
        (4, "loss", True),
    ]
    assert history.best is not None
    assert (history.best.round, history.best.tokens) == (3, 21)

    before = len(stage.server.requests)
    end = stage.go(project, changes={"rounds": 5})
    assert entries(project)[2:4] == added
    assert {path: path.read_bytes() for path in files} == files
    assert [one["round"] for one in entries(project)] == [1, 2, 3, 4, 5]
    assert any("SPO's own tool added are kept: 3, 4" in one.text for one in end.of(Noticed))
    assert [(one.round, one.outcome) for one in end.of(RoundFinished)][2:] == [
        (3, "win"),
        (4, "loss"),
        (5, "win"),
    ]
    asked = [one.json for one in stage.server.requests[before:]]
    proposed = [text_of(one) for one in asked if role_of(one) == "propose"]
    assert len(proposed) == 1
    assert "style 30, by the tool" in proposed[0]
    # The tool's answers are of a model that nobody knows: the questions are asked again with its prompt.
    assert sum("style 30, by the tool" in text_of(one) and role_of(one) == "execute" for one in asked) == 3
    assert best_entry(project.folder)["round"] == end.stopped.best == 5

    before = len(stage.server.requests)
    again = stage.go(project)
    assert (again.stopped.prompt, len(stage.server.requests)) == (end.stopped.prompt, before)


def test_a_finished_run_ends_with_the_best_of_the_added_rounds(stage: Stage) -> None:
    project = stage.project(max_rounds=2, final_check=True)
    stage.go(project)
    add(project, 3, succeed=True)
    end = stage.go(project)
    assert (end.stopped.best, end.stopped.reason) == (3, "finished")
    assert read_history(project).stop is not None


def test_a_round_that_is_added_while_the_run_writes_is_kept(stage: Stage) -> None:
    project = stage.project(max_rounds=2)
    stage.go(project)
    entry = add(project, 3, succeed=True)
    ours = [line for line in read_history(project).rounds if not line.added]
    write_rounds(project.prompts, project_rounds(ours))
    assert entries(project)[-1] == entry


def test_a_tool_that_starts_again_at_the_first_round_is_counted_on(stage: Stage) -> None:
    project = stage.project(max_rounds=2)
    stage.go(project)
    add(project, 1, succeed=True, prompt="Say something about the sea.")
    add(project, 2, succeed=True)
    rounds = read_history(project).rounds
    assert [(one.round, one.outcome) for one in rounds[2:]] == [(3, "void"), (4, "win")]
    assert rounds[3].note == "run by SPO's own tool, as its round 2"
    stage.go(project, changes={"rounds": 5})
    assert [one["round"] for one in entries(project)] == [1, 2, 3, 4, 5]
    assert entries(project)[3]["prompt"] == "Answer in style 20, by the tool."
    stage.go(project)
    assert [one.round for one in read_history(project).rounds] == [1, 2, 3, 4, 5]


def test_numbers_that_the_tool_left_out_stay_free(stage: Stage) -> None:
    project = stage.project(max_rounds=2)
    stage.go(project)
    add(project, 7, succeed=True)
    add(project, 10**12, succeed=False, prompt="A slip.")
    stage.go(project, changes={"rounds": 9})
    assert [one.round for one in read_history(project).rounds] == [1, 2, 7, 8, 9]


def test_fewer_rounds_than_there_are_cannot_be_wanted(stage: Stage) -> None:
    project = stage.project(max_rounds=2)
    stage.go(project)
    add(project, 6, succeed=True)
    with pytest.raises(SpotuiError, match="has 6 rounds already, more than 4"):
        stage.go(project, changes={"rounds": 4})


def test_a_journal_that_was_cut_is_not_mistaken_for_rounds_of_the_tool(stage: Stage) -> None:
    project = stage.project(max_rounds=3)
    stage.go(project)
    whole = project.journal.read_bytes().splitlines(keepends=True)
    project.journal.write_bytes(b"".join(whole[:8]))
    assert not any(line.added for line in read_history(project).rounds)
    stage.go(project)
    assert not any(line.added for line in read_history(project).rounds)


def test_where_prompts_are_scored_added_rounds_are_kept_and_beat_nothing(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", count=60, parameters={"max_steps": 2}, max_rounds=3)
        best = stage.go(project).stopped.best
        entry = add(project, 4, succeed=True)
        history = read_history(project)
        assert history.best is not None
        assert history.best.round == best
        end = stage.go(project, changes={"rounds": 5})
        assert entry in entries(project)
        assert end.stopped.best != 4


def test_added_rounds_are_in_a_replay_a_branch_and_a_copy(stage: Stage, tmp_path: Path) -> None:
    project = stage.project(max_rounds=2)
    stage.go(project)
    add(project, 3, succeed=True)
    third = read_history(project).round(3)
    assert third is not None
    copy = duplicate(stage.workspace, project, "copy")
    assert [one.round for one in read_history(copy).rounds] == [1, 2, 3]
    other = branch(stage.workspace, project, third, "other")
    assert [one.round for one in read_history(other).rounds] == [1, 2, 3]
    end = stage.go(project, changes={"rounds": 4})
    replayed = told(rehearse(project, tmp_path / "scratch", 0))
    assert replayed.stopped.prompt == end.stopped.prompt
    assert replayed.outcomes == end.outcomes


def adopted(stage: Stage, name: str = "sea", *, text: str = TEMPLATE, more: int = 1) -> Project:
    path = stage.folder / "sea.yaml"
    path.write_text(text)
    flags = Flags(model="test-model", base_url=stage.server.base_url, final_check=False)
    launcher, project = Launcher({}), stage.workspace.existing(name)
    prepared = prepare_adoption(launcher, project, path, flags, more_rounds=more)
    return adopt(launcher, stage.workspace, project, prepared)


@pytest.mark.parametrize("name", ["sea", "0f8fad5b-d9cb-469f-a165-70867728950e/sea"])
def test_a_workspace_of_spo_s_tool_is_continued_from_its_best_prompt(stage: Stage, name: str) -> None:
    foreign = stage.workspace.project(name)
    add(foreign, 1, succeed=True, prompt="Say it in style 1, as the tool began.")
    add(foreign, 2, succeed=True)
    add(foreign, 3, succeed=False)
    written = foreign.results.read_bytes()

    project = adopted(stage, name)
    assert project.results.read_bytes() == written
    assert archived(stage.workspace)[0].folder.joinpath("prompts", "results.json").read_bytes() == written
    before = len(stage.server.requests)
    end = stage.go(project)
    asked = [one.json for one in stage.server.requests[before:]]
    assert entries(project)[:3] == json.loads(written)
    assert (end.stopped.best, end.stopped.improved) == (4, True)
    # The seed, the best prompt and the new one, three questions each.
    assert sum(role_of(one) == "execute" for one in asked) == 9
    assert any("as the tool began" in text_of(one) for one in asked)
    (proposed,) = [text_of(one) for one in asked if role_of(one) == "propose"]
    assert "style 20, by the tool" in proposed


def test_where_the_tool_ran_twice_the_older_rounds_stay_in_the_archive(stage: Stage) -> None:
    foreign = stage.workspace.project("sea")
    for number in (1, 2):
        add(foreign, number, succeed=True, prompt=f"Old {number}.")
    for number in (1, 2):
        add(foreign, number, succeed=True, prompt=f"New {number}.")
    project = adopted(stage)
    assert [one["prompt"] for one in entries(project)] == ["New 1.", "New 2."]
    stage.go(project)
    assert [one.round for one in read_history(project).rounds] == [1, 2, 3]


def test_a_workspace_of_spo_s_tool_is_not_continued_by_a_method_that_scores(stage: Stage) -> None:
    foreign = stage.workspace.project("sea")
    add(foreign, 1, succeed=True)
    with pytest.raises(SpotuiError, match="gpo cannot continue it"):
        adopted(stage, text=f"{TEMPLATE}method: gpo\nmetric: contains\n")
    assert stage.workspace.existing("sea").is_ours is False


def test_a_workspace_without_a_round_is_not_continued(stage: Stage) -> None:
    foreign = stage.workspace.project("sea")
    foreign.prompts.mkdir(parents=True)
    foreign.results.write_text("[]")
    with pytest.raises(SpotuiError, match="no round to continue from"):
        adopted(stage)


def test_an_added_round_keeps_verdict_tokens_and_time_in_the_file() -> None:
    one = SpoRound(
        4, (AnswerRecord("Q", "A"),), "P", succeed=False, tokens=7, time="2025-02-03 04:05:06.000007"
    )

    line = RoundLine(
        round=4,
        outcome="loss",
        prompt="P",
        answers=one.answers,
        tokens=7,
        at=datetime.fromisoformat(one.time).astimezone(),
        added=True,
    )
    assert project_rounds([line]) == [one]
    assert read_rounds(Path("nowhere") / "prompts") == []
