"""Carrying a file to the disk: soon, together, and not silently when it fails."""

import os
import threading
from pathlib import Path

import pytest

from spotui.workspace import journal as journal_sync
from spotui.workspace.journal import JournalSync


class Disk:
    """Counts the syncs and holds the first one up."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.syncs = 0
        self.begun = threading.Event()
        self.free = threading.Event()
        monkeypatch.setattr(journal_sync, "_sync", self._sync)

    def _sync(self, file: int) -> None:
        self.syncs += 1
        self.begun.set()
        self.free.wait(60)
        os.fsync(file)


def test_many_requests_share_one_sync_and_none_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    with (tmp_path / "file").open("wb") as file:
        sync = JournalSync(file.fileno())
        sync.request()
        assert disk.begun.wait(60)
        for _ in range(1000):
            sync.request()
        assert disk.syncs == 1
        disk.free.set()
        sync.close()
    assert disk.syncs <= 3


def test_closing_syncs_what_nobody_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    disk.free.set()
    with (tmp_path / "file").open("wb") as file:
        JournalSync(file.fileno()).close()
    assert disk.syncs == 1


def test_a_sync_that_failed_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    reading, writing = os.pipe()  # a file that no system can sync
    try:
        sync = JournalSync(writing)
        sync.check()
        sync.request()
        assert disk.begun.wait(60)
        disk.free.set()
        with pytest.raises(OSError, match="Invalid argument"):
            sync.close()
        with pytest.raises(OSError, match="Invalid argument"):
            sync.check()
        sync.check()
    finally:
        os.close(reading)
        os.close(writing)


def test_a_sync_that_failed_is_told_at_the_end_although_the_last_one_worked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = Disk(monkeypatch)
    reading, writing = os.pipe()
    try:
        sync = JournalSync(writing)
        sync.request()
        assert disk.begun.wait(60)
        disk.free.set()
        with pytest.raises(OSError, match="Invalid argument"):
            sync.close()
        monkeypatch.setattr(journal_sync, "_sync", lambda _: None)
        with pytest.raises(OSError, match="Invalid argument"):
            sync.close()
        sync.close()
    finally:
        os.close(reading)
        os.close(writing)
