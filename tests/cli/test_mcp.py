"""mcp: an agent works with spotui by the tools that the protocol's own client finds."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.conftest import Shell
from tests.command_line import PATIENCE_SECONDS, TEMPLATE, places, write_template
from tests.model_server import ModelServer, Scripted
from tests.row_model import adding, rows
from tests.row_model import template as row_template
from tests.spo_model import climbing

if TYPE_CHECKING:
    from mcp import Client  # half a second for every worker, and one of them needs it

TOOLS = ["best", "check", "compare", "estimate", "resume", "run", "score", "status", "stop"]


def with_tools(home: Path, server: ModelServer, journey: "Callable[[Client], Awaitable[None]]") -> None:
    """Start `spotui mcp` as an agent does, and use it."""
    from mcp import Client, StdioServerParameters

    env = places(home, OPENAI_API_KEY="secret-key", OPENAI_BASE_URL=server.base_url, SPOTUI_MODEL="m")
    started = StdioServerParameters(command=sys.executable, args=["-m", "spotui", "mcp"], env=env)

    async def take() -> None:
        async with Client(started) as client:
            await journey(client)

    asyncio.run(take())


async def call(client: "Client", tool: str, **arguments: object) -> Any:
    """What a tool returned."""
    told = await client.call_tool(tool, arguments)
    assert not told.is_error, told.content
    found = told.structured_content
    assert found is not None
    return found["result"] if set(found) == {"result"} else found


async def refusal(client: "Client", tool: str, **arguments: object) -> str:
    """Why a tool did not do it."""
    told = await client.call_tool(tool, arguments)
    assert told.is_error
    return "".join(getattr(one, "text", "") for one in told.content)


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - the server works in a thread
            await asyncio.sleep(0.02)


def test_an_agent_improves_a_prompt_within_its_budget(tmp_path: Path) -> None:
    why = write_template(tmp_path)
    wrong = write_template(tmp_path, TEMPLATE.replace("count: None", "count: many"), "wrong.yaml")

    async def journey(client: "Client") -> None:
        assert sorted(tool.name for tool in (await client.list_tools()).tools) == TOOLS
        (problem,) = (await call(client, "check", template=wrong))["problems"]
        assert (problem["key"], problem["line"]) == ("count", 3)
        expected = await call(client, "estimate", template=why, max_rounds=3)
        assert sum(share["calls"] for share in expected["shares"]) > 10
        assert "A budget is missing." in await refusal(client, "run", template=why)
        assert "There is no template 'nowhere.yaml'." in await refusal(
            client, "check", template="nowhere.yaml"
        )
        assert not server.requests

        told: list[tuple[float, float | None, str | None]] = []

        async def hear(progress: float, total: float | None, message: str | None) -> None:
            told.append((progress, total, message))

        words = {"template": why, "budget_calls": 200, "max_rounds": 3}
        found = (await client.call_tool("run", words, progress_callback=hear)).structured_content
        assert found is not None
        assert (found["reason"], found["improved"], found["best_round"]) == ("finished", True, 3)
        assert found["prompt"] == "Answer in style 2, with reasons."
        assert found["calls"] == len(server.requests) < 200
        assert found["test"]["outcome"] == "win"
        assert [(done, of) for done, of, _ in told] == [(1, 3), (2, 3), (3, 3)]
        assert "win" in (told[-1][2] or "")

        assert await call(client, "best", project="why") == "Answer in style 2, with reasons.\n"
        state = await call(client, "status", project="why")
        assert (state["state"], state["best"], len(state["last_rounds"])) == ("finished", 3, 3)
        assert [one["name"] for one in (await call(client, "status"))["projects"]] == ["why"]
        assert "why" in await refusal(client, "run", **words)  # it is there already
        assert len(server.requests) == found["calls"]

    with ModelServer(climbing) as server:
        with_tools(tmp_path, server, journey)


def test_a_cancelled_run_stops_in_order_and_is_resumed(tmp_path: Path) -> None:
    why, held = write_template(tmp_path), {"held": True}

    def slow(request: dict[str, Any]) -> str | Scripted:
        return Scripted(pieces=("I",), ending="hang") if held["held"] else climbing(request)

    async def journey(client: "Client") -> None:
        words = {"template": why, "budget_calls": 200, "max_rounds": 2}
        running = asyncio.create_task(client.call_tool("run", words))
        await until(lambda: len(server.requests) == 3)
        running.cancel()
        await until(lambda: not server.connections)
        held["held"] = False
        assert "A budget is missing." in await refusal(client, "resume", project="why")
        found = await call(client, "resume", project="why", budget_calls=200)
        assert (found["reason"], found["best_round"]) == ("finished", 2)

    with ModelServer(slow) as server:
        with_tools(tmp_path, server, journey)


def test_prompts_are_measured_and_compared_on_rows(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(rows(40))
    sums = write_template(tmp_path, row_template(), "sums.yaml")

    async def journey(client: "Client") -> None:
        words = {"template": sums, "split": "eval", "budget_calls": 100}
        found = await call(client, "score", prompt="Add in style 9.", **words)
        (one,) = found["prompts"]
        assert one["prompt"] == "Add in style 9."
        assert one["score"]["interval"]["low"] <= one["score"]["mean"]
        bought = len(server.requests)
        both = await call(client, "compare", prompt="Add in style 9.", against="seed", **words)
        assert (
            both["comparison"]["difference"]
            == both["prompts"][1]["score"]["mean"] - both["prompts"][0]["score"]["mean"]
        )
        assert len(server.requests) == 2 * bought
        assert "A budget is missing." in await refusal(client, "score", template=sums)

    with ModelServer(adding) as server:
        with_tools(tmp_path, server, journey)


def test_without_the_package_the_verb_says_how_to_get_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server.mcpserver", None)
    monkeypatch.delitem(sys.modules, "spotui.cli.agent_tools", raising=False)
    left = shell("mcp")
    assert left.code == 1
    assert left.err.splitlines() == [
        "spotui: The package mcp is not installed.",
        "        Install it: pip install 'spotui[mcp]'",
    ]
