"""Budgets: each stops the run before more is spent, and more of it goes on."""

import re
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from spotui.domain.commands import Stop
from spotui.domain.events import RoundFinished, SpendingChanged
from spotui.settings.table import BudgetSettings
from spotui.workspace.history import read_history
from tests.model_server import JsonObject, ModelServer, Scripted
from tests.runs.reactions import at_round
from tests.runs.starting import PRICED, Changes, Stage, template, told
from tests.spo_model import climbing


@pytest.mark.parametrize("limit", [1, 3, 4, 9])
def test_calls_are_never_more_than_allowed(tmp_path: Path, limit: int) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(budget=BudgetSettings(calls=limit))
        end = stage.go(project)
        assert (end.stopped.reason, len(server.requests)) == ("budget", limit)
        assert end.stopped.cause == f"The budget of {limit} calls is spent."
        assert end.stopped.prompt
        assert stage.go(project).stopped.reason == "budget"
        assert len(server.requests) == limit
        end = stage.go(project, changes={"calls": 100})
    assert (end.stopped.reason, end.stopped.best) == ("finished", 3)


def test_tokens_are_never_more_than_allowed_even_when_replies_use_all_they_may(tmp_path: Path) -> None:
    def wordy(request: JsonObject) -> Scripted:
        reply = str(climbing(request))
        most = int(request["max_tokens"])
        return Scripted(text=reply, usage={"prompt_tokens": 90, "completion_tokens": min(most, 2000)})

    with ModelServer(wordy) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(2), budget=BudgetSettings(tokens=9_000), max_rounds=9)
        end = stage.go(project)
        spent = end.of(SpendingChanged)[-1]
        assert (end.stopped.reason, end.stopped.best) == ("budget", read_history(project).best.round)  # type: ignore[union-attr]
        assert "9,000 tokens" in end.stopped.cause
        assert 4_000 < spent.prompt_tokens + spent.completion_tokens <= 9_000
        more = stage.go(project, changes={"tokens": 12_000})
    spent = more.of(SpendingChanged)[-1]
    assert more.stopped.reason == "budget"
    assert 9_000 - 2_000 < spent.prompt_tokens + spent.completion_tokens <= 12_000


def test_usd_are_never_more_than_allowed(tmp_path: Path) -> None:
    with ModelServer(climbing) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(text=template(2), budget=BudgetSettings(usd=0.02), max_rounds=40)
        end = stage.go(project, config=PRICED)
        spent = end.of(SpendingChanged)[-1]
        assert end.stopped.reason == "budget"
        assert "$0.02" in end.stopped.cause
        assert 0.01 < spent.cost_usd <= 0.02
        assert spent.unpriced == 0
        costs = [event.cost_usd for event in end.of(RoundFinished)]
        assert all(cost is not None and cost > 0 for cost in costs)
        more = stage.go(project, config=PRICED, changes={"usd": None, "rounds": len(costs) + 1})
    assert more.stopped.reason == "finished"


def test_minutes_end_a_run_that_waits(tmp_path: Path) -> None:
    hanging = [True]

    def reply(request: JsonObject) -> str | Scripted:
        return Scripted(text=str(climbing(request)), delay=0.4 if hanging else 0.0)

    with ModelServer(reply) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(budget=BudgetSettings(minutes=0.01), max_rounds=5)
        end = stage.go(project)
        hanging.clear()
        assert end.stopped.reason == "budget"
        assert end.stopped.cause == "The budget of 0.01 minutes is spent."
        assert end.stopped.rounds < 5
        assert {request.outcome for request in server.requests} == {"completed"}
        sent = len(server.requests)
        assert stage.go(project).stopped.reason == "budget"
        assert len(server.requests) == sent
        assert stage.go(project, changes={"minutes": 1.0}).stopped.reason == "finished"


@pytest.mark.parametrize("days", [-1000, -1, 1])
def test_a_clock_that_is_set_extends_no_budget(tmp_path: Path, days: int) -> None:
    """It is set after each of many sessions; all of them together have the minutes of one."""
    began = time.monotonic()
    with ModelServer(climbing, delay=0.1) as server:
        stage = Stage(tmp_path, server)
        project = stage.project(max_rounds=500)
        end = told(stage.run(project), at_round(2, Stop()))
        worked = [end.of(SpendingChanged)[-1].seconds]
        seconds = 3 * worked[0]  # a busy machine takes long for a round
        limits: Changes = {"minutes": seconds / 60}
        while end.stopped.reason != "budget":
            shift_times(project.journal, timedelta(days=-days))
            rounds = len(read_history(project).rounds)
            end = told(stage.run(project, changes=limits), at_round(rounds + 2, Stop()))
            worked.append(end.of(SpendingChanged)[-1].seconds)
            assert worked[-1] >= worked[-2]
            limits = {}
        shift_times(project.journal, timedelta(days=-days))
        assert seconds <= worked[-1] <= time.monotonic() - began + 0.05  # times in the journal are rounded
        sent = len(server.requests)
        assert stage.go(project).stopped.reason == "budget"
        assert len(server.requests) == sent


def shift_times(journal: Path, by: timedelta) -> None:
    """Let the lines of a journal be of another time: it is the clock that was set since."""

    def shifted(found: re.Match[str]) -> str:
        return f'"at":"{(datetime.fromisoformat(found[1]) + by).isoformat()}"'

    journal.write_text(re.sub(r'"at":"([^"]+)"', shifted, journal.read_text()))
