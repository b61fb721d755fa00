"""A call that fails for good: the run waits for a person, or ends, and can always go on."""

import os
from collections import Counter
from pathlib import Path

import pytest

from spotui.domain.commands import Resume, Stop
from spotui.domain.events import CallRetried, RunStopped, StateChanged
from spotui.domain.records import Line, StopLine
from spotui.llm.door import Trouble
from spotui.settings.table import RetrySettings
from spotui.workspace.history import read_history
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError
from tests.model_server import JsonObject, ModelServer, Scripted, faults
from tests.runs.starting import Stage, bought, once, results_of, template, text_of, told
from tests.spo_model import climbing


class Breakable:
    """A fault plan that can be fixed."""

    def __init__(self, fault: faults.Fault, after: int) -> None:
        self.broken = True
        self._fault = fault
        self._after = after

    def __call__(self, number: int, request: JsonObject) -> faults.Fault | None:
        return self._fault if self.broken and number > self._after else None


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (faults.status(503, "overloaded"), "overloaded"),
        (faults.reset(), "127.0.0.1"),
        (faults.status(401, "wrong key"), "wrong key"),
    ],
)
def test_it_pauses_with_the_cause_and_goes_on_when_told_to(
    tmp_path: Path, fault: faults.Fault, cause: str
) -> None:
    down = Breakable(fault, after=3)
    with ModelServer(climbing, faults=down) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()

        def hint(event: object) -> Resume | None:
            if isinstance(event, StateChanged) and event.state == "paused":
                down.broken = False
                return Resume()
            return None

        end = told(stage.run(project, on_trouble="pause"), hint)
    states = end.of(StateChanged)
    assert [event.state for event in states] == ["paused", "running"]
    assert cause in states[0].cause
    assert (end.stopped.reason, end.stopped.best) == ("finished", 3)
    asked = Counter(
        text_of(one) for one in server.requests if one.outcome == "completed" and one.status == 200
    )
    assert all(times <= 2 for times in asked.values())


def test_a_paused_run_can_be_stopped_and_resumed_later(tmp_path: Path) -> None:
    down = Breakable(faults.status(500), after=5)
    with ModelServer(climbing, faults=down) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()
        react = once(StateChanged, lambda event: event.state == "paused", Stop())
        end = told(stage.run(project, on_trouble="pause"), react)
        assert (end.stopped.reason, end.stopped.rounds) == ("stopped", 1)
        kept = bought(project)
        down.broken, sent = False, len(server.requests)
        assert stage.go(project).stopped.reason == "finished"
        assert not kept.keys() & {text_of(one) for one in server.requests[sent:]}


def test_it_halts_with_the_cause_and_is_resumed(tmp_path: Path) -> None:
    down = Breakable(faults.status(500, "out of order"), after=5)
    with ModelServer(climbing, faults=down) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()
        end = stage.go(project)
        assert (end.stopped.reason, end.stopped.resumable) == ("failed", True)
        assert "out of order" in end.stopped.cause
        stop = read_history(project).stop
        assert stop is not None
        assert stop.cause == end.stopped.cause
        down.broken = False
        assert stage.go(project).stopped.reason == "finished"


def test_what_passes_by_itself_is_tried_again_without_a_person(tmp_path: Path) -> None:
    plan = {2: faults.status(429, headers={"Retry-After": "0"}), 6: faults.truncated(), 9: faults.status(500)}
    retry = RetrySettings(tries=3, seconds=20)
    with ModelServer(climbing, faults=plan) as server:
        stage = Stage(tmp_path, server)
        project = stage.project("faulty", retry=retry, text=template(2))
        end = stage.go(project)
        assert len(end.of(CallRetried)) == 3
        assert not end.of(StateChanged)
        sound = stage.project("sound", text=template(2))
        stage.go(sound)
    assert results_of(project) == results_of(sound)


def test_a_last_line_that_cannot_be_kept_is_told_and_the_run_still_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Journal.append

    def full(journal: Journal, line: Line) -> None:
        if isinstance(line, StopLine):
            raise JournalError("The disk is full.")
        append(journal, line)

    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=2)
        monkeypatch.setattr(Journal, "append", full)
        end = stage.go(project)
        assert isinstance(end.events[-1], RunStopped)
        assert end.stopped.reason == "finished"
        monkeypatch.undo()
        assert read_history(project).state == "interrupted"
        assert stage.go(project).stopped.reason == "finished"
        assert read_history(project).state == "ended"


@pytest.mark.parametrize("on_trouble", ["halt", "pause"])
@pytest.mark.parametrize("when", [4, 17])
def test_a_journal_that_is_cut_during_a_run_ends_it_with_a_sentence(
    tmp_path: Path, on_trouble: Trouble, when: int
) -> None:
    def model(request: JsonObject) -> str | Scripted:
        if len(server.requests) == when:
            os.truncate(project.journal, 500)
        return climbing(request)

    with ModelServer(model) as server:
        stage = Stage(tmp_path, server)
        project = stage.project()
        end = told(stage.run(project, on_trouble=on_trouble))
    assert end.stopped.reason == "failed"
    assert "Another program has" in end.stopped.cause
    # A line that was on its way when the file was cut ends up behind the cut; none is written after it.
    assert project.journal.read_bytes()[500:].count(b"\n") <= 1
