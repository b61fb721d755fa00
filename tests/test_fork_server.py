"""A fork is like the process that a new interpreter would be."""

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.command_line import PATIENCE_SECONDS, Outcome, places, spotui, write_template
from tests.conftest import server


@pytest.mark.parametrize("words", ["--version", "runn", "locate", "check why.yaml", "show why"])
def test_a_command_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    write_template(tmp_path)
    monkeypatch.chdir(tmp_path)
    said: list[Outcome] = []
    for kind in (server.suspended(), nullcontext()):
        with kind:
            said.append(spotui(*words.split(), env=places(tmp_path)))
    assert said[0] == said[1]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("is_forked", [True, False])
def test_a_process_is_a_child_with_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_forked: bool
) -> None:
    handle = os.open(os.devnull, os.O_RDONLY)  # given to the process, too
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        with nullcontext() if is_forked else server.suspended():
            process = subprocess.Popen(
                [sys.executable, "-m", "spotui", "models", "add", "m", "--api-key-stdin"],
                env=places(tmp_path),
                cwd=tmp_path,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                pass_fds=[handle],
                start_new_session=True,
            )
    finally:
        signal.signal(signal.SIGUSR1, before)
    seen = Path(f"/proc/{process.pid}")

    def facts() -> list[object]:
        status = dict(line.split(":", 1) for line in (seen / "status").read_text().splitlines())
        ignored = int(status["SigIgn"], 16)
        handles = {int(path.name) for path in (seen / "fd").iterdir()}
        return [
            "fork_server" in (seen / "cmdline").read_text(),
            int(status["PPid"]),
            os.getsid(process.pid),
            [bool(ignored & 1 << number - 1) for number in (signal.SIGUSR1, signal.SIGPIPE, signal.SIGINT)],
            (seen / "cwd").readlink(),
            [number in handles for number in (0, 1, 2, handle)],
        ]

    wanted = [is_forked, os.getpid(), process.pid, [True, True, False], tmp_path, [True] * 4]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while facts() != wanted and time.monotonic() < deadline:  # it takes some time to start
        time.sleep(0.01)
    assert facts() == wanted
    os.close(handle)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
