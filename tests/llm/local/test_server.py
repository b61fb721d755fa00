import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from spotui.llm.local.files import ServerError
from spotui.llm.local.server import LocalServer

PARENT = """
import asyncio, signal, sys
from pathlib import Path
from spotui.llm.local.server import LocalServer

signal.signal(signal.SIGINT, signal.default_int_handler)  # a test under nohup inherits that it is ignored

async def main():
    server = LocalServer(Path(sys.argv[1]), Path(sys.argv[2]))
    await server.start()
    print(server.address, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def is_listening(address: str) -> bool:
    host, port = address.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError:
        return False
    return True


def stops_listening(address: str, within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while listening := is_listening(address):
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return not listening


def test_each_server_has_a_loopback_port_and_a_key_of_its_own(tiny_model: Path, tmp_path: Path) -> None:
    async def main() -> None:
        one, other = (LocalServer(tiny_model, tmp_path / f"{number}.log") for number in (1, 2))
        await asyncio.gather(one.start(), other.start())
        try:
            assert one.address.startswith("http://127.0.0.1:")
            assert one.address != other.address
            async with httpx.AsyncClient(base_url=one.address) as client:
                path, body = "/v1/chat/completions", {"messages": [{"role": "user", "content": "hello"}]}
                for key, status in (
                    ("wrong", 401),
                    (other.api_key.reveal(), 401),
                    (one.api_key.reveal(), 200),
                ):
                    reply = await client.post(path, json=body, headers={"Authorization": f"Bearer {key}"})
                    assert reply.status_code == status
            log = (tmp_path / "1.log").read_text()
            assert one.api_key.reveal() not in log
        finally:
            await asyncio.gather(one.stop(), other.stop())

    asyncio.run(main())


def test_stop_ends_the_server_and_may_be_called_twice(tiny_model: Path, tmp_path: Path) -> None:
    async def main() -> None:
        server = LocalServer(tiny_model, tmp_path / "log")
        await server.start()
        address = server.address
        assert is_listening(address)
        await server.stop()
        await server.stop()
        assert not is_listening(address)
        assert server.pid is None

    asyncio.run(main())


def kill_the_process(parent: "subprocess.Popen[str]") -> None:
    parent.send_signal(signal.SIGKILL)


def interrupt_the_process(parent: "subprocess.Popen[str]") -> None:
    parent.send_signal(signal.SIGINT)


@pytest.mark.parametrize("end", [kill_the_process, interrupt_the_process])
def test_the_server_ends_with_its_parent(
    end: "Callable[[subprocess.Popen[str]], None]", tiny_model: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", PARENT, str(tiny_model), str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        assert parent.stdout is not None
        address = parent.stdout.readline().strip()
        assert is_listening(address)
        end(parent)
        parent.wait(60)
    assert stops_listening(address)


def failure(start: Callable[[], Coroutine[Any, Any, None]]) -> ServerError:
    with pytest.raises(ServerError) as caught:
        asyncio.run(start())
    return caught.value


def test_a_file_that_is_no_model_is_told_with_the_runtimes_own_words(tmp_path: Path) -> None:
    broken, log = tmp_path / "broken.gguf", tmp_path / "log"
    broken.write_bytes(b"GGUF" + bytes(200))
    error = failure(LocalServer(broken, log).start)
    assert not error.transient
    assert str(broken) in error.what
    assert str(log) in error.hint
    assert log.stat().st_size


def test_a_model_that_loads_too_slowly_is_given_up(tiny_model: Path, tmp_path: Path) -> None:
    server = LocalServer(tiny_model, tmp_path / "log", ready_seconds=0.001)
    error = failure(server.start)
    assert error.transient
    assert server.pid is None


def test_a_log_that_cannot_be_written_is_told(tiny_model: Path, tmp_path: Path) -> None:
    assert str(tmp_path) in failure(LocalServer(tiny_model, tmp_path).start).what


def test_a_death_during_a_call_is_seen_and_explained(tiny_model: Path, tmp_path: Path) -> None:
    async def main() -> None:
        server = LocalServer(tiny_model, tmp_path / "log")
        await server.start()
        try:
            assert await server.ended(within=0.01) is None
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            death = await server.ended(within=10)
            assert death is not None
            assert death.transient
            assert "killed" in death.what
            assert server.pid is None
        finally:
            await server.stop()

    asyncio.run(main())
