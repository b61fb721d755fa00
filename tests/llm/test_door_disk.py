"""When replies cannot be kept: held as long as anyone may fix the disk, and none is bought in vain."""

import asyncio
import os
from pathlib import Path

import pytest

from spotui.domain.events import CallFinished, CallStarted
from spotui.domain.records import DroppedLine, Line
from spotui.llm.limits import Halted
from spotui.workspace.journal import Journal
from spotui.workspace.journal_reader import JournalError
from tests.llm.opening import a_key, a_request, an_open_door, run
from tests.model_server import ModelServer


class FullDisk:
    """Lets a journal fail as a full disk does: with the system's own error, in the middle of a line."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tries: int) -> None:
        self.tries = tries
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, file: int, data: bytes) -> int:
        if self.tries > 0 and bytes(data).startswith(b'{"kind":"call"'):
            self.tries -= 1
            raise OSError(28, "No space left on device")
        return self._write(file, data)


def test_a_reply_that_cannot_be_kept_is_paid_for_but_not_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            FullDisk(monkeypatch, tries=9)
            with pytest.raises(Halted, match="cannot be written: No space left on device") as caught:
                await opened.door.ask(a_key(), a_request())
            assert caught.value.reason == "failed"
            assert not opened.lines()
            assert not opened.told(CallFinished)
            assert opened.spending.calls == 1

    with ModelServer() as server:
        run(main(server.base_url))


def test_a_reply_is_held_until_the_disk_is_fixed_and_not_bought_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, on_trouble="pause") as opened:
            FullDisk(monkeypatch, tries=2)
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            for _ in range(2):
                await opened.until(lambda: opened.gate.state == "paused")
                assert "No space left on device" in opened.states[-1][1]
                assert opened.gate.in_flight == 1
                opened.gate.resume()
                await asyncio.sleep(0)
            reply = await call
            assert opened.door.recorded(a_key(), a_request()) == reply
            assert opened.spending.calls == 1

    with ModelServer() as server:
        run(main(server.base_url))
        assert len(server.requests) == 1


def test_stopping_while_a_reply_cannot_be_kept_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path, on_trouble="pause") as opened:
            FullDisk(monkeypatch, tries=9)
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await opened.until(lambda: opened.gate.state == "paused")
            opened.gate.halt("stopped", "Stopped by the user.")
            with pytest.raises(Halted, match="Stopped by the user"):
                await call

    with ModelServer() as server:
        run(main(server.base_url))


def test_without_room_for_a_reply_none_is_bought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_: Journal) -> None:
        raise JournalError("The disk is full.", "Free some space.")

    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            monkeypatch.setattr(Journal, "check_room", no_room)
            with pytest.raises(Halted, match="The disk is full"):
                await opened.door.ask(a_key(), a_request())
            assert opened.spending.calls == 0

    with ModelServer() as server:
        run(main(server.base_url))
        assert not server.requests


def test_a_dropped_call_that_cannot_be_written_down_ends_as_it_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Journal.append

    def full(journal: Journal, line: Line) -> None:
        if isinstance(line, DroppedLine):
            raise JournalError("The disk is full.")
        append(journal, line)

    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            monkeypatch.setattr(Journal, "append", full)
            call = asyncio.create_task(opened.door.ask(a_key(), a_request()))
            await opened.until(lambda: bool(opened.told(CallStarted)))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert opened.spending.calls == 1

    with ModelServer(delay=5) as server:
        run(main(server.base_url))
