import asyncio
import stat
from pathlib import Path

import pytest

from spotui.domain.commands import Stop
from spotui.domain.errors import SpotuiError
from spotui.wire.socket import NotRunningError, Wire, connect
from tests.runs.starting import Stage
from tests.wire.clients import served


def test_the_socket_is_the_users_alone_and_gone_at_the_end(stage: Stage, socket: Path) -> None:
    async def scenario() -> None:
        async with served(stage.run(stage.project()), socket) as run:
            client = await run.client()
            assert stat.S_IMODE(socket.stat().st_mode) == 0o600
            client.send(Stop())
        assert not socket.exists()

    asyncio.run(scenario())


def test_what_a_dead_process_left_behind_is_replaced(stage: Stage, socket: Path) -> None:
    async def scenario() -> None:
        dead = await asyncio.start_unix_server(lambda *_: None, socket)
        dead.close()
        if not socket.exists():  # newer Pythons clean up
            socket.touch()
        with pytest.raises(NotRunningError, match="spotui resume sea"):
            await connect(socket, "sea")
        async with served(stage.run(stage.project()), socket) as run:
            (await run.client()).send(Stop())

    asyncio.run(scenario())


@pytest.mark.parametrize("where", ["x" * 200, "folder"])
def test_a_socket_that_cannot_be_made_is_an_error_that_says_what_to_do(
    stage: Stage, tmp_path: Path, where: str
) -> None:
    (tmp_path / "folder").mkdir()

    async def scenario() -> None:
        async with Wire(stage.run(stage.project())).listen(tmp_path / where):
            pytest.fail("it listens")

    with pytest.raises(SpotuiError, match="SPOTUI_RUNTIME_DIR") as refusal:
        asyncio.run(scenario())
    assert "None" not in str(refusal.value)


def test_nobody_can_be_reached_where_nothing_runs(socket: Path) -> None:
    with pytest.raises(NotRunningError, match="Nothing is running in sea"):
        asyncio.run(connect(socket, "sea"))
