"""Budgets: each stops the run before more is spent, and more of it goes on."""

from pathlib import Path

import pytest

from spotui.events import RoundFinished, SpendingChanged
from spotui.settings.run_settings import BudgetSettings
from spotui.workspace.history import read_history
from tests.model_server import JsonObject, ModelServer, Scripted
from tests.run.starting import PRICED, Stage, template
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
