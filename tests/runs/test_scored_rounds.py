"""What people and files do to runs that score rows: edits, pauses, branches, replays, damaged rows."""

import shutil
from itertools import count
from pathlib import Path

import pytest

from spotui.domain.commands import Edit, Pause, Resume
from spotui.domain.events import (
    CandidateProposed,
    CandidateScored,
    Event,
    FinalTest,
    RoundFinished,
    RoundStarted,
    RunOpened,
    StateChanged,
)
from spotui.domain.records import AnswerRecord
from spotui.domain.rows import Row
from spotui.metrics.mark import Mark
from spotui.metrics.number import Number
from spotui.runs.branch import branch, rehearse
from spotui.workspace.history import read_history
from spotui.workspace.projects import Project
from spotui.workspace.rows_file import read_rows_file
from spotui.workspace.snapshot import SnapshotError, read_snapshot
from tests.methods.scored import scored_project
from tests.model_server import ModelServer, conversation
from tests.row_model import adding, racing, template
from tests.runs.starting import Stage, told

SMALL = {"max_steps": 3, "candidates_per_step": 2}


def test_a_person_s_prompt_joins_the_candidates_of_its_round(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", parameters=SMALL, count=60)

        def react(event: Event) -> Edit | None:
            is_second = isinstance(event, RoundStarted) and event.round == 2
            return Edit(round=2, prompt="Add in style 6.") if is_second else None

        end = told(stage.run(project), react)
        own = [one for one in end.of(CandidateProposed) if one.edited]
        assert [(one.round, one.index, one.words_changed) for one in own] == [(2, 2, 1)]
        assert len([one for one in end.of(CandidateScored) if one.round == 2]) == 3
        line = read_history(project).round(2)
        assert line is not None
        assert (line.prompt, line.edited, line.outcome) == ("Add in style 6.", True, "lead")
        assert told(stage.run(project)).stopped.prompt == end.stopped.prompt


def test_a_run_waits_with_its_candidates_when_it_is_asked_to(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        run = stage.run(scored_project(stage, "gradsum", parameters={"iterations": 1}, count=60))
        run.command(Pause(at="candidate"))

        def react(event: Event) -> Resume | None:
            return Resume() if isinstance(event, StateChanged) and event.state == "paused" else None

        end = told(run, react)
    paused = next(one for one in end.of(StateChanged) if one.state == "paused")
    assert paused.cause == "The candidates of round 2 are ready to be looked at."
    assert end.stopped.reason == "finished"


def test_a_branch_goes_on_from_its_round_without_buying_it_again(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", parameters=SMALL, count=60)
        whole = told(stage.run(project))
        line = read_history(project).round(3)
        assert line is not None
        copy = branch(stage.workspace, project, line, "copy")
        before = len(server.requests)
        end = told(stage.run(copy))
        assert [one.round for one in end.of(RoundFinished)] == [1, 2, 3, 4]
        again = [
            one for one in server.requests[before:] if "style 2" in str(one.json) and "eval" in str(one.json)
        ]
        assert not again
        assert end.one(FinalTest).rows == whole.one(FinalTest).rows


def test_a_replay_ends_as_the_run_did_and_asks_nobody(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gradsum", parameters={"iterations": 2}, count=60)
        first = told(stage.run(project))
        before = len(server.requests)
        again = told(rehearse(project, tmp_path / "scratch", 0.0))
        assert len(server.requests) == before
    assert again.stopped.prompt == first.stopped.prompt
    assert [one.marks for one in again.of(CandidateScored)] == [
        one.marks for one in first.of(CandidateScored)
    ]


def test_a_run_keeps_its_rows_when_the_data_file_is_gone(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", parameters=SMALL, count=60)
        shutil.rmtree(tmp_path / "templates")
        assert told(stage.run(project)).stopped.reason == "finished"


def test_damaged_rows_are_told_by_file_and_line(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "gpo", parameters=SMALL, count=60)
        text = project.rows.read_text().splitlines()
        project.rows.write_text("\n".join([text[0], text[1][:20], *text[2:]]))
        with pytest.raises(SnapshotError, match=r"rows\.jsonl, line 2, is damaged"):
            told(stage.run(project))
    assert read_rows_file(tmp_path / "none.jsonl") is None


def test_spo_takes_its_questions_from_the_train_rows_and_is_tested_by_the_metric(tmp_path: Path) -> None:
    with ModelServer(racing) as server:
        stage = Stage(tmp_path, server)
        project = scored_project(stage, "spo", count=60, max_rounds=4)
        end = told(stage.run(project))
        rows = read_rows_file(project.rows)
        assert rows is not None
        assert {one.question for one in rows.train} >= {one.question for one in _answers(project)}
        if end.stopped.improved:
            assert end.one(FinalTest).rows == 36


def test_spo_without_a_metric_is_not_tested_on_rows(tmp_path: Path) -> None:
    with ModelServer(racing) as server:
        stage = Stage(tmp_path, server)
        text = template().replace("metric: number\n", "")
        end = told(stage.run(scored_project(stage, "spo", count=60, text=text, max_rounds=3)))
    assert end.one(RunOpened).metric == ""
    assert not end.of(FinalTest)
    assert not end.of(CandidateScored)


def _answers(project: Project) -> tuple[AnswerRecord, ...]:
    line = read_history(project).round(1)
    assert line is not None
    return line.answers


def test_a_run_keeps_only_the_meta_prompts_that_it_uses(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        of_rows = read_snapshot(scored_project(stage, "gpo", count=60).snapshot).meta_prompts
        of_spo = read_snapshot(stage.project("spo").snapshot).meta_prompts
    assert "gpo_propose" in of_rows
    assert not {"spo_propose", "gradsum_edit"} & of_rows.keys()
    assert not {"gpo_propose", "mark_answer"} & of_spo.keys()


def test_a_metric_that_raises_ends_the_run_as_failed_and_keeps_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, marked = Number.mark, count(1)

    def fragile(self: Number, answer: str, row: Row) -> Mark:
        if next(marked) > 8:
            raise ZeroDivisionError("no\nanswers")
        return mark(self, answer, row)

    with ModelServer(adding) as server:
        stage = Stage(tmp_path, server)
        parameters = {"max_steps": 1, "candidates_per_step": 1}
        project = scored_project(stage, "gpo", parameters=parameters, concurrency=1)
        with monkeypatch.context() as patch:
            patch.setattr(Number, "mark", fragile)
            stopped = stage.go(project).stopped
        assert stopped.reason == "failed"
        assert stopped.cause.startswith("The run failed with ZeroDivisionError: no answers")
        assert "The traceback is in " in stopped.cause
        bought = [conversation(one.json) for one in server.requests]
        assert stage.go(project).stopped.reason == "finished"
        again = [conversation(one.json) for one in server.requests[len(bought) :]]
    assert len(bought) >= 6
    assert not {*bought} & {*again}
