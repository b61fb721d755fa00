"""A project read back: its rounds, its best, how it stands."""

import json
import os
import time
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from spotui.domain.records import HeldOutLine, Line, SessionLine, StopLine
from spotui.workspace.history import History, apply_overrides, read_history, total_cost
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError
from spotui.workspace.lock import ProjectLock
from spotui.workspace.projects import Project
from spotui.workspace.spo_files import ResultsError
from tests.workspace.journal_lines import AT, RUN, a_call, a_round, a_verdict
from tests.workspace.reference import write_round

BEGUN = SessionLine(at=AT, pid=1, host="h", spotui="0")
STOPPED = StopLine(at=AT, reason="stopped", best=1)
FINISHED = StopLine(at=AT, reason="finished", best=2)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "poem" / "prompts").mkdir(parents=True)
    return Project(tmp_path / "poem", "poem")


def history(project: Project, *lines: Line) -> History:
    project.journal.unlink(missing_ok=True)
    with Journal(project.journal, run=RUN, writable=True) as journal:
        for line in lines:
            journal.append(line)
    return read_history(project)


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([], "interrupted"),
        ([BEGUN], "interrupted"),
        ([BEGUN, a_round(1, "seed")], "interrupted"),
        ([BEGUN, STOPPED], "ended"),
        ([BEGUN, STOPPED, BEGUN], "interrupted"),
        ([BEGUN, STOPPED, BEGUN, FINISHED], "ended"),
    ],
)
def test_a_run_ended_when_its_last_session_gave_a_stop_reason(
    lines: list[Line], state: str, project: Project
) -> None:
    found = history(project, *lines)
    assert found.state == state
    assert found.stop == (lines[-1] if state == "ended" else None)


def test_a_run_is_running_while_its_project_is_held(project: Project) -> None:
    lock = ProjectLock(project.lock, project.name)
    lock.acquire()
    assert history(project, BEGUN, a_round(1, "seed")).state == "running"
    assert history(project, BEGUN, STOPPED).state == "running"
    lock.release()
    assert read_history(project).state == "ended"


def test_rounds_come_by_number_and_the_last_line_of_each_counts(project: Project) -> None:
    again = a_round(2, "win", "Again.")
    found = history(project, a_round(2, "loss"), a_call(), a_round(1, "seed"), again)
    assert found.rounds == (a_round(1, "seed"), again)
    assert found.round(2) == again
    assert found.round(3) is None


def test_the_best_is_the_newest_winner(project: Project) -> None:
    assert history(project).best is None
    found = history(project, a_round(1, "seed"), a_round(2, "win"), a_round(3, "win"), a_round(4, "tie"))
    assert found.best == a_round(3, "win")


def test_a_verdict_of_a_person_counts_and_the_last_one_most(project: Project) -> None:
    rounds = (a_round(1, "seed"), a_round(2, "win"), a_round(3, "loss"))
    assert history(project, *rounds, a_verdict(2, "loss")).best == rounds[0]
    found = history(project, *rounds, a_verdict(3, "win"))
    assert found.best == msgspec.structs.replace(rounds[2], outcome="win", judged="loss")
    assert history(project, *rounds, a_verdict(3, "win"), a_verdict(3, "loss")).best == rounds[1]


def test_a_verdict_counts_although_its_round_is_written_down_again(project: Project) -> None:
    rounds = (a_round(1, "seed"), a_round(2, "loss"))
    found = history(project, *rounds, a_verdict(2, "win"), rounds[1])
    assert found.best is not None
    assert found.best.round == 2


def test_a_verdict_over_a_round_that_never_ended_changes_nothing() -> None:
    assert apply_overrides([a_round(1, "seed")], [a_verdict(2, "win")]) == (a_round(1, "seed"),)


def test_the_last_duel_is_the_newest_one(project: Project) -> None:
    duels = [HeldOutLine(at=AT, best=best, outcome="win", questions=4) for best in (2, 3)]
    assert history(project).held_out is None
    assert history(project, *duels).held_out == duels[1]


def test_the_cost_is_unknown_as_soon_as_one_price_is() -> None:
    assert total_cost([]) == 0
    assert total_cost([a_round(1, cost=0.25), a_round(2, cost=0.5)]) == 0.75
    assert total_cost([a_round(1, cost=0.25), a_round(2, cost=None)]) is None


def test_no_round_at_all_cost_dollars_as_every_other_sum_does() -> None:
    assert isinstance(total_cost([]), float)


def test_a_damaged_journal_is_an_error_although_results_could_be_read(project: Project) -> None:
    write_round(project.folder, 1, succeed=True)
    project.journal.write_bytes(b"damaged\n\n")
    with pytest.raises(JournalError, match="Line 1"):
        read_history(project)


def test_damaged_results_do_not_matter_where_there_is_a_journal(project: Project) -> None:
    project.results.write_text("damaged")
    assert history(project, a_round(1, "seed")).best == a_round(1, "seed")


def test_reading_changes_nothing(project: Project) -> None:
    history(project, BEGUN, a_round(1, "seed"))
    with project.journal.open("ab") as file:
        file.write(b'{"kind":"rou')
    before = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")}
    assert len(read_history(project).rounds) == 1
    assert {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")} == before


def test_a_workspace_of_the_reference_is_foreign_and_its_rounds_are_read(project: Project) -> None:
    write_round(project.folder, 1, prompt="Seed.", succeed=True)
    write_round(project.folder, 2, prompt="Worse.", succeed=False)
    write_round(project.folder, 3, prompt="Better.", succeed=True)
    write_round(project.folder, 4, prompt="Again.", succeed=False)
    found = read_history(project)
    assert found.state == "foreign"
    assert [(one.round, one.outcome, one.parent) for one in found.rounds] == [
        (1, "seed", 0),
        (2, "loss", 1),
        (3, "win", 1),
        (4, "loss", 3),
    ]
    assert found.rounds[0].at == datetime(2025, 2, 3, 4, 5, 6, 7).astimezone()
    assert found.rounds[0].tokens == 21
    assert found.best is not None
    assert found.best.prompt == "Better."
    assert total_cost(found.rounds) is None


def test_of_two_runs_under_one_name_the_newer_entry_of_a_round_counts(project: Project) -> None:
    for number in (1, 2, 3):
        write_round(project.folder, number, prompt=f"Old {number}.", succeed=True)
    for number in (1, 2):
        write_round(project.folder, number, prompt=f"New {number}.", succeed=number == 1)
    found = read_history(project)
    assert [(one.prompt, one.outcome) for one in found.rounds] == [
        ("New 1.", "seed"),
        ("New 2.", "loss"),
        ("Old 3.", "win"),
    ]
    for one in found.rounds:
        written = project.prompts / f"round_{one.round}" / "prompt.txt"
        assert written.read_text() == one.prompt


def foreign_moment(project: Project, text: object) -> datetime:
    """When a round of the reference is said to have ended."""
    entry = {"round": 1, "answers": [], "prompt": "", "succeed": True, "tokens": 1, "time": text}
    project.results.write_text(json.dumps([entry]))
    os.utime(project.results, (1_700_000_000, 1_700_000_000))
    (only,) = read_history(project).rounds
    return only.at


@pytest.mark.parametrize("text", ["", "yesterday", None, 5, "2025-13-01", "2025-02-03 25:00:00"])
def test_a_time_that_is_none_is_that_of_the_file(text: object, project: Project) -> None:
    assert foreign_moment(project, text) == datetime.fromtimestamp(1_700_000_000).astimezone()


@pytest.mark.parametrize("text", ["0001-01-01 00:00:00.000000", "9999-12-31 23:59:59.999999"])
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Lima", "UTC"])
def test_a_time_at_the_edge_of_the_calendar_is_no_crash(
    text: str, zone: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        assert foreign_moment(project, text).utcoffset() is not None
    time.tzset()


def test_damaged_results_without_a_journal_are_an_error(project: Project) -> None:
    project.results.write_text("damaged")
    with pytest.raises(ResultsError):
        read_history(project)


def test_a_folder_without_anything_has_no_rounds(project: Project) -> None:
    found = read_history(project)
    assert (found.rounds, found.best, found.state) == ((), None, "foreign")
