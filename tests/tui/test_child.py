"""Asking spotui's own command line from the screen."""

import asyncio
import signal
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from spotui.tui import child
from spotui.tui.child import Finished, listen
from tests.command_line import move_in


@pytest.mark.parametrize(
    ("err", "fault"),
    [
        ("spotui: It is wrong.\n        Mend it.\n", "It is wrong. Mend it."),
        ("Fetching.\nspotui: It is wrong.\n", "It is wrong."),
        ("spotui: a notice\nspotui: It is wrong in spotui: here.\n", "It is wrong in spotui: here."),
        ("Traceback\nValueError: odd\n", "Traceback ValueError: odd"),
        ("", "It ended with exit code 1."),
    ],
)
def test_what_a_command_complains_of_is_told_without_what_it_said_before(err: str, fault: str) -> None:
    assert Finished(1, b"", err).fault == fault
    assert Finished(0, b"", err).fault == ""


def test_lines_are_taken_as_they_come_and_the_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_in(monkeypatch, tmp_path)
    lines: list[bytes] = []
    told = asyncio.run(listen(["locate"], lines.append))
    assert told.code == 0
    assert any(str(tmp_path).encode() in line for line in lines)
    assert asyncio.run(listen(["test", "nothing"], lines.append, b"Why?")).fault.startswith("There is no")


def test_a_command_that_nobody_waits_for_ends_even_if_no_thread_was_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_in(monkeypatch, tmp_path)
    started: list[subprocess.Popen[bytes]] = []
    really_start = child._start

    def start(words: Sequence[str]) -> "subprocess.Popen[bytes]":
        started.append(really_start(words))
        return started[-1]

    monkeypatch.setattr(child, "_start", start)
    busy = threading.Event()

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        loop.run_in_executor(None, busy.wait)
        asking = asyncio.create_task(child.ask(["locate"]))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        busy.set()

    asyncio.run(leave())
    (process,) = started
    assert process.returncode == -signal.SIGKILL
    assert process.stdout is not None
    assert process.stdout.closed
