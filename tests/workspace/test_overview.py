"""Projects in one row each, whatever state they are in."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from spotui.domain.records import CheckLine, FinalTestLine, LimitsLine, Line, RoundLine, SessionLine, StopLine
from spotui.workspace.lock import ProjectLock
from spotui.workspace.moving import create_project
from spotui.workspace.overview import Overview, Worth, read_overview
from spotui.workspace.paces import measured_paces
from spotui.workspace.projects import Workspace
from tests.workspace.journal_lines import AT, a_round
from tests.workspace.reference import write_round
from tests.workspace.snapshots import a_snapshot

BEGUN = SessionLine(at=AT, pid=1, host="h", spotui="0")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def overview(workspace: Workspace, *lines: Line) -> Overview:
    return read_overview(
        create_project(workspace, "poem", a_snapshot(settings={"max_rounds": 10}), lines=lines)
    )


def test_a_run_that_ended_tells_why(workspace: Workspace) -> None:
    seed, best = a_round(1, "seed"), a_round(2, "win")
    found = overview(workspace, BEGUN, seed, best, StopLine(at=AT, reason="budget", best=2))
    assert (found.state, found.method, found.rounds, found.rounds_wanted) == ("budget", "spo", 2, 10)
    assert (found.best, found.when) == (2, best.at)
    stop = StopLine(at=AT, reason="budget", best=2, calls=9, cost_usd=0.5, estimated=True)
    ended = overview(Workspace(workspace.root / "other"), BEGUN, seed, best, stop)
    assert (ended.cost_usd, ended.estimated) == (0.5, True)  # what came after the last round is in it


def test_what_a_project_is_worth_is_measured_as_well_as_it_was(tmp_path: Path) -> None:
    seed, best = a_round(1, "seed"), a_round(2, "win")
    scored = [msgspec.structs.replace(one, score=score) for one, score in ((seed, 0.5), (best, 0.75))]
    test = FinalTestLine(best=2, seed_marks=(0, 0, None, 1), best_marks=(1, 0, 1, 1))
    check = CheckLine(best=2, outcome="win", win_rate=0.8)
    clear = msgspec.structs.replace(check, win_interval=(0.6, 0.9))
    much = FinalTestLine(best=2, seed_marks=(0,) * 40, best_marks=(1,) * 40)
    stale = msgspec.structs.replace(check, best=3)
    refuted = msgspec.structs.replace(check, outcome="loss", win_rate=0.2)
    cases: list[tuple[Sequence[RoundLine | CheckLine | FinalTestLine], Worth | None]] = [
        ([seed], None),
        ([seed, best], None),  # nothing measures it
        ([seed, best, stale], None),
        ([seed, best, refuted], None),  # the seed is kept
        ([seed, best, check], Worth("duels", 0.8, may_be_chance=True)),
        ([seed, best, clear], Worth("duels", 0.8)),
        (scored, Worth("rows", 0.25)),
        ([*scored, test], Worth("test", 1 / 3, may_be_chance=True)),
        ([*scored, much], Worth("test", 1.0)),
    ]
    for number, (lines, worth) in enumerate(cases):
        assert overview(Workspace(tmp_path / str(number)), BEGUN, *lines).worth == worth
    assert Worth("duels", 0.75).gain == Worth("test", 0.5).gain == 0.5


def test_a_run_that_never_began_has_the_time_it_was_set_up(workspace: Workspace) -> None:
    found = overview(workspace)
    assert (found.state, found.rounds, found.best, found.when) == ("interrupted", 0, None, AT)


def test_rounds_that_were_changed_on_the_way_count(workspace: Workspace) -> None:
    found = overview(workspace, LimitsLine(changes={"rounds": 4}), LimitsLine(changes={"usd": 1.0}))
    assert found.rounds_wanted == 4


def test_a_run_that_is_worked_on_is_running(workspace: Workspace) -> None:
    overview(workspace)
    project = workspace.project("poem")
    lock = ProjectLock(project.lock, "poem")
    lock.acquire()
    assert read_overview(project).state == "running"
    lock.release()
    assert read_overview(project).state == "interrupted"


def test_a_project_of_the_reference_has_no_method_and_no_price(workspace: Workspace) -> None:
    project = workspace.project("theirs")
    write_round(project.folder, 1, succeed=True)
    found = read_overview(project)
    assert (found.state, found.method, found.rounds, found.best, found.cost_usd) == (
        "foreign",
        "",
        1,
        1,
        None,
    )


@pytest.mark.parametrize("name", ["journal.jsonl", "run.yaml"])
def test_a_damaged_project_says_what_is_damaged(name: str, workspace: Workspace) -> None:
    overview(workspace, a_round(1, "seed"))
    (workspace.root / "poem" / name).write_text("damage\nall over\n")
    found = read_overview(workspace.project("poem"))
    assert found.state == "damaged"
    assert name in found.why


def test_a_project_that_has_gone_is_no_crash(workspace: Workspace) -> None:
    assert "not there any more" in read_overview(workspace.project("gone")).why


def test_speeds_are_those_of_the_newest_runs(tmp_path: Path) -> None:
    def call(model: str, tokens: int, seconds: float) -> str:
        reply = {"text": "x", "usage": {"prompt_tokens": 9, "completion_tokens": tokens}, "seconds": seconds}
        return json.dumps(
            {"kind": "call", "request": {"model": model}, "reply": reply}, separators=(",", ":")
        )

    journal = tmp_path / "sea" / "journal.jsonl"
    journal.parent.mkdir()
    lines = [
        '{"kind":"journal","version":2,"run":"5f3a"}',
        *(call("slow", tokens, 2 + tokens / 10) for tokens in (10, 20, 100)),
        *(call("even", 50, 5.0) for _ in range(3)),
        *(call("silent", 0, 5.0) for _ in range(3)),
        '{"kind":"call","request":{"model":"slow"},"reply":{"seconds":"torn',
    ]
    journal.write_text("\n".join(lines))
    workspace = Workspace(tmp_path)
    (tmp_path / "sea" / "run.yaml").write_text("")
    paces = measured_paces(workspace, ["slow", "even", "silent", "unknown"])
    assert paces.keys() == {"slow", "even"}
    assert paces["slow"] == pytest.approx((2.0, 10.0))
    assert paces["even"] == pytest.approx((0.0, 10.0))
    assert measured_paces(Workspace(tmp_path / "none"), ["slow"]) == {}
