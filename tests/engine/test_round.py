"""What ends a run before its last round."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.cli import exit_codes
from spotui.domain.commands import Override
from spotui.domain.events import FinalCheckFinished, VoteCast
from spotui.engine.stopping import Stopping
from spotui.workspace.history import read_history
from tests.model_server import ModelServer
from tests.runs.starting import Stage, once, told
from tests.spo_model import climbing, positional


@given(st.integers(1, 9), st.integers(1, 30), st.sets(st.integers(2, 30)))
def test_patience_is_spent_by_rounds_since_the_last_win(patience: int, ended: int, won: set[int]) -> None:
    wins = sorted(one for one in won if one <= ended)
    reached = Stopping(patience=patience).reached(ended, 0, max(wins, default=1))
    idle = [one for one in range(2, ended + 1) if one > max(wins, default=1)]
    assert (reached is not None) == (len(idle) >= patience)
    assert reached is None or reached[0] == "patience"


@pytest.mark.parametrize(("wins", "reason"), [(0, None), (1, None), (2, "target"), (3, "target")])
def test_the_target_is_a_number_of_wins(wins: int, reason: str | None) -> None:
    reached = Stopping(target_wins=2).reached(9, wins, 9)
    assert (reached[0] if reached else None) == reason


def test_a_run_without_wins_loses_patience_and_says_so(tmp_path: Path) -> None:
    with ModelServer(positional) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=20, patience=3)
        end = stage.go(project)
        assert len(end.outcomes) == 4
        assert (end.stopped.reason, end.stopped.cause) == ("patience", "No win in 3 rounds in a row.")
        assert not end.stopped.resumable
        assert exit_codes.of_run(end.stopped) == exit_codes.NO_IMPROVEMENT
        before, journal = len(server.requests), project.journal.read_bytes()
        assert stage.go(project).stopped.reason == "patience"
        assert (len(server.requests), project.journal.read_bytes()) == (before, journal)
        more = stage.go(project, changes={"patience": 5})
        assert len(more.outcomes) == 6
    stop = read_history(project).stop
    assert stop is not None
    assert stop.reason == "patience"


def test_a_run_that_has_won_enough_is_checked_and_ends(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        end = stage.go(stage.project(max_rounds=20, target_wins=2, final_check=True))
    assert end.outcomes == ["seed", "win", "win"]
    assert (end.stopped.reason, end.stopped.best) == ("target", 3)
    assert end.one(FinalCheckFinished).outcome == "win"


def test_a_win_that_a_person_takes_back_is_none(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        react = once(VoteCast, lambda event: event.round == 3, Override(round=2, outcome="loss"))
        end = told(stage.run(stage.project(max_rounds=20, target_wins=2)), react)
    assert end.stopped.reason == "target"
    assert end.outcomes == ["seed", "win", "win", "win"]
