"""Measuring prompts outside of any run."""

import asyncio
from pathlib import Path

import pytest

from spotui.engine.layout import Layout
from spotui.engine.task import Scored
from spotui.llm.connections import Connections
from spotui.llm.connector import Connector
from spotui.llm.limits import Halted
from spotui.runs.score import open_ruler
from spotui.settings.config_file import Config
from spotui.settings.table import BudgetSettings, RoleSet, RoleSettings, RunSettings
from spotui.workspace.lock import LockedError
from tests.model_server import ModelServer
from tests.row_model import adding, rows, template
from tests.runs.starting import ONCE, prepared

ROLE = RoleSettings(model="test-model", temperature=0.0, max_tokens=None, timeout=10.0)


async def measure(
    folder: Path,
    server: ModelServer,
    *prompts: str,
    budget: BudgetSettings | None = None,
    nested: bool = False,
) -> list[Scored]:
    (folder / "rows.jsonl").write_text(rows(60))
    settings = RunSettings(
        roles=RoleSet(optimizer=ROLE, evaluator=ROLE, executor=ROLE),
        base_url=server.base_url,
        retry=ONCE,
        budget=budget or BudgetSettings(),
    )
    connector = Connector(settings, Config(), {}, models_dir=folder, log_dir=folder)
    wanted = prepared(template(), settings, path=folder / "sums.yaml", purpose="score")
    connections = Connections(connector.connect)
    async with open_ruler(wanted, folder / "measured", connections, lambda _: None) as ruler:
        if nested:
            await measure(folder, server, *prompts)
        return await ruler.measure([(one, Layout()) for one in prompts], "test")


def test_what_was_measured_once_is_never_bought_again_in_whatever_order(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        (low,) = asyncio.run(measure(tmp_path, server, "style 0"))
        assert len(server.requests) == 36
        high, again = asyncio.run(measure(tmp_path, server, "style 4", "style 0"))
        assert len(server.requests) == 72
        asyncio.run(measure(tmp_path, server, "style 0", "style 4"))
        assert len(server.requests) == 72
    assert again.marks == low.marks
    assert high.score.mean > low.score.mean


def test_a_budget_ends_it_and_what_was_bought_is_kept(tmp_path: Path) -> None:
    with ModelServer(adding) as server:
        with pytest.raises(Halted, match="budget of 10 calls"):
            asyncio.run(measure(tmp_path, server, "style 0", budget=BudgetSettings(calls=10)))
        assert len(server.requests) == 10
        asyncio.run(measure(tmp_path, server, "style 0"))
        assert len(server.requests) == 36


def test_two_processes_do_not_measure_in_one_place(tmp_path: Path) -> None:
    with ModelServer(adding) as server, pytest.raises(LockedError):
        asyncio.run(measure(tmp_path, server, "style 0", nested=True))
